#include "option_row.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <typeinfo>

#include "bitplan/error.h"

namespace bitplan::cli {

namespace {

/// The value of an option that takes one of some names.
class NameOption : public po::typed_value<std::string>, public CheckedOption {
 public:
  explicit NameOption(const std::vector<std::string_view>& names)
      : po::typed_value<std::string>(nullptr),
        names_(names.begin(), names.end()),
        expected_(fmt::format("{} or {}", fmt::join(names_.begin(), names_.end() - 1, ", "), names_.back())) {}

  void Check(const std::string& option, const boost::any& value) const override {
    const auto given = boost::any_cast<std::string>(value);
    if (std::find(names_.begin(), names_.end(), given) == names_.end())
      throw Error(fmt::format("--{} {}: expected {}", option, given.empty() ? "''" : given, expected_));
  }
  const std::string& Expected() const override { return expected_; }

 private:
  std::vector<std::string> names_;
  std::string expected_;
};

bool TakesSeveral(const po::value_semantic& value) {
  const auto* const typed = dynamic_cast<const po::typed_value_base*>(&value);
  return typed && (typed->value_type() == typeid(std::vector<std::string>) ||
                   typed->value_type() == typeid(std::vector<std::int64_t>));
}

}  // namespace

const po::value_semantic* Flag() { return po::bool_switch(); }

const po::value_semantic* Text(const std::string& name) { return po::value<std::string>()->value_name(name); }

const po::value_semantic* TextOr(const std::string& by_default, const std::string& name) {
  return po::value<std::string>()->default_value(by_default)->value_name(name);
}

const po::value_semantic* TextOrShown(const std::string& by_default, const std::string& shown,
                                      const std::string& name) {
  return po::value<std::string>()->default_value(by_default, shown)->value_name(name);
}

const po::value_semantic* Texts(const std::string& name) {
  return po::value<std::vector<std::string>>()->value_name(name);
}

const po::value_semantic* OneOf(const std::vector<std::string_view>& names, const std::string& name) {
  return (new NameOption(names))->value_name(name);  // NOLINT: as po::value does
}

const po::value_semantic* OneOf(const std::vector<std::string_view>& names, std::string_view by_default,
                                const std::string& name) {
  return (new NameOption(names))->default_value(std::string(by_default))->value_name(name);  // NOLINT: likewise
}

std::string HelpOf(const OptionRow& row) {
  std::string help = row.help;
  if (const auto* const named = dynamic_cast<const NameOption*>(row.value))
    help += fmt::format("{}{}", help.empty() ? "" : ": ", named->Expected());
  if (TakesSeveral(*row.value)) help += "; may be given several times";
  return help;
}

}  // namespace bitplan::cli
