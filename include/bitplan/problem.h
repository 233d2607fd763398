#pragma once

#include <map>
#include <string>
#include <vector>

namespace bitplan {

/// One way to quantize a group: what it is predicted to cost the loss, and what it costs the device.
struct Choice {
  std::string name;                     ///< e.g. "w4a8"; unique within its group
  double objective = 0;                 ///< finite; may be negative
  std::map<std::string, double> costs;  ///< finite, ≥ 0, the same keys for every choice of the problem
};

/// Layers that get their bits together; exactly one of the choices is taken.
struct Group {
  std::string name;  ///< unique in the problem
  std::vector<std::string> members;
  std::vector<Choice> choices;  ///< at least one
};

/// A bit allocation problem: take one choice a group, minimise the summed objective, keep every summed cost within its
/// budget (design.md, section 7). File form: `bitplan.problem/1`.
struct Problem {
  std::string name;
  std::string objective;  ///< in words, what the numbers measure
  std::vector<Group> groups;
  std::map<std::string, double> budgets;  ///< cost name to the most that may be spent; ≥ 0

  /// Throws Error naming the group, choice or budget that breaks a rule above.
  void Validate() const;
};

}  // namespace bitplan
