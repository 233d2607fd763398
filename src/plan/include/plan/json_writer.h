#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace bitplan::plan {

using Json = nlohmann::ordered_json;  // keys stay in the order they are written in

/// JSON has no NaN and no infinity.
Json NumberOrNull(double number);

/// Text of a file. Bytes that are not UTF-8 (of a file name, say) become U+FFFD.
std::string JsonText(const Json& json);

}  // namespace bitplan::plan
