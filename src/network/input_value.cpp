#include "input_value.h"

#include <ATen/core/jit_type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

constexpr const char* kNone = "none";

/// Of an Optional, the type within.
c10::TypePtr Inner(const c10::Argument& argument) {
  const auto optional = argument.type()->cast<c10::OptionalType>();
  return optional ? optional->getElementType() : argument.type();
}

bool IsOptional(const c10::Argument& argument) { return argument.type()->kind() == c10::TypeKind::OptionalType; }

template <typename Number>
std::optional<c10::IValue> ParseNumber(const std::string& text) {
  Number number{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size() || !std::isfinite(static_cast<double>(number)))
    return std::nullopt;
  return c10::IValue(number);
}

std::optional<c10::IValue> Parse(c10::TypeKind kind, const std::string& text) {
  switch (kind) {
    case c10::TypeKind::IntType:
      return ParseNumber<std::int64_t>(text);
    case c10::TypeKind::FloatType:
      return ParseNumber<double>(text);
    case c10::TypeKind::NumberType: {
      const auto whole = ParseNumber<std::int64_t>(text);
      return whole ? whole : ParseNumber<double>(text);
    }
    case c10::TypeKind::BoolType:
      if (text == "true" || text == "false") return c10::IValue(text == "true");
      return std::nullopt;
    case c10::TypeKind::StringType:
      return c10::IValue(text);
    default:
      return std::nullopt;
  }
}

/// Whether a text can say the argument's value.
bool TakesText(const c10::Argument& argument) {
  switch (Inner(argument)->kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::FloatType:
    case c10::TypeKind::NumberType:
    case c10::TypeKind::BoolType:
    case c10::TypeKind::StringType:
      return true;
    default:
      return false;
  }
}

/// A text that ParseInputValue takes for the argument.
std::string ExampleValue(const c10::Argument& argument) {
  switch (Inner(argument)->kind()) {
    case c10::TypeKind::IntType:
      return "16000";
    case c10::TypeKind::BoolType:
      return "true";
    case c10::TypeKind::StringType:
      return "text";
    default:
      return "0.5";
  }
}

}  // namespace

void CheckInputNames(const c10::FunctionSchema& schema, const std::map<std::string, std::string>& values) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < schema.arguments().size(); ++i)
    if (TakesText(schema.arguments()[i]))
      names.push_back(fmt::format("{} ({})", schema.arguments()[i].name(), schema.arguments()[i].type()->str()));
  for (const auto& [name, text] : values) {
    const auto index = schema.argumentIndexWithName(name);
    if (index && *index > 0 && TakesText(schema.arguments()[static_cast<std::size_t>(*index)])) continue;
    throw Error(fmt::format("input value '{}={}': {}; {}", name, text,
                            index && *index > 0 ? "no text can say that input's value" : "the model has no such input",
                            names.empty() ? "it has none that takes a value"
                                          : fmt::format("those that take a value: {}", fmt::join(names, ", "))));
  }
}

c10::IValue ParseInputValue(const c10::Argument& argument, const std::string& text) {
  if (IsOptional(argument) && text == kNone) return {};
  if (const auto value = Parse(Inner(argument)->kind(), text)) return *value;
  throw Error(fmt::format("input value '{}={}': that input is of type {}; expected a value as in {}={}",
                          argument.name(), text, argument.type()->str(), argument.name(), ExampleValue(argument)));
}

std::string InputValueText(const c10::IValue& value) {
  if (value.isNone()) return kNone;
  if (value.isBool()) return value.toBool() ? "true" : "false";
  if (value.isInt()) return fmt::format("{}", value.toInt());
  if (value.isDouble()) return fmt::format("{}", value.toDouble());
  return value.toStringRef();
}

void RejectMissingValue(const c10::Argument& argument) {
  const std::string type = argument.type()->str();
  if (!TakesText(argument))
    throw Error(
        fmt::format("the model's input '{}' is of type {} and has no default; only tensors, numbers and texts can "
                    "be given",
                    argument.name(), type));
  throw Error(
      fmt::format("the model's input '{}' is of type {} and has no default; give its value: --input-value {}={}",
                  argument.name(), type, argument.name(), ExampleValue(argument)));
}

}  // namespace bitplan::network
