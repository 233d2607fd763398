#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

namespace bitplan::data {

struct LabeledNames {
  std::vector<std::string> names;  ///< of files, different ones, that do not lead out of the folder they are in
  at::Tensor labels;               ///< [n], int64 where all are whole, else float64
};

/// A text of lines NAME LABEL, empty ones aside; NAME may have spaces. Throws Error naming file and line.
LabeledNames ReadLabelsFile(const std::filesystem::path& file);

}  // namespace bitplan::data
