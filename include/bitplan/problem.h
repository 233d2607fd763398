#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bitplan/layer_shape.h"

namespace bitplan {

/// A sum of costs is within a budget when it is at most (1 + kBudgetTolerance) times that: far above the rounding of
/// sums, which would tell apart what is equal on paper, and far below the least that a choice of any layer changes.
inline constexpr double kBudgetTolerance = 1e-9;

/// The most that a sum within `budget` comes to.
inline double LimitWithTolerance(double budget) { return budget * (1 + kBudgetTolerance); }

/// One way to quantize a group: what it is predicted to cost the loss, and what it costs the device.
struct Choice {
  std::string name;                     ///< e.g. "w4a8"; unique within its group
  double objective = 0;                 ///< finite; may be negative
  std::map<std::string, double> costs;  ///< finite, ≥ 0, the same keys for every choice of the problem
  double standard_error = 0;            ///< of the objective; finite, ≥ 0
};

/// Layers that get their bits together; exactly one of the choices is taken.
struct Group {
  std::string name;  ///< unique in the problem
  std::vector<std::string> members;
  std::vector<Choice> choices;  ///< at least one
  /// Of the first member, with the parameters of all, for searches that look at it (the agent).
  std::optional<LayerShape> shape = {};
};

/// What some groups may take together: one of the listed rows, each a choice's name for every group. One group: its
/// choices that are allowed, or the one it is pinned to. Two: pairs, such as equal bits for a weight and its input, or
/// an input never below its weight. More: groups that are tied.
struct Rule {
  std::vector<std::string> groups;                ///< at least one, all different
  std::vector<std::vector<std::string>> allowed;  ///< at least one row
};

// Arrays of a joint term are row-major. Their choices are those of the whole problem in file order: all choices of the
// first group, then all of the second, and so on.

/// ½ xᵀQx, with x = 1 for the choices that are taken and 0 for the others: what pairs of choices cost together.
struct QuadraticTerm {
  std::vector<double> matrix;  ///< Q, [choices, choices]; finite, symmetric (to 1e-9 of its largest entry) and positive
                               ///< semidefinite (no eigenvalue below −1e-9 of that entry times the number of choices)
};

/// What a shift v of a sample's logits z is charged.
enum class LogitLoss {
  Divergence,    ///< T² KL(softmax(z / T) ‖ softmax((z + v) / T)), T the temperature
  SquaredShift,  ///< ½ Σ_c (v_c − mean v)², which is what T² KL comes to, times the number of classes, as T grows
};

/// The logit model (docs/architecture.md, "Loss model"): scale · mean over samples of the loss of the summed shifts of
/// the choices taken. Convex in the shifts, and so in relaxed choices.
struct LogitTerm {
  LogitLoss loss = LogitLoss::Divergence;
  double temperature = 1;  ///< > 0; without meaning for SquaredShift
  double scale = 1;        ///< > 0
  std::size_t samples = 0, classes = 0;
  std::vector<float> logits = {};  ///< z, [samples, classes], finite; empty for SquaredShift
  std::vector<float> shifts = {};  ///< δz of each choice, [choices, samples, classes], finite
};

/// A convex term that joins the groups.
using JointTerm = std::variant<QuadraticTerm, LogitTerm>;

/// A bit allocation problem: take one choice a group, minimize the summed objective, the joint term and what is charged
/// for the summed costs, keep every summed cost within its budget and every rule (docs/problems.md). File form:
/// `bitplan.problem/1`; `standard_error`, `shape`, `rules`, `prices` and `joint` may be left out there.
struct Problem {
  std::string name;
  std::string objective;  ///< in words, what the numbers measure
  std::vector<Group> groups;
  std::map<std::string, double> budgets;      ///< cost name to the most that may be spent; ≥ 0
  std::map<std::string, double> prices = {};  ///< cost name to what a unit of it adds to the objective; ≥ 0
  std::vector<Rule> rules = {};
  std::optional<JointTerm> joint = {};  ///< none: groups do not interact

  /// Throws Error naming the group, choice, budget, price, rule or property of the joint term that breaks what is said
  /// above.
  void Validate() const;

  std::size_t ChoiceCount() const;  ///< of all groups together
};

}  // namespace bitplan
