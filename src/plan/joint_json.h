#pragma once

#include <filesystem>
#include <string>

#include "bitplan/problem.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan {

/// A problem's joint term, one of
///   {"kind": "quadratic", "matrix": A}                                          A: [choices, choices]
///   {"kind": "logit", "temperature": T, "scale": s, "logits": A, "shifts": A}    A: [samples, classes], [choices, samples, classes]
///   {"kind": "logit-shift", "scale": s, "shifts": A}
/// where an array A is nested lists, or the name of a .npy file in `folder` (float32 or float64).
JointTerm ReadJointTerm(JsonReader& reader, const std::filesystem::path& folder);

/// With arrays as nested lists.
Json JointTermJson(const JointTerm& term);

/// With arrays in files: "matrix" in STEM.matrix.npy and so on, `stem` their path less the ending. Writes them.
Json WriteJointTerm(const JointTerm& term, const std::filesystem::path& stem);

}  // namespace bitplan
