#include "group_bits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bitplan/error.h"
#include "text/enum_names.h"

namespace bitplan::cost {

std::string NameOf(const GroupBits& bits) {
  const bool equal =
      std::all_of(bits.weights.begin(), bits.weights.end(), [&](int width) { return width == bits.weights[0]; });
  return equal ? fmt::format("w{}a{}", bits.weights[0], bits.activation)
               : fmt::format("w{}a{}", fmt::join(bits.weights, "-"), bits.activation);
}

bool Keeps(WidthRule rule, const GroupBits& bits) {
  return std::all_of(bits.weights.begin(), bits.weights.end(), [&](int width) {
    return rule == WidthRule::Free || (rule == WidthRule::Equal ? bits.activation == width : bits.activation >= width);
  });
}

}  // namespace bitplan::cost

namespace bitplan {

namespace {

constexpr text::Names<WidthRule, 3> kWidthRules = {
    {{WidthRule::Free, "free"}, {WidthRule::Equal, "equal"}, {WidthRule::Ordered, "ordered"}}};

}  // namespace

BITPLAN_ENUM_NAMES(WidthRule, kWidthRules, "width rule")
WidthRule ParseWidthRule(std::string_view text) { return Parse<WidthRule>(text); }

std::vector<LayerBits> BitsOfChoice(const Group& group, const Choice& choice) {
  const auto reject = [&] {
    return Error(fmt::format("group '{}': choice '{}' is not of the form w4a8 or w4-3a8, widths 1 to 8, 16 and 32",
                             group.name, choice.name));
  };
  const auto a = choice.name.find('a');
  if (choice.name.empty() || choice.name[0] != 'w' || a == std::string::npos) throw reject();
  const auto number = [&](const std::string& text) {
    if (text.empty() || text.size() > 2 || text.find_first_not_of("0123456789") != std::string::npos) throw reject();
    if (!IsWidth(std::stoi(text))) throw reject();
    return std::stoi(text);
  };
  std::vector<int> weights;
  for (std::size_t from = 1; from <= a;) {
    const std::size_t to = std::min(choice.name.find('-', from), a);
    weights.push_back(number(choice.name.substr(from, to - from)));
    from = to + 1;
  }
  const int activation = number(choice.name.substr(a + 1));
  if (weights.size() != 1 && weights.size() != group.members.size()) throw reject();
  std::vector<LayerBits> bits;
  for (std::size_t i = 0; i < group.members.size(); ++i)
    bits.push_back({group.members[i], weights[weights.size() == 1 ? 0 : i], activation});
  return bits;
}

}  // namespace bitplan
