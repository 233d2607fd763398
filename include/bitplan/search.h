#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/problem.h"
#include "bitplan/progress.h"

namespace bitplan {

enum class SolutionStatus {
  Optimal,     ///< within `SearchOptions::gap` of the proven bound
  Feasible,    ///< within every budget, but the bound does not prove it best (a limit was reached, or a heuristic ran)
  Infeasible,  ///< proven: no plan lies within every budget; `infeasibility` says why
  Unknown,     ///< the time limit came before a plan was found or proven not to exist; `bound` holds all the same
};

/// When a search ends, and whom it tells, whatever its method.
struct SearchLimits {
  double gap = 0;                   ///< stop at this relative gap, ≥ 0; 0 proves the optimum to rounding (1e-12)
  double time_limit_seconds = 300;  ///< > 0; then the best plan so far is returned with its true bound
  ProgressCallback progress = {};   ///< called every 20 ms or so, and at least once; may throw, which ends all
  std::function<bool()> stop = {};  ///< asked as often: true ends the search as the time limit does

  void Validate() const;  ///< throws Error
};

struct SearchOptions {
  /// A name of the registry that is asked. Of Search: "greedy" (marginal loss per cost from the cheapest plan up, then
  /// exchanges; bound from the Lagrangian relaxation), "exact" (branch and bound; bound and plan meet unless a limit
  /// stops it first), "convex" (takes a joint term: branch and bound over its convex relaxation; as exact without one).
  std::string method = "exact";
  double gap = SearchLimits{}.gap;  ///< this and the rest as in SearchLimits
  double time_limit_seconds = SearchLimits{}.time_limit_seconds;
  ProgressCallback progress = {};
  std::function<bool()> stop = {};

  SearchLimits Limits() const { return {gap, time_limit_seconds, progress, stop}; }
  void Validate() const;  ///< throws Error
};

/// Why a problem has no plan within its budgets.
struct Infeasibility {
  std::string budget;    ///< the budget that is missed by most, relative to its limit
  double limit = 0;      ///< its limit
  double least = 0;      ///< the least that any plan spends of it; with `jointly`, what `cheapest` spends of it
  bool jointly = false;  ///< every budget alone can be met, but not all together
  /// Choice per group of the plan that comes closest: the one that spends `least`; with `jointly`, the one whose
  /// largest relative overrun of a budget is the least that was found (the least there is, unless a limit came first).
  std::vector<std::size_t> cheapest;
};

/// One choice a group, and how good that provably is. File form: `bitplan.solution/1`.
struct Solution {
  SolutionStatus status = SolutionStatus::Feasible;
  std::string method = "exact";         ///< the name of the search
  std::vector<std::size_t> choices;     ///< index of the choice taken, one per group; empty when infeasible or unknown
  double objective = 0;                 ///< summed objective of `choices`; 0 without
  double bound = 0;                     ///< proven: no plan within the budgets is below it; 0 when infeasible
  double gap = 0;                       ///< (objective − bound) / max(|objective|, tiny), ≥ 0; infinite when unknown
  std::map<std::string, double> costs;  ///< summed over `choices`, every cost of the problem; empty without
  /// By budget, ≥ 0: how fast the bound of the relaxation, which takes shares of choices, falls as the budget is
  /// raised: what one more unit of it is worth at the margin, in units of the objective. Budgets that cannot bind are
  /// 0. Empty without `choices`.
  std::map<std::string, double> shadow_prices = {};
  double seconds = 0;
  std::int64_t nodes = 0;  ///< branch and bound nodes explored
  Infeasibility infeasibility;
};

/// Solves `problem` by greedy, exact or convex; throws Error when the problem or the options are malformed, when the
/// method has another name, when its rules contradict each other or tie so many groups that more than 65,536
/// combinations are left of them (4,096 with a joint term), or when the problem has a joint term that the method does
/// not take. Never returns a plan over a budget (sums are compared with a relative tolerance of kBudgetTolerance).
/// Equal problems and options give equal plans, bounds and node counts unless the time limit is hit. Of plans that are
/// equally good, any may be returned.
Solution Search(const Problem& problem, const SearchOptions& options);

/// What a method can do, for those who choose one without knowing it.
struct SearchTraits {
  bool takes_joint_term = false;  ///< searches problems that have one; without it they are refused
  /// Goes on until its own bound meets its plan, or a limit stops it. Others tell a bound, too: a relaxation's, or
  /// another search's.
  bool proves_optimum = false;
  bool needs_torch = false;  ///< its room needs LibTorch
};

/// A way to search, as registries hold it.
class SearchAlgorithm {
 public:
  virtual ~SearchAlgorithm() = default;

  /// What options, solutions, files and the command line call it: small letters, digits and '-'.
  virtual std::string name() const = 0;
  virtual SearchTraits traits() const = 0;

  /// As Search, by this method whatever `options.method` says; `method` of the solution is its name. Throws Error when
  /// the problem or the options are malformed, or the problem has a joint term that the method does not take.
  Solution Solve(const Problem& problem, const SearchOptions& options) const;

 private:
  /// `problem` and `options` are valid, and the traits suit.
  virtual Solution FindPlan(const Problem& problem, const SearchOptions& options) const = 0;
};

/// Methods by name: those of Search, and what a caller adds. A value; copies share the algorithms.
class SearchRegistry {
 public:
  SearchRegistry();  ///< greedy, exact, convex

  /// Throws Error when there is one of its name, or the name has other characters than names may have.
  void Add(std::shared_ptr<const SearchAlgorithm> algorithm);

  bool Has(std::string_view method) const;
  const SearchAlgorithm& Get(std::string_view method) const;  ///< throws Error listing the names
  std::vector<std::string> Names() const;                     ///< in the order in which they came
  std::vector<std::string> NamesForJointTerms() const;        ///< of those that take one

  /// By `options.method`: as the function Search, with the methods that are here.
  Solution Solve(const Problem& problem, const SearchOptions& options) const;

 private:
  std::vector<std::shared_ptr<const SearchAlgorithm>> algorithms_;
};

/// The method of Search that proves the optimum: of problems with a joint term, or of those without.
std::string ProvingMethod(bool joint);

/// `method` where it is one of Search, else the proving one: what is asked beside a plan, of problems that differ a
/// little, is answered by Search.
std::string StandIn(const std::string& method, bool joint);

/// What `problem` charges for a plan, budgets and rules aside: the summed objectives of its choices, the joint term,
/// and the summed costs that have a price. Throws Error unless there is one choice for each group.
double ObjectiveOf(const Problem& problem, const std::vector<std::size_t>& choices);

/// `problem` in CPLEX's LP format, for any mixed-integer solver; a quadratic joint term or one of squared shifts
/// becomes the quadratic part of the objective. Objective and budgets are scaled by powers of two, to sizes that
/// solvers' absolute tolerances suit; comments tell the objective's factor and what the variables stand for. Throws
/// Error when the problem is malformed or charges a divergence, which the format has no way to say.
std::string ToLp(const Problem& problem);

/// One line: status, objective, bound, gap, time.
std::string BriefReport(const Solution& solution);

std::string_view ToString(SolutionStatus status);

}  // namespace bitplan
