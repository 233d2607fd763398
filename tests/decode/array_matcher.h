#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "decode/array.h"

namespace bitplan::test {

/// IEEE 754 binary16, by its definition.
inline double HalfValue(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                           : exponent == 31 ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                                            : std::ldexp(1024 + fraction, exponent - 25);
  return (bits >> 15) != 0 ? -magnitude : magnitude;
}

template <typename Stored>
std::vector<Stored> Elements(const decode::Array& array) {
  std::vector<Stored> elements(array.bytes.size() / sizeof(Stored));
  if (!elements.empty()) std::memcpy(elements.data(), array.bytes.data(), array.bytes.size());
  return elements;
}

template <typename Stored>
std::vector<double> AsDoubles(const decode::Array& array) {
  std::vector<double> values;
  for (const Stored element : Elements<Stored>(array)) values.push_back(static_cast<double>(element));
  return values;
}

inline std::vector<double> Values(const decode::Array& array) {
  using decode::ElementType;
  switch (array.type) {
    case ElementType::Bool:
    case ElementType::UInt8:
      return AsDoubles<std::uint8_t>(array);
    case ElementType::Int8:
      return AsDoubles<std::int8_t>(array);
    case ElementType::UInt16:
      return AsDoubles<std::uint16_t>(array);
    case ElementType::Int16:
      return AsDoubles<std::int16_t>(array);
    case ElementType::UInt32:
      return AsDoubles<std::uint32_t>(array);
    case ElementType::Int32:
      return AsDoubles<std::int32_t>(array);
    case ElementType::Int64:
      return AsDoubles<std::int64_t>(array);
    case ElementType::Float32:
      return AsDoubles<float>(array);
    case ElementType::Float64:
      return AsDoubles<double>(array);
    case ElementType::BFloat16: {
      std::vector<double> values;
      for (const std::uint16_t bits : Elements<std::uint16_t>(array))
        values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
      return values;
    }
    case ElementType::Float16: {
      std::vector<double> values;
      for (const std::uint16_t bits : Elements<std::uint16_t>(array)) values.push_back(HalfValue(bits));
      return values;
    }
  }
  return {};
}

/// Expects type, shape and values that Python wrote down for the file.
inline void ExpectArray(const decode::Array& array, const nlohmann::json& expected) {
  EXPECT_EQ(decode::ElementName(array.type), expected.at("dtype").get<std::string>());
  EXPECT_EQ(array.shape, expected.at("shape").get<std::vector<std::int64_t>>());
  std::vector<double> values;
  for (const auto& value : expected.at("values")) {
    values.push_back(value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.get<double>());
  }
  EXPECT_EQ(Values(array), values);
}

}  // namespace bitplan::test
