#include "methods.h"

#include "linked_search.h"
#include "separable_search.h"

namespace bitplan::search {
namespace {

constexpr const char* kConvex = "convex";

Solution SolveBy(LinkedSolver solve, const Problem& problem, const std::optional<WarmStart>& start,
                 const SearchOptions& options) {
  Monitor monitor(options);
  monitor.Expired();
  Solution solution = SolveLinked(problem, start, options, solve, monitor);
  solution.seconds = monitor.Seconds();
  return solution;
}

class Greedy : public SearchAlgorithm {
 public:
  std::string name() const override { return "greedy"; }
  SearchTraits traits() const override { return {}; }

 private:
  Solution FindPlan(const Problem& problem, const SearchOptions& options) const override {
    const auto solve = [](const Problem& linked, const std::optional<Joint>&, const SearchOptions& how,
                          Monitor& monitor) { return SolveGreedily(linked, how, monitor); };
    return SolveBy(solve, problem, std::nullopt, options);
  }
};

class Exact : public SearchAlgorithm {
 public:
  std::string name() const override { return "exact"; }
  SearchTraits traits() const override { return {.proves_optimum = true}; }

 private:
  Solution FindPlan(const Problem& problem, const SearchOptions& options) const override {
    const auto solve = [](const Problem& linked, const std::optional<Joint>&, const SearchOptions& how,
                          Monitor& monitor) { return SolveExactly(linked, how, monitor); };
    return SolveBy(solve, problem, std::nullopt, options);
  }
};

class Convex : public SearchAlgorithm {
 public:
  std::string name() const override { return kConvex; }
  SearchTraits traits() const override { return {.takes_joint_term = true, .proves_optimum = true}; }

 private:
  Solution FindPlan(const Problem& problem, const SearchOptions& options) const override {
    return SolveConvexly(problem, std::nullopt, options);
  }
};

}  // namespace

std::vector<std::shared_ptr<const SearchAlgorithm>> OwnMethods() {
  return {std::make_shared<Greedy>(), std::make_shared<Exact>(), std::make_shared<Convex>()};
}

Solution SolveConvexly(const Problem& problem, const std::optional<WarmStart>& start, const SearchOptions& options) {
  const auto solve = [](const Problem& linked, const std::optional<Joint>& joint, const SearchOptions& how,
                        Monitor& monitor) {
    return joint ? SolveJoint(linked, *joint, how, monitor) : SolveExactly(linked, how, monitor);
  };
  Solution solution = SolveBy(solve, problem, start, options);
  solution.method = kConvex;
  return solution;
}

}  // namespace bitplan::search
