#pragma once

#include "monitor.h"
#include "tree/reduced_core.h"

namespace bitplan::search {

/// Adds rows to the core and root of `part` that all of its plans keep, but not the shares of its relaxation: mixed
/// integer rounding (Marchand and Wolsey 2001) of budgets, of rows that are there, and of sums of them. With one column
/// of each group as its base, whose share is 1 less the others', a sum of rows says Σ α x ≤ β in the others; so do
/// Σ G(α) x ≤ ⌊β⌋ for whole x, with G(α) = ⌊α⌋ + max(0, frac α − frac β) / (1 − frac β). G is continuous: what costs
/// all but whole multiples of something is cut as if it did. Rows are kept where they raise the bound by a share of
/// what is between it and `cutoff`. Returns whether they do.
bool AddCuts(ReducedCore& part, double cutoff, Monitor& monitor);

}  // namespace bitplan::search
