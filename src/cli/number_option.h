#pragma once

#include <fmt/format.h>

#include <boost/any.hpp>
#include <boost/program_options.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace bitplan::cli {

/// Which numbers an option takes, and how that is said: "a whole number from 1 on".
struct Allowed {
  std::function<bool(double)> holds;
  std::string expected;
};

Allowed WholeFrom(std::int64_t least);
Allowed WholeWithin(std::int64_t least, std::int64_t most);
Allowed NumberFrom(double least);   ///< finite ones
Allowed NumberAbove(double bound);  ///< finite ones
Allowed NumberWithin(double least, double most);
Allowed NumberFromBelow(double least, double bound);  ///< [least, bound)
Allowed NumberAboveUpTo(double bound, double most);   ///< (bound, most]
Allowed Width();                                      ///< of a format, in bits
Allowed StageWidth();                                 ///< of training in stages, in bits
Allowed NotNegative();                                ///< of a type that has no others
/// Of percent; `none` and `all`: whether 0 and 100 are among them; `why` no others are.
Allowed Percent(bool none, bool all, const std::string& why = {});

/// Throws Error that names the option, what was given, and what is expected.
void Require(const Allowed& allowed, const std::string& option, double number, const std::string& given);

/// An option whose value is checked when the command line is read, before any work.
class CheckedOption {
 public:
  virtual ~CheckedOption() = default;
  /// Throws Error as Require does.
  virtual void Check(const std::string& option, const boost::any& value) const = 0;
  virtual const std::string& Expected() const = 0;
};

/// The value of an option that takes a number.
template <typename T>
class NumberOption : public boost::program_options::typed_value<T>, public CheckedOption {
 public:
  explicit NumberOption(Allowed allowed)
      : boost::program_options::typed_value<T>(nullptr), allowed_(std::move(allowed)) {
    if (std::is_integral_v<T>) this->value_name("N");
  }
  NumberOption(Allowed allowed, T by_default) : NumberOption(std::move(allowed)) {
    this->default_value(by_default, fmt::format("{}", by_default));
  }

  void Check(const std::string& option, const boost::any& value) const override {
    const T number = boost::any_cast<T>(value);
    Require(allowed_, option, static_cast<double>(number), fmt::format("{}", number));
  }
  const std::string& Expected() const override { return allowed_.expected; }

 private:
  Allowed allowed_;
};

/// Owned by the command line that it is added to, as all values of options are.
template <typename T, typename... Default>
boost::program_options::typed_value<T>* Number(Allowed allowed, Default... by_default) {
  return new NumberOption<T>(std::move(allowed), static_cast<T>(by_default)...);  // NOLINT: as po::value does
}

}  // namespace bitplan::cli
