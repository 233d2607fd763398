#pragma once

#include <optional>

#include "bitplan/run.h"
#include "options.h"

namespace bitplan::cli {

void AddChooseOptions(CommandLine& line);  ///< those of measured losses

/// Throws Error.
void ReadChooseOptions(const CommandLine& line, RunOptions& options);

/// The samples of --data to analyze, and others of it to measure plans on where `options` ask for that.
struct SplitData {
  Dataset data;
  std::optional<Dataset> held_out;
};

/// Throws Error when --data has too few samples for both.
SplitData LoadData(const CommandLine& line, const Network& network, const RunOptions& options);

/// A row a plan that was measured.
void PrintChoice(const Problem& problem, const MeasuredChoice& choice, OutputKind outputs);

}  // namespace bitplan::cli
