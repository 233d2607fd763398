#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace bitplan::network {

// The JSON of torch.export (torch/_export/serde/schema.py, major version 8). What is not as it is to be is thrown as an
// Error, or as a json exception by the library itself, which ProgramError puts into words.

using Json = nlohmann::json;

/// Throws Error where it is no JSON, or nested deeper than any program is.
Json ParseProgram(std::span<const std::uint8_t> bytes);

/// A union: an object of one member, whose name says what the value is: {"as_int": 3}.
struct Tagged {
  const std::string& kind;
  const Json& value;
};
Tagged Untag(const Json& tagged);

/// A number that may be written as "Infinity", "-Infinity" or "NaN".
double FloatOf(const Json& number);

/// {"as_int": 3} of a size that is fixed. Throws where it is not.
std::int64_t FixedSize(const Json& size);

/// What is wrong, without the library's own words around it.
std::string ProgramError(const Json::exception& error);

}  // namespace bitplan::network
