#pragma once

#include <filesystem>

#include "bitplan/sensitivity.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan::plan {

// What choices do to the network's output, sample by sample, as sensitivity files have it. Arrays go to and come from
// .npy files: STEM.contributions.npy, STEM.logits.npy, STEM.shifts.npy in `folder`.

Json WriteContributions(const Contributions& table, const std::filesystem::path& stem);
Json WriteShifts(const OutputShifts& shifts, const std::filesystem::path& stem);

/// Throws Error where they are not of the layers and samples that `sensitivity` has.
Contributions ReadContributions(JsonReader reader, const Sensitivity& sensitivity, const std::filesystem::path& folder);
OutputShifts ReadShifts(JsonReader reader, const Sensitivity& sensitivity, const std::filesystem::path& folder);

/// Throws Error where the rows of shifts are not the samples' predictions.
void CheckPredictions(const JsonReader& reader, const Contributions& table, const OutputShifts& shifts);

}  // namespace bitplan::plan
