#pragma once

#include <boost/any.hpp>
#include <boost/program_options.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/names.h"
#include "checked_text.h"
#include "file_option.h"
#include "number_option.h"

namespace bitplan::cli {

/// A state of an option that another one asks for: given, where it has no default, else other than that; or with one of
/// some values ("images:" is all that begin so), or any value but these. Options that a command does not have are
/// passed over.
struct OptionState {
  std::string option;
  std::vector<std::string> values = {};
  bool but_these = false;
};

/// What an option is of: options in a state, one of which it needs to have any effect. Given without, it is refused.
using OfWhat = std::vector<OptionState>;

/// One option of a command. What --help says of it is made from these alone, so that it cannot say anything else than
/// what is taken.
struct OptionRow {
  std::string name;
  const po::value_semantic* value;  ///< with its name, default and allowed values; owned by the command line it gets to
  std::string help;  ///< what it is; allowed names and numbers, that it may be given again, and `of` are added
  OfWhat of = {};    ///< empty: it has an effect by itself
};

// Values of options, owned by the rows that they are made for; see also Number (number_option.h) and the forms of texts
// (checked_text.h).

const po::value_semantic* Flag();

/// Any text; `name` stands for it in the help.
const po::value_semantic* Text(const std::string& name);

/// With a default that the help shows otherwise than it is.
const po::value_semantic* TextOrShown(const std::string& by_default, const std::string& shown, const std::string& name);

/// Texts, since the option may be given several times.
const po::value_semantic* Texts(const std::string& name);

/// One of these names; others are refused when the command line is read, with a list of them.
const po::value_semantic* OneOf(const std::vector<std::string_view>& names, const std::string& name);
const po::value_semantic* OneOf(const std::vector<std::string_view>& names, std::string_view by_default,
                                const std::string& name);

/// A value of an enum, by its name; read with CommandLine::GetEnum.
template <typename Enum>
const po::value_semantic* EnumOf(const std::string& name) {
  return OneOf(AllNames<Enum>(), name);
}
template <typename Enum>
const po::value_semantic* EnumOr(Enum by_default, const std::string& name = "arg") {
  return OneOf(AllNames<Enum>(), ToString(by_default), name);
}

/// "--explain", "--rescaling smoothquant or --plan".
std::string Describe(const OfWhat& of);

/// All that the help says of an option beside its name, its value's name and its default.
std::string HelpOf(const OptionRow& row);

}  // namespace bitplan::cli
