#include "search/dual_simplex.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace bitplan::search {
namespace {

constexpr double kShareTolerance = 1e-10;
constexpr double kPivotTolerance = 1e-10;
constexpr double kReducedTolerance = 1e-14;
constexpr Index kNone = ~Index{0};

}  // namespace

DualSimplex::DualSimplex(const Core& core, const Subproblem& part, const Basis& basis)
    : core_(core),
      part_(part),
      m_(core.budgets()),
      entries_(m_),
      basis_(m_ * m_),
      inverse_(m_ * m_),
      key_(part.groups()),
      basic_(part.columns()),
      extra_basic_(m_ + 1),
      multipliers_(m_),
      shares_(m_),
      key_share_(part.groups(), 1.0),
      reduced_(part.columns()),
      direction_(m_),
      slope_(part.columns()) {
  if (!StartFrom(basis)) StartFromSlacks();
}

void DualSimplex::StartFromSlacks() {
  std::fill(key_.begin(), key_.end(), kNone);
  std::fill(basic_.begin(), basic_.end(), 0);
  std::fill(extra_basic_.begin(), extra_basic_.end(), 0);
  for (std::size_t i = 0; i < m_; ++i) PlaceExtra(i, static_cast<Index>(i));
  Factorize();
  ComputeMultipliers();
  ChooseKeys();
  ComputeReduced();
}

bool DualSimplex::StartFrom(const Basis& basis) {
  if (basis.size() != m_) return false;
  std::fill(key_.begin(), key_.end(), kNone);
  std::map<Index, std::vector<std::size_t>> by_group;
  for (std::size_t p = 0; p < m_; ++p) {
    if (basis[p].extra)
      PlaceExtra(p, basis[p].at);
    else
      by_group[core_.group[basis[p].at]].push_back(p);
  }
  for (const auto& [group, positions] : by_group) PlaceGroup(basis, positions);
  if (!Factorize()) return false;
  ComputeMultipliers();
  ChooseKeys();
  ComputeReduced();
  // A basis of a larger subproblem is dual feasible here; one that is not, by rounding, would lead nowhere.
  const auto feasible = [](double value) { return value >= -1e-9; };
  return std::all_of(multipliers_.begin(), multipliers_.end(), feasible) &&
         std::all_of(reduced_.begin(), reduced_.end(), feasible);
}

/// Places the columns of one group. Where its key is gone, a column that is still there takes over as key, and the old key
/// becomes a ghost beside it; columns that are gone are ghosts beside the key that they had.
void DualSimplex::PlaceGroup(const Basis& basis, const std::vector<std::size_t>& positions) {
  const Index core_group = core_.group[basis[positions[0]].at];
  const auto group_at = std::lower_bound(part_.free_group.begin(), part_.free_group.end(), core_group);
  const bool free = group_at != part_.free_group.end() && *group_at == core_group;
  const auto group = static_cast<Index>(group_at - part_.free_group.begin());
  const auto find = [&](Index core_column) {
    if (!free) return kNone;
    const auto begin = part_.column.begin() + part_.first[group], end = part_.column.begin() + part_.first[group + 1];
    const auto at = std::lower_bound(begin, end, core_column);
    return at != end && *at == core_column ? static_cast<Index>(at - part_.column.begin()) : kNone;
  };
  for (const std::size_t p : positions) {
    const Index column = find(basis[p].at);
    if (column == kNone) {
      PlaceGhost(p, basis[p].at, basis[p].key);
      continue;
    }
    if (key_[group] == kNone) key_[group] = find(basis[p].key);
    if (key_[group] == kNone) {
      key_[group] = column;
      PlaceGhost(p, basis[p].key, basis[p].at);
    } else {
      PlaceColumn(p, group, column);
    }
  }
}

void DualSimplex::PlaceExtra(std::size_t position, Index extra) {
  entries_[position] = {.kind = Kind::Extra, .at = extra, .loss = extra == m_ ? 1.0 : 0.0};
  extra_basic_[extra] = 1;
  for (std::size_t i = 0; i < m_; ++i) basis_[i * m_ + position] = ExtraCost(extra, i);
}

