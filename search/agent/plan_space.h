#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "bitplan/problem.h"
#include "search/linked_groups.h"

namespace bitplan::agent {

/// One number that tells the choices of a group apart: a weight's width, an input's, or the place in the order of
/// costs.
struct Coordinate {
  std::size_t values = 0;   ///< that it takes, numbered upwards
  bool activation = false;  ///< an input's width
};

/// What groups that rules link may take together.
struct SpaceRow {
  std::vector<std::size_t> values;  ///< one a coordinate
  std::vector<double> costs;        ///< one a budget, as shares of it (of a budget of 0: as they are)
  double loss = 0;  ///< what it costs more than the row of the highest costs, all other groups at theirs
};

struct SpaceGroup {
  std::vector<Coordinate> coordinates;  ///< those that take several values
  std::vector<SpaceRow> rows;
  std::optional<LayerShape> shape;  ///< of the first of its groups, with the parameters of all; none where one has none
};

/// The plans of a problem, to be walked through group by group.
class PlanSpace {
 public:
  /// Throws Error as Search does on rules. `stop` ends a long search for a completion.
  PlanSpace(const Problem& problem, std::function<bool()> stop);

  const std::vector<SpaceGroup>& groups() const { return groups_; }
  std::size_t budgets() const { return limits_.size(); }
  double Limit(std::size_t budget) const { return limits_[budget]; }

  /// The least that all groups from `group` on can spend of a budget.
  double LeastFrom(std::size_t group, std::size_t budget) const { return least_[group][budget]; }

  /// No plan has a lower objective.
  double LeastObjective() const;

  /// Rows for the groups from `group` on that stay within the budgets together with what is `spent` already; none when
  /// there are none. Also none when that could not be found out before `stop`. Cheap ones are tried first; with
  /// `exactly`, then a search decides.
  std::optional<std::vector<std::size_t>> Complete(std::size_t group, const std::vector<double>& spent,
                                                   bool exactly) const;

  /// The problem's choices for a row of each group.
  std::vector<std::size_t> ChoicesOf(const std::vector<std::size_t>& rows) const;

 private:
  void AddRows();
  void AddLosses();
  void AddCompletions();
  std::optional<std::vector<std::size_t>> SearchCompletion(std::size_t group, const std::vector<double>& spent) const;

  /// Rows of all groups, with what they spend from each group on.
  struct Completion {
    std::vector<std::size_t> rows;
    std::vector<std::vector<double>> spent;  // [groups + 1][budgets]
  };

  Problem problem_;
  search::LinkedGroups linked_;
  std::function<bool()> stop_;
  std::vector<SpaceGroup> groups_;
  std::vector<double> limits_;              // in the rows' unit, with the search's tolerance
  std::vector<std::vector<double>> least_;  // [groups + 1][budgets]
  std::vector<Completion> completions_;     // the cheapest by each budget, and by all together
};

/// Adds b to a.
inline void Add(std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
}

}  // namespace bitplan::agent
