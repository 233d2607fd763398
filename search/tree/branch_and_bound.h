#pragma once

#include <cstdint>
#include <string_view>

#include "heuristics/incumbent.h"
#include "monitor.h"
#include "relaxation/relaxation.h"
#include "tuning.h"

namespace bitplan::search {

struct TreeOptions {
  double gap = 0;              ///< relative gap in the objective at which to stop, 0 … 1
  double cutoff = kInfinity;   ///< plans of at least this value need not be found
  double target = -kInfinity;  ///< stop at a plan of at most this value
  double proven = -kInfinity;  ///< bound known already, for the progress report
  std::int64_t most_nodes = std::numeric_limits<std::int64_t>::max();
  std::int64_t nodes_alone = tuning::tree::kNodesAlone;  ///< before trees that branch on tallies, too, join
  bool cuts = false;                                     ///< whether to cut the root's relaxation, of the first tree
  std::string_view stage = "search";
};

struct TreeResult {
  Incumbent best;
  double bound = -kInfinity;  ///< no plan has a value below it; infinite when there is no plan
  std::int64_t nodes = 0;
  bool cuts = false;  ///< whether cuts raised the bound
  bool complete =
      false;  ///< ended by itself: every plan is `best`, or no better within the gap, or not below the cutoff
};

/// A part of the problem with its relaxation.
struct Node {
  Subproblem part;
  Relaxation relaxation;
  double bound = -kInfinity;  ///< on its plans: the relaxation's or an ancestor's

  Node() = default;
  Node(Subproblem of, Relaxation solved, double inherited);

  /// Goes over to `to`, which has the columns of `part` marked in `kept`. The relaxation, of more columns, bounds it
  /// too.
  void Narrow(const Core& core, Subproblem to, const std::vector<char>& kept);
};

/// Branch and bound over the linear relaxation, from the solved `root` and the plan `start` if there is one. Columns
/// that no plan worth finding takes are ruled out by their reduced losses; budgets are lowered to what can be used of
/// them. Nodes are taken best bound first, each followed down its better side to the end. A node's branch is the one
/// whose sides raise the bound most, of all groups that the relaxation splits and all figures to divide their columns
/// by. Where that does not end soon, and groups are alike in some figures but not in all (layers of one size with
/// measured latencies, or with losses that are nearly equal), up to three more trees run by turns with the first one,
/// which branch on tallies, too, of ranks, of counts, of surpluses: one does in hundreds of nodes what another does not
/// in millions.
TreeResult BranchAndBound(const Core& core, const Node& root, const TreeOptions& options, Incumbent start,
                          Monitor& monitor);

}  // namespace bitplan::search