void DualSimplex::PlaceColumn(std::size_t position, Index group, Index column) {
  const Index key = key_[group];
  entries_[position] = {
      .kind = Kind::Column, .at = column, .group = group, .loss = part_.loss[column] - part_.loss[key]};
  basic_[column] = 1;
  for (std::size_t i = 0; i < m_; ++i) basis_[i * m_ + position] = Cost(i, column) - Cost(i, key);
}

void DualSimplex::PlaceGhost(std::size_t position, Index column, Index key) {
  entries_[position] = {.kind = Kind::Ghost, .at = column, .key = key, .loss = core_.loss[column] - core_.loss[key]};
  for (std::size_t i = 0; i < m_; ++i) basis_[i * m_ + position] = core_.Cost(i, column) - core_.Cost(i, key);
}

/// W⁻¹ by Gauss–Jordan elimination with row pivoting. Returns whether W is regular.
bool DualSimplex::Factorize() {
  std::vector<double> left = basis_;
  std::fill(inverse_.begin(), inverse_.end(), 0.0);
  for (std::size_t i = 0; i < m_; ++i) inverse_[i * m_ + i] = 1;
  for (std::size_t column = 0; column < m_; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < m_; ++row)
      if (std::abs(left[row * m_ + column]) > std::abs(left[pivot * m_ + column])) pivot = row;
    const double value = left[pivot * m_ + column];
    if (!(std::abs(value) > 1e-14)) return false;
    for (std::size_t j = 0; j < m_; ++j) {
      std::swap(left[pivot * m_ + j], left[column * m_ + j]);
      std::swap(inverse_[pivot * m_ + j], inverse_[column * m_ + j]);
      left[column * m_ + j] /= value;
      inverse_[column * m_ + j] /= value;
    }
    for (std::size_t row = 0; row < m_; ++row) {
      const double factor = left[row * m_ + column];
      if (row == column || factor == 0) continue;
      for (std::size_t j = 0; j < m_; ++j) {
        left[row * m_ + j] -= factor * left[column * m_ + j];
        inverse_[row * m_ + j] -= factor * inverse_[column * m_ + j];
      }
    }
  }
  return true;
}

void DualSimplex::ComputeMultipliers() {
  for (std::size_t i = 0; i < m_; ++i) {
    double sum = 0;
    for (std::size_t p = 0; p < m_; ++p) sum -= entries_[p].loss * inverse_[p * m_ + i];
    multipliers_[i] = sum;
  }
}

/// Groups that have no key yet take the column that λ prefers.
void DualSimplex::ChooseKeys() {
  for (Index g = 0; g < part_.groups(); ++g) {
    if (key_[g] != kNone) continue;
    double best = kInfinity;
    for (Index c = part_.first[g]; c < part_.first[g + 1]; ++c) {
      double value = part_.loss[c];
      for (std::size_t i = 0; i < m_; ++i) value += multipliers_[i] * Cost(i, c);
      if (value < best) {
        best = value;
        key_[g] = c;
      }
    }
  }
}

void DualSimplex::ComputeReduced() {
  reduced_ = part_.loss;
  for (std::size_t i = 0; i < m_; ++i)
    for (std::size_t c = 0; c < part_.columns(); ++c) reduced_[c] += multipliers_[i] * part_.cost[i * part_.columns() + c];
  for (Index g = 0; g < part_.groups(); ++g) {
    const double key = reduced_[key_[g]];
    for (Index c = part_.first[g]; c < part_.first[g + 1]; ++c) reduced_[c] -= key;
  }
}

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

/// The basic column furthest outside its range, measured along the edge that leaves it. A key that must leave first swaps
/// its part with the largest basic column of its group. Returns whether there is any.
bool DualSimplex::ChooseLeaving(Leaving& leaving) {
  double worst = 0;
  Index worst_key = kNone;
  std::vector<double> row(m_);
  const auto consider = [&](double violation, const double* edge) {
    if (violation <= kShareTolerance) return false;
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
      leaving = {p, shares_[p] < 0};
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
      if (entries_[p].kind == Kind::Column && entries_[p].at == old_key) leaving = {p, true};
  }
  return true;
}

