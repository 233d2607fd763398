#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/names.h"
#include "number_option.h"

namespace bitplan::cli {

/// The value of an option that takes a text of some form.
class CheckedText : public boost::program_options::typed_value<std::string>, public CheckedOption {
 public:
  /// Throws Error that names the option, what was given, and what is expected.
  using CheckFunction = std::function<void(const std::string& option, const std::string& given)>;

  /// `of_names`: what is expected is a list of names, and not a range of values.
  CheckedText(std::string expected, CheckFunction check, bool of_names = false)
      : boost::program_options::typed_value<std::string>(nullptr),
        expected_(std::move(expected)),
        check_(std::move(check)),
        of_names_(of_names) {}

  void Check(const std::string& option, const boost::any& value) const override {
    check_(option, boost::any_cast<std::string>(value));
  }
  const std::string& Expected() const override { return expected_; }
  bool IsOfNames() const { return of_names_; }

 private:
  std::string expected_;
  CheckFunction check_;
  bool of_names_;
};

// Values of options, owned by the command line that they are added to. Defaults are added as to po::value; how the
// texts are read stands in values.h.

CheckedText* OneName(const std::vector<std::string>& names);

/// One of these names, or a file that exists; for ReadFileOr (file_option.h).
CheckedText NameOrFile(const std::vector<std::string>& names);

/// all, or some of these names with commas between them.
CheckedText* SomeNames(const std::vector<std::string_view>& names);

/// Where LibTorch can compute.
CheckedText* DeviceName();

/// 2,3,4: each of them allowed.
CheckedText* Integers(Allowed each);
CheckedText* Decimals(Allowed each);  ///< without `holds` any

/// 5%, as a number of percent that is allowed; or several with commas between them.
CheckedText* OnePercentage(Allowed allowed);
CheckedText* Percentages(Allowed each);

/// 1500000, 512MiB.
CheckedText* Bytes();

}  // namespace bitplan::cli
