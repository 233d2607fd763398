#pragma once

#include <optional>

#include "search/core.h"

namespace bitplan::search {

enum class Level { Least, Most };

/// `core` with costs of a budget that differ by little set to the least of them, or to the most: those next to each
/// other by at most the relative `noise`, first and last by at most `spread`. Where they go on further than that, they
/// are no level with noise, and stay as they are.
Core WithLevels(Core core, double noise, double spread, Level level);

/// Two problems around one whose costs are equal but for noise, as measured ones of layers of one size are: costs of a
/// budget that differ by little are all set to the least of them, or to the most. In both, columns cost the same, which
/// makes them quick (see Swaps). Every plan of `core` is one of `least` and every plan of `most` is one of `core`, so
/// that  best of least ≤ best of core ≤ best of most,  which mostly are one and the same plan.
struct LevelledCosts {
  Core least, most;
};

/// Nothing where levelling leaves more than half as many kinds of groups, by their least and largest costs, as there
/// are. For Goal::Loss.
std::optional<LevelledCosts> LevelCosts(const Core& core);

}  // namespace bitplan::search
