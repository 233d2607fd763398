// The basis of the dual simplex method: where it starts, what follows from it, and what is read off it at the end.
#include <algorithm>
#include <cmath>
#include <map>

#include "relaxation/dual_simplex.h"
#include "tuning.h"

namespace bitplan::search {

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
  const auto feasible = [](double value) { return value >= -tuning::simplex::kDual; };
  return std::all_of(multipliers_.begin(), multipliers_.end(), feasible) &&
         std::all_of(reduced_.begin(), reduced_.end(), feasible);
}

/// Places the columns of one group. Where its key is gone, a column that is still there takes over as key, and the old
/// key becomes a ghost beside it; columns that are gone are ghosts beside the key that they had.
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
    if (!(std::abs(value) > tuning::simplex::kSingular)) return false;
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
    key_[g] = part_.first[g];
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
  for (std::size_t i = 0; i < m_; ++i) {
    if (multipliers_[i] == 0) continue;  // as most are in a tree with tallies
    for (std::size_t c = 0; c < part_.columns(); ++c)
      reduced_[c] += multipliers_[i] * part_.cost[i * part_.columns() + c];
  }
  for (Index g = 0; g < part_.groups(); ++g) {
    const double key = reduced_[key_[g]];
    for (Index c = part_.first[g]; c < part_.first[g + 1]; ++c) reduced_[c] -= key;
  }
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
    if (share > tuning::simplex::kWhole && share < 1 - tuning::simplex::kWhole)
      shares.push_back({part_.column[column], share});
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

std::vector<Index> DualSimplex::Leading() const {
  std::vector<Index> leading = key_;
  std::vector<double> largest = key_share_;
  for (std::size_t p = 0; p < m_; ++p) {
    if (entries_[p].kind != Kind::Column || shares_[p] <= largest[entries_[p].group]) continue;
    largest[entries_[p].group] = shares_[p];
    leading[entries_[p].group] = entries_[p].at;
  }
  for (Index& column : leading) column = part_.column[column];
  return leading;
}

double DualSimplex::ExtraCost(Index extra, std::size_t budget) const {
  if (extra == m_) return -core_.limits[budget];
  return extra == budget ? 1.0 : 0.0;
}

}  // namespace bitplan::search
