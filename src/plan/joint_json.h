#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/problem.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan::plan {

/// A problem's joint term, one of
///   {"kind": "quadratic", "matrix": A}                                          A: [choices, choices]
///   {"kind": "logit", "temperature": T, "scale": s, "logits": A, "shifts": A}    A: [samples, classes], [choices,
///   samples, classes]
///   {"kind": "logit-shift", "scale": s, "shifts": A}
/// where an array A is nested lists, or the name of a .npy file in `folder` (float32 or float64).
JointTerm ReadJointTerm(JsonReader& reader, const std::filesystem::path& folder);

/// An array under `key`, in either form, and its shape; `axes` of them.
NumberArray ReadArray(JsonReader& reader, const std::string& key, std::size_t axes,
                      const std::filesystem::path& folder);

/// At most float's precision; numbers beyond its range become infinite.
std::vector<float> Narrow(const std::vector<double>& numbers);

/// Writes STEM.KEY.npy and returns its name without the folder.
Json WriteArray(const std::filesystem::path& stem, const std::string& key, const std::vector<std::size_t>& shape,
                const std::vector<float>& numbers);
Json WriteArray(const std::filesystem::path& stem, const std::string& key, const std::vector<std::size_t>& shape,
                const std::vector<double>& numbers);

/// With arrays as nested lists.
Json JointTermJson(const JointTerm& term);

/// With arrays in files: "matrix" in STEM.matrix.npy and so on, `stem` their path less the ending. Writes them.
Json WriteJointTerm(const JointTerm& term, const std::filesystem::path& stem);

}  // namespace bitplan::plan
