#include "option_row.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <typeinfo>

namespace bitplan::cli {

namespace {

bool TakesSeveral(const po::value_semantic& value) {
  const auto* const typed = dynamic_cast<const po::typed_value_base*>(&value);
  return typed && (typed->value_type() == typeid(std::vector<std::string>) ||
                   typed->value_type() == typeid(std::vector<std::int64_t>));
}

}  // namespace

const po::value_semantic* Flag() { return po::bool_switch(); }

const po::value_semantic* Text(const std::string& name) { return po::value<std::string>()->value_name(name); }

const po::value_semantic* TextOrShown(const std::string& by_default, const std::string& shown,
                                      const std::string& name) {
  return po::value<std::string>()->default_value(by_default, shown)->value_name(name);
}

const po::value_semantic* Texts(const std::string& name) {
  return po::value<std::vector<std::string>>()->value_name(name);
}

const po::value_semantic* OneOf(const std::vector<std::string_view>& names, const std::string& name) {
  return OneName({names.begin(), names.end()})->value_name(name);
}

const po::value_semantic* OneOf(const std::vector<std::string_view>& names, std::string_view by_default,
                                const std::string& name) {
  return OneName({names.begin(), names.end()})->default_value(std::string(by_default))->value_name(name);
}

std::string Describe(const OfWhat& of) {
  std::vector<std::string> states;
  for (const auto& [option, values, but_these] : of) {
    const bool positional = option.find('.') != std::string::npos;
    const std::string name = positional ? option : "--" + option;
    states.push_back(values.empty()
                         ? name
                         : fmt::format("{} {}{}", name, but_these ? "other than " : "", fmt::join(values, " or ")));
  }
  return fmt::format("{}", fmt::join(states, " or "));
}

std::string HelpOf(const OptionRow& row) {
  std::string help = row.help;
  if (const auto* const checked = dynamic_cast<const CheckedOption*>(row.value)) {
    const auto* const text = dynamic_cast<const CheckedText*>(row.value);
    help += fmt::format("{}{}", help.empty() ? "" : text && text->IsOfNames() ? ": " : "; ", checked->Expected());
  }
  if (!row.of.empty()) help += fmt::format("{}of {}", help.empty() ? "" : "; ", Describe(row.of));
  if (TakesSeveral(*row.value)) help += "; may be given several times";
  return help;
}

}  // namespace bitplan::cli
