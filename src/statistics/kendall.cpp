#include <algorithm>
#include <cmath>
#include <utility>

#include "bitplan/statistics.h"
#include "check.h"

namespace bitplan {

namespace {

using Pairs = std::vector<std::pair<double, double>>;

std::int64_t PairCount(std::int64_t n) { return n * (n - 1) / 2; }

/// Pairs of equal elements among elements that are sorted.
template <typename Elements, typename Equal>
std::int64_t TiedPairs(const Elements& elements, const Equal& equal) {
  std::int64_t tied = 0;
  for (auto first = elements.begin(); first != elements.end();) {
    const auto last = std::find_if_not(first, elements.end(), [&](const auto& each) { return equal(*first, each); });
    tied += PairCount(last - first);
    first = last;
  }
  return tied;
}

/// Sorts and counts the pairs that were in descending order, by merging.
std::int64_t SortCountingInversions(std::vector<double>& values) {
  std::int64_t inversions = 0;
  std::vector<double> merged(values.size());
  for (std::size_t width = 1; width < values.size(); width *= 2) {
    for (std::size_t begin = 0; begin < values.size(); begin += 2 * width) {
      const std::size_t middle = std::min(begin + width, values.size()), end = std::min(middle + width, values.size());
      for (std::size_t left = begin, right = middle, to = begin; to < end; ++to) {
        const bool take_right = left == middle || (right < end && values[right] < values[left]);
        if (take_right) inversions += static_cast<std::int64_t>(middle - left);
        merged[to] = values[take_right ? right++ : left++];
      }
    }
    values.swap(merged);
  }
  return inversions;
}

}  // namespace

double KendallTau(const std::vector<double>& x, const std::vector<double>& y) {
  statistics::CheckPairs("Kendall correlation", x, y);
  Pairs pairs;
  for (std::size_t i = 0; i < x.size(); ++i) pairs.emplace_back(x[i], y[i]);
  std::sort(pairs.begin(), pairs.end());
  std::vector<double> by_x;
  for (const auto& [ignored, second] : pairs) by_x.push_back(second);
  const std::int64_t discordant = SortCountingInversions(by_x);

  const std::int64_t all = PairCount(static_cast<std::int64_t>(x.size()));
  const std::int64_t tied_x = TiedPairs(pairs, [](const auto& a, const auto& b) { return a.first == b.first; });
  const std::int64_t tied_y = TiedPairs(by_x, [](double a, double b) { return a == b; });
  const std::int64_t tied_both = TiedPairs(pairs, [](const auto& a, const auto& b) { return a == b; });
  if (tied_x == all || tied_y == all) return 0;
  const std::int64_t concordant = all - tied_x - tied_y + tied_both - discordant;
  const double tau = static_cast<double>(concordant - discordant) / std::sqrt(static_cast<double>(all - tied_x)) /
                     std::sqrt(static_cast<double>(all - tied_y));
  return std::clamp(tau, -1.0, 1.0);
}

}  // namespace bitplan
