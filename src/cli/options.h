#pragma once

#include <cstdint>

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "command_line.h"

namespace bitplan::cli {

// Groups of options that several commands share: added to a command line, then read from it. Defaults are the
// library's.
void AddModelOptions(CommandLine& line);
NetworkOptions ReadModelOptions(const CommandLine& line);

/// What loading a network for a plan must be told.
void MatchPlan(const Plan& plan, NetworkOptions& options);

void AddPreparationOptions(CommandLine& line);                           ///< seed and normalization
void AddSampleOptions(CommandLine& line, std::int64_t default_samples);  ///< these and --samples
/// Of data for this network.
DataOptions ReadSampleOptions(const CommandLine& line, const Network& network);

void AddLossOption(CommandLine& line);
Loss ReadLossOption(const CommandLine& line);
void AddMetricOption(CommandLine& line, const OfWhat& of = {});
void AddLossOptions(CommandLine& line);  ///< loss and temperature; part of those of the analysis
void AddAnalyzeOptions(CommandLine& line);
AnalyzeOptions ReadAnalyzeOptions(const CommandLine& line);

/// Throws Error where a temperature was given, but neither the loss that was settled nor a measure has one.
void RefuseIdleTemperature(const CommandLine& line, const Criterion& criterion,
                           const std::vector<Measure>& measures = {});

/// What overrides a plan's corrections, but for that of outputs.
void AddCorrectionOptions(CommandLine& line, const OfWhat& of = {});
/// Where --output-correction is not among the options of an analysis.
void AddOutputCorrectionOption(CommandLine& line, const OfWhat& of = {});
Corrections ReadCorrections(const CommandLine& line, Corrections corrections);

void AddCalibrationOptions(CommandLine& line, const OfWhat& of = {});  ///< --calibration and --calibration-samples

/// The data to calibrate a plan's network on: --calibration, or the data that the plan was analyzed on, found where the
/// plan says and checked to be the same. Throws Error when neither is there.
Dataset LoadCalibration(const CommandLine& line, const Plan& plan, const Network& network);

void AddBatchOption(CommandLine& line, const OfWhat& of = {});

}  // namespace bitplan::cli
