#pragma once

#include "core/subproblem.h"

namespace bitplan::search {

/// Lowers what is left of each budget to what a plan can really use of it. Sizes and operation counts are whole
/// multiples of a unit, which grows as columns are ruled out; a budget between two multiples is worth no more than the
/// lower one. With the costs of a free group b_g + k u + e, k whole and |e| ≤ ε_g, plans within the budget have Σ k ≤ K
/// = ⌊(rest − Σ b_g + Σ ε_g) / u⌋, so that they cost at most Σ b_g + K u + Σ ε_g. Returns whether anything changed.
bool TightenBudgets(const Core& core, Subproblem& part);

/// The same of losses: every plan of the part with a loss below `cutoff` has at most this one.
double LowerCutoff(const Core& core, const Subproblem& part, double cutoff);

}  // namespace bitplan::search
