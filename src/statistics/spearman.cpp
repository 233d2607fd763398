#include <algorithm>
#include <cmath>
#include <numeric>

#include "bitplan/statistics.h"
#include "check.h"

namespace bitplan {

namespace {

/// Ranks 1 … n; equal values share the average of theirs.
std::vector<double> AverageRanks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    const double shared = static_cast<double>(first + 1 + last) / 2;
    for (std::size_t i = first; i < last; ++i) ranks[order[i]] = shared;
  }
  return ranks;
}

/// Σ(aᵢ − ā)(bᵢ − b̄) of two lists of ranks, whose mean is (n + 1)/2 with ties or without.
double Covariation(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean = static_cast<double>(a.size() + 1) / 2;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean) * (b[i] - mean);
  return sum;
}

}  // namespace

double Spearman(const std::vector<double>& x, const std::vector<double>& y) {
  statistics::CheckPairs("Spearman correlation", x, y);
  const std::vector<double> a = AverageRanks(x), b = AverageRanks(y);
  const double spread = std::sqrt(Covariation(a, a)) * std::sqrt(Covariation(b, b));
  return spread == 0 ? 0 : std::clamp(Covariation(a, b) / spread, -1.0, 1.0);
}

}  // namespace bitplan
