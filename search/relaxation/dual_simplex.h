#pragma once

#include <vector>

#include "relaxation/relaxation.h"

namespace bitplan::search {

/// State of the dual simplex method on one subproblem. Each free group has a key column; with m budgets, m further
/// columns are basic, each a slack (or t), a second column of a group, or a ghost: a column that the subproblem lacks
/// but the starting basis had, which must leave. With W the m × m matrix of their costs (less those of their group's
/// key), the multipliers are λ = −W⁻ᵀ Δf and the shares y = W⁻¹ (rest − Σ key costs); a key's share is 1 less those of
/// its group's basic columns.
class DualSimplex {
 public:
  /// Starts from `basis`, or from the slacks when it is empty.
  DualSimplex(const Core& core, const Subproblem& part, const Basis& basis);

  /// Improves the bound until it is the best one, has reached `cutoff`, or time is up. Returns whether the subproblem
  /// was proven to have no solution.
  bool Solve(double cutoff, Monitor& monitor);

  const std::vector<double>& multipliers() const { return multipliers_; }
  Basis CurrentBasis() const;
  std::vector<Share> SplitShares() const;
  std::vector<Index> Leading() const;  ///< per free group: the column, of the core, with the largest share

 private:
  static constexpr Index kNone = ~Index{0};
  enum class Kind { Extra, Column, Ghost };
  struct Entry {
    Kind kind = Kind::Extra;
    Index at = 0;     // extra, column of the subproblem, or of the core for a ghost
    Index group = 0;  // free group of a column
    Index key = 0;    // of a ghost, of the core
    double loss = 0;  // Δf
  };
  struct Leaving {
    std::size_t position = 0;
    bool rises = false;  // its share is negative, else positive (a ghost's)
    double gain = 0;  // how fast the bound rises along the direction at first: how far the share is outside its range
  };
  struct Entering {
    Kind kind = Kind::Extra;
    Index at = 0;
  };
  /// Where along the direction a column overtakes its group's key.
  struct Breakpoint {
    double step = kInfinity;
    Index column = 0;
    Index group = 0;
  };

  void StartFromSlacks();
  bool StartFrom(const Basis& basis);
  void PlaceGroup(const Basis& basis, const std::vector<std::size_t>& positions);
  void PlaceExtra(std::size_t position, Index extra);
  void PlaceColumn(std::size_t position, Index group, Index column);
  void PlaceGhost(std::size_t position, Index column, Index key);
  bool Factorize();
  void ComputeMultipliers();
  void ChooseKeys();
  void ComputeReduced();
  void ComputeShares();
  double Bound() const;
  bool ChooseLeaving(Leaving& leaving);
  void SwapKey(Index group);
  void ComputeSlopes(const Leaving& leaving);
  double LeastSlope() const;
  double FirstStop(Entering& entering) const;
  bool ChooseEntering(const Leaving& leaving, Entering& entering);
  Breakpoint NextBreakpoint(Index group, double before, double least_slope) const;
  void Exchange(const Leaving& leaving, const Entering& entering);
  bool DirectionProvesInfeasible() const;

  double Cost(std::size_t budget, Index column) const { return part_.cost[budget * part_.columns() + column]; }
  double ExtraCost(Index extra, std::size_t budget) const;
  double ExtraReduced(Index extra) const;
  double ExtraSlope(Index extra) const;
  Index extras() const { return static_cast<Index>(m_ + (core_.goal == Goal::PeakUse ? 1 : 0)); }

  const Core& core_;
  const Subproblem& part_;
  const std::size_t m_;
  std::vector<Entry> entries_;
  std::vector<double> basis_;    // W, [budget, entry]
  std::vector<double> inverse_;  // W⁻¹, [entry, budget]
  std::vector<Index> key_;       // per free group, column of the subproblem
  std::vector<char> basic_;      // per column
  std::vector<char> extra_basic_;
  std::vector<double> multipliers_;
  std::vector<double> shares_;     // y, per entry
  std::vector<double> key_share_;  // per free group
  std::vector<double> reduced_;    // per column: f + λ c, less that of the group's key
  std::vector<double> direction_;  // in which λ moves
  std::vector<double> slope_;      // per column: how fast `reduced_` falls along the direction
};

}  // namespace bitplan::search
