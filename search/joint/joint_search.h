#pragma once

#include <optional>
#include <vector>

#include "bitplan/search.h"
#include "monitor.h"
#include "search/linked_groups.h"
#include "search/warm_start.h"

namespace bitplan::search {

/// A joint term, and which of its choices each choice of the problem that is searched stands for.
struct Joint {
  const JointTerm& term;
  std::size_t choices = 0;  // of the term
  std::size_t groups = 0;   // that they are of
  std::vector<Together> parts;
  std::optional<WarmStart> start = {};  // in choices of the term
};

/// Solves `problem`, which has no rules and prices, with this joint term instead of its own.
Solution SolveJoint(const Problem& problem, const Joint& joint, const SearchOptions& options, Monitor& monitor);

}  // namespace bitplan::search
