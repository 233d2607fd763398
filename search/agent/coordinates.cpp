#include "coordinates.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "bitplan/cost.h"
#include "bitplan/error.h"

namespace bitplan::agent {
namespace {

/// Each choice's widths: its members' weights', then the input's; nothing where names are not of widths or do not tell
/// choices apart.
std::optional<std::vector<std::vector<int>>> WidthsOf(const Group& group) {
  if (group.members.empty()) return std::nullopt;
  std::vector<std::vector<int>> widths;
  try {
    for (const Choice& choice : group.choices) {
      std::vector<int>& row = widths.emplace_back();
      const std::vector<LayerBits> bits = BitsOfChoice(group, choice);
      for (const LayerBits& member : bits) row.push_back(member.weight_bits);
      row.push_back(bits.front().activation_bits);
    }
  } catch (const Error&) {
    return std::nullopt;
  }
  if (std::set(widths.begin(), widths.end()).size() < widths.size()) return std::nullopt;
  return widths;
}

std::vector<std::vector<int>> PlacesIn(const std::vector<double>& spent) {
  std::vector<std::size_t> order(spent.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return spent[a] < spent[b]; });
  std::vector<std::vector<int>> places(spent.size());
  for (std::size_t i = 0; i < order.size(); ++i) places[order[i]] = {static_cast<int>(i)};
  return places;
}

}  // namespace

Coordinates CoordinatesOf(const Group& group, const std::vector<double>& spent) {
  const std::optional<std::vector<std::vector<int>>> widths = WidthsOf(group);
  const std::vector<std::vector<int>> numbers = widths ? *widths : PlacesIn(spent);
  Coordinates result;
  result.values.resize(numbers.size());
  for (std::size_t k = 0; k < numbers.front().size(); ++k) {
    std::set<int> distinct;
    for (const std::vector<int>& row : numbers) distinct.insert(row[k]);
    if (distinct.size() == 1) continue;
    result.coordinates.push_back({distinct.size(), widths && k + 1 == numbers.front().size()});
    for (std::size_t c = 0; c < numbers.size(); ++c)
      result.values[c].push_back(
          static_cast<std::size_t>(std::distance(distinct.begin(), distinct.find(numbers[c][k]))));
  }
  return result;
}

}  // namespace bitplan::agent
