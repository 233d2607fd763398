#pragma once

#include <torch/types.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "bitplan/format.h"

namespace bitplan {

/// What make_reference.py wrote.
inline const nlohmann::json& Reference() {
  static const nlohmann::json reference =
      nlohmann::json::parse(std::ifstream(std::string(BITPLAN_TEST_DIR) + "/quantize/reference.json"));
  return reference;
}

inline at::Tensor ReferenceWeight() {
  return torch::tensor(Reference().at("weight").get<std::vector<float>>())
      .view(Reference().at("shape").get<std::vector<std::int64_t>>());
}

/// The format of a case of the reference.
inline Format FormatOf(const nlohmann::json& given, Calibrator calibrator) {
  Format format;
  format.bits = given.at("bits");
  format.scheme = ParseScheme(given.at("scheme").get<std::string>());
  format.narrow_range = given.at("narrow_range");
  format.granularity = ParseGranularity(given.value("granularity", "channel"));
  format.calibrator = calibrator;
  return format;
}

}  // namespace bitplan
