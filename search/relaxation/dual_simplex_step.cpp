// One step of the dual simplex method: how far λ moves, and which column that makes basic.
#include <algorithm>
#include <cmath>
#include <queue>

#include "relaxation/dual_simplex.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::simplex;

}  // namespace

/// λ moves along ± the leaving entry's row of W⁻¹, which keeps the other entries' reduced losses at 0.
void DualSimplex::ComputeSlopes(const Leaving& leaving) {
  for (std::size_t i = 0; i < m_; ++i)
    direction_[i] = (leaving.rises ? 1.0 : -1.0) * inverse_[leaving.position * m_ + i];
  std::fill(slope_.begin(), slope_.end(), 0.0);
  for (std::size_t i = 0; i < m_; ++i) {
    if (direction_[i] == 0) continue;
    for (std::size_t c = 0; c < part_.columns(); ++c) slope_[c] -= direction_[i] * part_.cost[i * part_.columns() + c];
  }
  for (Index g = 0; g < part_.groups(); ++g) {
    const double key = slope_[key_[g]];
    for (Index c = part_.first[g]; c < part_.first[g + 1]; ++c) slope_[c] -= key;
  }
}

double DualSimplex::LeastSlope() const {
  double norm = 0;
  for (const double d : direction_) norm = std::max(norm, std::abs(d));
  return kPivot * norm;
}

/// The step at which λ can go no further: an extra's, or a column's of a group that has basic columns beside its key.
/// Ratio test after Harris (1973): of those whose reduced loss comes to 0 first, give or take the tolerance, the one
/// with the steepest slope.
double DualSimplex::FirstStop(Entering& entering) const {
  const double least_slope = LeastSlope();
  const auto for_each = [&](const auto& visit) {
    for (std::size_t p = 0; p < m_; ++p) {
      if (entries_[p].kind != Kind::Column) continue;
      const Index g = entries_[p].group;
      for (Index c = part_.first[g]; c < part_.first[g + 1]; ++c)
        if (!basic_[c]) visit(Kind::Column, c, std::max(reduced_[c], 0.0), slope_[c]);
    }
    for (Index e = 0; e < extras(); ++e)
      if (!extra_basic_[e]) visit(Kind::Extra, e, std::max(ExtraReduced(e), 0.0), ExtraSlope(e));
  };
  double relaxed = kInfinity;
  for_each([&](Kind, Index, double reduced, double slope) {
    if (slope > least_slope) relaxed = std::min(relaxed, (reduced + kReduced) / slope);
  });
  double steepest = 0, step = kInfinity;
  for_each([&](Kind kind, Index at, double reduced, double slope) {
    if (slope <= std::max(least_slope, steepest) || reduced > relaxed * slope) return;
    steepest = slope;
    step = reduced / slope;
    entering = {kind, at};
  });
  return step;
}

/// The first column of the group, which has no basic columns, that overtakes its key at a step below `before`.
DualSimplex::Breakpoint DualSimplex::NextBreakpoint(Index group, double before, double least_slope) const {
  const double reduced = reduced_[key_[group]], slope = slope_[key_[group]];
  Breakpoint next{before, kNone, group};
  double steepest = 0;
  for (Index c = part_.first[group]; c < part_.first[group + 1]; ++c) {
    const double steeper = slope_[c] - slope, above = std::max(reduced_[c] - reduced, 0.0);
    if (steeper <= least_slope || above > next.step * steeper) continue;
    const double step = above / steeper;
    if (step == next.step && steeper <= steepest) continue;
    next = {step, c, group};
    steepest = steeper;
  }
  return next;
}

/// Follows λ along the direction to where the bound is highest: past every point where a column overtakes the key of a
/// group without basic columns, and becomes its key, as long as the bound still rises behind it (the long-step rule of
/// Fourer 1994, for generalized upper bounds). Returns false when the bound rises without end.
bool DualSimplex::ChooseEntering(const Leaving& leaving, Entering& entering) {
  const double least_slope = LeastSlope();
  const double stop = FirstStop(entering);
  std::vector<char> has_basic(part_.groups(), 0);
  for (const Entry& entry : entries_)
    if (entry.kind == Kind::Column) has_basic[entry.group] = 1;
  const auto later = [](const Breakpoint& a, const Breakpoint& b) {
    return a.step > b.step || (a.step == b.step && a.column > b.column);
  };
  std::vector<Breakpoint> first;
  for (Index g = 0; g < part_.groups(); ++g)
    if (!has_basic[g])
      if (const Breakpoint next = NextBreakpoint(g, stop, least_slope); next.column != kNone) first.push_back(next);
  std::priority_queue<Breakpoint, std::vector<Breakpoint>, decltype(later)> ahead(later, std::move(first));
  double gain = leaving.gain;
  while (!ahead.empty()) {
    const Breakpoint at = ahead.top();
    ahead.pop();
    gain -= slope_[at.column] - slope_[key_[at.group]];
    if (gain <= 0) {
      entering = {Kind::Column, at.column};
      return true;
    }
    key_[at.group] = at.column;
    if (const Breakpoint next = NextBreakpoint(at.group, stop, least_slope); next.column != kNone) ahead.push(next);
  }
  return stop < kInfinity;
}

}  // namespace bitplan::search