void DualSimplex::SwapKey(Index group) {
  std::size_t largest = m_;
  for (std::size_t p = 0; p < m_; ++p)
    if (entries_[p].kind == Kind::Column && entries_[p].group == group && (largest == m_ || shares_[p] > shares_[largest]))
      largest = p;
  const Index old_key = key_[group];
  key_[group] = entries_[largest].at;
  basic_[key_[group]] = 0;
  PlaceColumn(largest, group, old_key);
  for (std::size_t p = 0; p < m_; ++p)
    if (p != largest && entries_[p].kind == Kind::Column && entries_[p].group == group) PlaceColumn(p, group, entries_[p].at);
  Factorize();
}

/// λ moves along ± the leaving entry's row of W⁻¹, which keeps the other entries' reduced losses at 0.
void DualSimplex::ComputeSlopes(const Leaving& leaving) {
  for (std::size_t i = 0; i < m_; ++i)
    direction_[i] = (leaving.rises ? 1.0 : -1.0) * inverse_[leaving.position * m_ + i];
  std::fill(slope_.begin(), slope_.end(), 0.0);
  for (std::size_t i = 0; i < m_; ++i)
    for (std::size_t c = 0; c < part_.columns(); ++c) slope_[c] -= direction_[i] * part_.cost[i * part_.columns() + c];
  for (Index g = 0; g < part_.groups(); ++g) {
    const double key = slope_[key_[g]];
    for (Index c = part_.first[g]; c < part_.first[g + 1]; ++c) slope_[c] -= key;
  }
}

/// Ratio test after Harris (1973): of the columns whose reduced loss comes to 0 first, give or take the tolerance, the one
/// with the steepest slope.
bool DualSimplex::ChooseEntering(Entering& entering) const {
  double norm = 0;
  for (const double d : direction_) norm = std::max(norm, std::abs(d));
  const double least_slope = kPivotTolerance * norm;
  double step = kInfinity;
  const auto shorten = [&](double reduced, double slope) {
    if (slope > least_slope) step = std::min(step, (std::max(reduced, 0.0) + kReducedTolerance) / slope);
  };
  for (std::size_t c = 0; c < part_.columns(); ++c)
    if (!basic_[c]) shorten(reduced_[c], slope_[c]);
  for (Index e = 0; e < extras(); ++e)
    if (!extra_basic_[e]) shorten(ExtraReduced(e), ExtraSlope(e));
  if (step == kInfinity) return false;
  double steepest = 0;
  const auto take = [&](Kind kind, std::size_t at, double reduced, double slope) {
    if (slope <= std::max(least_slope, steepest) || std::max(reduced, 0.0) > step * slope) return;
    steepest = slope;
    entering = {kind, static_cast<Index>(at)};
  };
  for (std::size_t c = 0; c < part_.columns(); ++c)
    if (!basic_[c]) take(Kind::Column, c, reduced_[c], slope_[c]);
  for (Index e = 0; e < extras(); ++e)
    if (!extra_basic_[e]) take(Kind::Extra, e, ExtraReduced(e), ExtraSlope(e));
  return true;
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
  return least - allowed > 1e-12 * magnitude;
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
    if (!ChooseEntering(entering)) return DirectionProvesInfeasible();
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

Basis DualSimplex::CurrentBasis() const {
  Basis basis;
  for (const Entry& entry : entries_) {
    if (entry.kind == Kind::Extra) basis.push_back({true, entry.at, 0});
    if (entry.kind == Kind::Column) basis.push_back({false, part_.column[entry.at], part_.column[key_[entry.group]]});
    if (entry.kind == Kind::Ghost) basis.push_back({false, entry.at, entry.key});
  }
  return basis;
}

std::vector<Share> DualSimplex::SplitShares() const {
  std::vector<Share> shares;
  std::vector<char> seen(part_.groups(), 0);
  const auto add = [&](Index column, double share) {
    if (share > 1e-9 && share < 1 - 1e-9) shares.push_back({part_.column[column], share});
  };
  for (std::size_t p = 0; p < m_; ++p) {
    if (entries_[p].kind != Kind::Column) continue;
    const Index group = entries_[p].group;
    add(entries_[p].at, shares_[p]);
    if (!seen[group]) add(key_[group], key_share_[group]);
    seen[group] = 1;
  }
  std::sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) { return a.column < b.column; });
  return shares;
}

double DualSimplex::ExtraCost(Index extra, std::size_t budget) const {
  if (extra == m_) return -core_.limits[budget];
  return extra == budget ? 1.0 : 0.0;
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
