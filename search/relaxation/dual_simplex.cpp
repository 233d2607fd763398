#include "relaxation/dual_simplex.h"

#include <algorithm>
#include <cmath>

#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::simplex;

}  // namespace

void DualSimplex::ComputeShares() {
  std::vector<double>& left = direction_;  // scratch: overwritten before it is read as a direction
  left = part_.rest;
  for (std::size_t i = 0; i < m_; ++i)
    for (const Index key : key_) left[i] -= Cost(i, key);
  std::fill(key_share_.begin(), key_share_.end(), 1.0);
  for (std::size_t p = 0; p < m_; ++p) {
    double share = 0;
    for (std::size_t i = 0; i < m_; ++i) share += inverse_[p * m_ + i] * left[i];
    shares_[p] = share;
    if (entries_[p].kind == Kind::Column) key_share_[entries_[p].group] -= share;
  }
}

double DualSimplex::Bound() const {
  double bound = part_.settled_loss;
  for (const Index key : key_) bound += part_.loss[key];
  for (std::size_t i = 0; i < m_; ++i) {
    double use = -part_.rest[i];
    for (const Index key : key_) use += Cost(i, key);
    bound += multipliers_[i] * use;
  }
  return bound;
}

/// The basic column furthest outside its range, measured along the edge that leaves it. A key that must leave first
/// swaps its part with the largest basic column of its group. Returns whether there is any.
bool DualSimplex::ChooseLeaving(Leaving& leaving) {
  double worst = 0;
  Index worst_key = kNone;
  std::vector<double> row(m_);
  const auto consider = [&](double violation, const double* edge) {
    if (violation <= kShare) return false;
    double norm = 0;
    for (std::size_t i = 0; i < m_; ++i) norm += edge[i] * edge[i];
    const double score = violation * violation / norm;
    if (score <= worst) return false;
    worst = score;
    return true;
  };
  for (std::size_t p = 0; p < m_; ++p) {
    const bool ghost = entries_[p].kind == Kind::Ghost;
    if (consider(ghost ? std::abs(shares_[p]) : -shares_[p], &inverse_[p * m_])) {
      leaving = {p, shares_[p] < 0, std::abs(shares_[p])};
      worst_key = kNone;
    }
    if (entries_[p].kind != Kind::Column || key_share_[entries_[p].group] >= 0) continue;
    const Index group = entries_[p].group;
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t q = 0; q < m_; ++q)
      if (entries_[q].kind == Kind::Column && entries_[q].group == group)
        for (std::size_t i = 0; i < m_; ++i) row[i] -= inverse_[q * m_ + i];
    if (consider(-key_share_[group], row.data())) worst_key = group;
  }
  if (worst == 0) return false;
  if (worst_key != kNone) {
    const Index old_key = key_[worst_key];
    SwapKey(worst_key);
    for (std::size_t p = 0; p < m_; ++p)
      if (entries_[p].kind == Kind::Column && entries_[p].at == old_key) leaving = {p, true, -key_share_[worst_key]};
  }
  return true;
}

void DualSimplex::SwapKey(Index group) {
  std::size_t largest = m_;
  for (std::size_t p = 0; p < m_; ++p)
    if (entries_[p].kind == Kind::Column && entries_[p].group == group &&
        (largest == m_ || shares_[p] > shares_[largest]))
      largest = p;
  const Index old_key = key_[group];
  key_[group] = entries_[largest].at;
  basic_[key_[group]] = 0;
  PlaceColumn(largest, group, old_key);
  for (std::size_t p = 0; p < m_; ++p)
    if (p != largest && entries_[p].kind == Kind::Column && entries_[p].group == group)
      PlaceColumn(p, group, entries_[p].at);
  Factorize();
}

void DualSimplex::Exchange(const Leaving& leaving, const Entering& entering) {
  const Entry& old = entries_[leaving.position];
  if (old.kind == Kind::Column) basic_[old.at] = 0;
  if (old.kind == Kind::Extra) extra_basic_[old.at] = 0;
  if (entering.kind == Kind::Extra) {
    PlaceExtra(leaving.position, entering.at);
    return;
  }
  const auto after = std::upper_bound(part_.first.begin(), part_.first.end(), entering.at);
  PlaceColumn(leaving.position, static_cast<Index>(after - part_.first.begin() - 1), entering.at);
}

/// Farkas: with weights d ≥ 0 on the budgets, even the cheapest columns exceed what is left.
bool DualSimplex::DirectionProvesInfeasible() const {
  if (core_.goal == Goal::PeakUse) return false;
  double least = 0, allowed = 0, magnitude = 0;
  for (std::size_t i = 0; i < m_; ++i) {
    allowed += std::max(direction_[i], 0.0) * part_.rest[i];
    magnitude += std::max(direction_[i], 0.0) * core_.limits[i];
  }
  for (Index g = 0; g < part_.groups(); ++g) {
    double cheapest = kInfinity;
    for (Index c = part_.first[g]; c < part_.first[g + 1]; ++c) {
      double cost = 0;
      for (std::size_t i = 0; i < m_; ++i) cost += std::max(direction_[i], 0.0) * Cost(i, c);
      cheapest = std::min(cheapest, cost);
    }
    least += cheapest;
  }
  return least - allowed > tuning::kRounding * magnitude;
}

bool DualSimplex::Solve(double cutoff, Monitor& monitor) {
  const std::size_t most_pivots = 200 + 20 * (part_.groups() + m_);
  for (std::size_t pivot = 0; pivot < most_pivots; ++pivot) {
    if (Bound() > cutoff) return false;
    ComputeShares();
    Leaving leaving;
    if (!ChooseLeaving(leaving)) return false;
    ComputeSlopes(leaving);
    Entering entering;
    if (!ChooseEntering(leaving, entering)) return DirectionProvesInfeasible();
    if (monitor.Expired()) return false;
    Exchange(leaving, entering);
    if (!Factorize()) {
      StartFromSlacks();
      return false;
    }
    ComputeMultipliers();
    ComputeReduced();
  }
  return false;
}

double DualSimplex::ExtraReduced(Index extra) const {
  if (extra < m_) return multipliers_[extra];
  double reduced = 1;
  for (std::size_t i = 0; i < m_; ++i) reduced -= multipliers_[i] * core_.limits[i];
  return reduced;
}

double DualSimplex::ExtraSlope(Index extra) const {
  if (extra < m_) return -direction_[extra];
  double slope = 0;
  for (std::size_t i = 0; i < m_; ++i) slope += direction_[i] * core_.limits[i];
  return slope;
}

}  // namespace bitplan::search
