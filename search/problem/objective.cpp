#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "bitplan/search.h"

namespace bitplan {

namespace {

/// log Σ exp.
double LogSum(const std::vector<double>& z) {
  const double largest = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (const double value : z) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

double Divergence(const std::vector<double>& z, const std::vector<double>& shift, double temperature) {
  std::vector<double> from(z.size()), to(z.size());
  for (std::size_t c = 0; c < z.size(); ++c) {
    from[c] = z[c] / temperature;
    to[c] = (z[c] + shift[c]) / temperature;
  }
  const double log_from = LogSum(from), log_to = LogSum(to);
  double sum = 0;
  for (std::size_t c = 0; c < z.size(); ++c)
    sum += std::exp(from[c] - log_from) * ((from[c] - log_from) - (to[c] - log_to));
  return temperature * temperature * sum;
}

double SquaredShift(const std::vector<double>& shift) {
  double sum = 0, squares = 0;
  for (const double value : shift) sum += value;
  const double mean = sum / static_cast<double>(shift.size());
  for (const double value : shift) squares += (value - mean) * (value - mean);
  return squares / 2;
}

/// `taken`: the plan's choices, numbered in file order.
double Charge(const LogitTerm& term, const std::vector<std::size_t>& taken) {
  double sum = 0;
  std::vector<double> z(term.classes), shift(term.classes);
  for (std::size_t n = 0; n < term.samples; ++n) {
    std::fill(shift.begin(), shift.end(), 0.0);
    for (const std::size_t choice : taken)
      for (std::size_t c = 0; c < term.classes; ++c)
        shift[c] += term.shifts[(choice * term.samples + n) * term.classes + c];
    if (term.loss == LogitLoss::SquaredShift) {
      sum += SquaredShift(shift);
      continue;
    }
    for (std::size_t c = 0; c < term.classes; ++c) z[c] = term.logits[n * term.classes + c];
    sum += Divergence(z, shift, term.temperature);
  }
  return term.scale * sum / static_cast<double>(term.samples);
}

double Charge(const QuadraticTerm& term, const std::vector<std::size_t>& taken) {
  const auto choices = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(term.matrix.size()))));
  double sum = 0;
  for (const std::size_t i : taken)
    for (const std::size_t j : taken) sum += term.matrix[i * choices + j];
  return sum / 2;
}

}  // namespace

double ObjectiveOf(const Problem& problem, const std::vector<std::size_t>& choices) {
  if (choices.size() != problem.groups.size())
    throw Error(fmt::format("a plan of {} choices for a problem of {} groups", choices.size(), problem.groups.size()));
  double sum = 0;
  std::vector<std::size_t> taken;
  std::size_t first = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) {
    const Group& group = problem.groups[g];
    if (choices[g] >= group.choices.size())
      throw Error(fmt::format("group '{}' has {} choices, there is no number {}", group.name, group.choices.size(),
                              choices[g]));
    sum += group.choices[choices[g]].objective;
    for (const auto& [cost, price] : problem.prices) sum += price * group.choices[choices[g]].costs.at(cost);
    taken.push_back(first + choices[g]);
    first += group.choices.size();
  }
  return problem.joint ? sum + std::visit([&](const auto& term) { return Charge(term, taken); }, *problem.joint) : sum;
}

}  // namespace bitplan
