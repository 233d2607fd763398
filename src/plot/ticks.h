#pragma once

#include <string>
#include <vector>

namespace bitplan::plot {

struct Tick {
  double position = 0;  ///< a value; on a log axis its log10
  std::string label;    ///< empty: a minor tick
};

struct Ticks {
  std::vector<Tick> ticks;  ///< within the range, in no particular order
  std::string factor;       ///< "×10⁶" that every label is to be multiplied with, or empty
};

/// Steps of 1, 2 or 5 · 10^k: the smallest that leaves no more than `most` ≥ 2 of them within low … high.
/// Needs a range wider than 1e-9 of its larger end.
Ticks LinearTicks(double low, double high, int most);

/// For an axis from 10^low to 10^high: 1, 2 and 5 of every decade where that makes 3 to `most` ≥ 2 labels, whole
/// decades where it makes more, linear steps where it makes fewer; minor ticks at every digit between labelled decades.
Ticks LogTicks(double low, double high, int most);

}  // namespace bitplan::plot
