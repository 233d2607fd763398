#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "bitplan/cost.h"
#include "bitplan/error.h"
#include "budgets.h"
#include "choice_costs.h"
#include "group_bits.h"
#include "joint_term.h"
#include "pin.h"
#include "text/shortened.h"
#include "tuning.h"

namespace bitplan {

namespace {

const Perturbation* Find(const std::vector<Perturbation>& choices, int bits) {
  const auto found =
      std::find_if(choices.begin(), choices.end(), [&](const Perturbation& each) { return each.bits == bits; });
  return found == choices.end() ? nullptr : &*found;
}

/// Standard error of PredictedCost; 0 where the measure has none.
double StandardErrorOf(const Curvature& curvature, const Perturbation& perturbation, Measure measure) {
  if (perturbation.bits == 32) return 0;
  if (HasFigures(measure)) return perturbation.figures.at(measure).standard_error;
  if (measure != Measure::Trace) return 0;
  return curvature.trace_standard_error / static_cast<double>(std::max<std::int64_t>(curvature.elements, 1)) *
         perturbation.squared_error;
}

class ProblemMaker {
 public:
  /// `sensitivity` as it was measured; `predicted` has the figures to predict with, and `share` is what counts of the
  /// cross terms.
  ProblemMaker(const Sensitivity& sensitivity, const Sensitivity& predicted, double share,
               const ProblemOptions& options)
      : sensitivity_(sensitivity),
        predicted_(predicted),
        share_(share),
        options_(options),
        offered_(cost::ApplyPins(sensitivity, options.pins)) {
    all_weights_ = WeightCount(sensitivity);
    floor_ = CurvatureFloor(sensitivity, options.measure);
  }

  Problem Make() const {
    Problem problem;
    problem.name = sensitivity_.model_sha256.substr(0, 12);
    const bool curved = options_.measure == Measure::Eigenvalue || options_.measure == Measure::Trace;
    problem.objective = options_.joint
                            ? fmt::format("{} of the layers' summed shifts of the output", ToString(options_.measure))
                            : fmt::format("{}{}, summed over the layers", ToString(options_.measure),
                                          curved ? " times squared quantization error" : "");
    for (const std::vector<std::size_t>& members : Groups()) problem.groups.push_back(MakeGroup(members));
    problem.budgets = cost::BudgetsOf(sensitivity_, options_.budgets, problem.groups);
    problem.prices = options_.prices;
    if (options_.joint) problem.joint = cost::MakeJointTerm(sensitivity_, options_.measure, share_, problem);
    return problem;
  }

 private:
  /// Layers that read the same tensor stand together where their activation width is open, in the order of their first
  /// layer.
  std::vector<std::vector<std::size_t>> Groups() const {
    std::vector<std::vector<std::size_t>> groups;
    std::map<int, std::size_t> group_of;
    for (std::size_t i = 0; i < sensitivity_.layers.size(); ++i) {
      const int tied = sensitivity_.layers[i].tied_group;
      if (tied < 0 || !IsOpen(tied)) {
        groups.push_back({i});
        continue;
      }
      const auto [group, inserted] = group_of.try_emplace(tied, groups.size());
      if (inserted) groups.emplace_back();
      groups[group->second].push_back(i);
    }
    return groups;
  }

  /// Whether the layers of a tied group still have activation widths to choose from, or different ones pinned.
  bool IsOpen(int tied) const {
    std::set<int> widths;
    for (std::size_t i = 0; i < sensitivity_.layers.size(); ++i)
      if (sensitivity_.layers[i].tied_group == tied)
        for (const Perturbation& choice : offered_[i].activations) widths.insert(choice.bits);
    return widths.size() > 1;
  }

  Group MakeGroup(const std::vector<std::size_t>& members) const {
    Group group;
    for (const std::size_t member : members) group.members.push_back(sensitivity_.layers[member].name);
    group.name = fmt::format("{}", fmt::join(group.members, "+"));
    group.shape = ShapeOf(members);
    const std::vector<int> activations = CommonWidths(members, &cost::OfferedWidths::activations);
    if (activations.empty())
      throw Error(fmt::format("layers {} read the same tensor but have no activation width in common; pin them alike",
                              text::Shortened(group.members)));
    for (const std::vector<int>& weights : WeightCombinations(members, cost::tuning::kMostChoices / activations.size()))
      for (const int activation : activations)
        if (activations.size() == 1 || cost::Keeps(options_.width_rule, {weights, activation}))
          group.choices.push_back(MakeChoice(members, {weights, activation}));
    if (group.choices.empty())
      throw Error(fmt::format("layers {} have no weight and input widths that go together under the rule '{}'",
                              text::Shortened(group.members), ToString(options_.width_rule)));
    return group;
  }

  std::optional<LayerShape> ShapeOf(const std::vector<std::size_t>& members) const {
    std::optional<LayerShape> shape = sensitivity_.layers[members.front()].shape;
    if (!shape) return std::nullopt;
    shape->parameters = 0;
    for (const std::size_t member : members) shape->parameters += sensitivity_.layers[member].weight_count;
    return shape;
  }

  /// Widths that each of these layers offers, in the order of the first.
  std::vector<int> CommonWidths(const std::vector<std::size_t>& members,
                                std::vector<Perturbation> cost::OfferedWidths::* kind) const {
    std::vector<int> widths;
    if (members.empty()) return widths;
    for (const Perturbation& choice : offered_[members[0]].*kind)
      if (std::all_of(members.begin(), members.end(),
                      [&](std::size_t i) { return Find(offered_[i].*kind, choice.bits); }))
        widths.push_back(choice.bits);
    return widths;
  }

  /// Weight bits of the members in all combinations; where those are more than `most`, members with a choice share
  /// their width.
  std::vector<std::vector<int>> WeightCombinations(const std::vector<std::size_t>& members, std::size_t most) const {
    double count = 1;
    std::vector<std::size_t> open;
    for (const std::size_t member : members) {
      count *= static_cast<double>(offered_[member].weights.size());
      if (offered_[member].weights.size() > 1) open.push_back(member);
    }
    if (count > static_cast<double>(most)) return SharedWeights(members, open);
    std::vector<std::vector<int>> combinations = {{}};
    for (const std::size_t member : members) {
      std::vector<std::vector<int>> longer;
      for (const std::vector<int>& chosen : combinations)
        for (const Perturbation& choice : offered_[member].weights) {
          longer.push_back(chosen);
          longer.back().push_back(choice.bits);
        }
      combinations = std::move(longer);
    }
    return combinations;
  }

  std::vector<std::vector<int>> SharedWeights(const std::vector<std::size_t>& members,
                                              const std::vector<std::size_t>& open) const {
    std::vector<std::vector<int>> combinations;
    for (const int bits : CommonWidths(open, &cost::OfferedWidths::weights)) {
      combinations.emplace_back();
      for (const std::size_t member : members)
        combinations.back().push_back(offered_[member].weights.size() > 1 ? bits : offered_[member].weights[0].bits);
    }
    if (combinations.empty())
      throw Error(fmt::format(
          "layer '{}' and {} more read the same tensor, are too many for every combination of weight widths, and "
          "have no weight width in common; pin some of them",
          sensitivity_.layers[members[0]].name, members.size() - 1));
    return combinations;
  }

  Choice MakeChoice(const std::vector<std::size_t>& members, const cost::GroupBits& bits) const {
    Choice choice;
    choice.name = cost::NameOf(bits);
    double variance = 0;
    const auto charge = [&](std::size_t layer, Curvature LayerSensitivity::* curvature,
                            std::vector<Perturbation> LayerSensitivity::* choices, int width) {
      choice.objective += Objective(layer, curvature, choices, width);
      const LayerSensitivity& predicted = predicted_.layers[layer];
      const double error =
          options_.joint ? 0
                         : StandardErrorOf(predicted.*curvature, *Find(predicted.*choices, width), options_.measure);
      variance += error * error;
    };
    for (std::size_t m = 0; m < members.size(); ++m) {
      charge(members[m], &LayerSensitivity::weight, &LayerSensitivity::weight_choices, bits.weights[m]);
      if (bits.activation < 32)
        charge(members[m], &LayerSensitivity::activation, &LayerSensitivity::activation_choices, bits.activation);
      for (const auto& [cost, value] :
           cost::ChoiceCosts(sensitivity_, members[m], bits.weights[m], bits.activation, all_weights_))
        choice.costs[cost] += value;
    }
    choice.standard_error = std::sqrt(variance);
    return choice;
  }

  /// What one width is charged; of a joint problem, beyond what the joint term charges for the width alone.
  double Objective(std::size_t layer, Curvature LayerSensitivity::* curvature,
                   std::vector<Perturbation> LayerSensitivity::* choices, int bits) const {
    const LayerSensitivity& predicted = predicted_.layers[layer];
    const double cost = PredictedCost(predicted.*curvature, *Find(predicted.*choices, bits), options_.measure, floor_);
    if (!options_.joint || bits == 32) return cost;
    return cost -
           share_ *
               Find(sensitivity_.layers[layer].*choices, bits)->figures.at(cost::JointFigure(options_.measure)).value;
  }

  const Sensitivity& sensitivity_;
  const Sensitivity& predicted_;
  double share_;
  const ProblemOptions& options_;
  std::vector<cost::OfferedWidths> offered_;
  std::int64_t all_weights_ = 0;
  double floor_ = 0;
};

}  // namespace

std::vector<Measure> MeasuresFor(const ProblemOptions& options) {
  std::vector<Measure> measures = {options.measure};
  if (IsOfShifts(options.measure) && options.measure != Measure::LogitShift) measures.push_back(Measure::LogitShift);
  if (options.joint && cost::JointFigure(options.measure) != options.measure)
    measures.push_back(cost::JointFigure(options.measure));
  return measures;
}

Problem MakeProblem(const Sensitivity& sensitivity, const ProblemOptions& options) {
  if (sensitivity.layers.empty()) throw Error("the sensitivity file has no layers: nothing can be planned");
  if (!sensitivity.Has(options.measure))
    throw Error(fmt::format("the sensitivity file has no figures for the measure {0}; analyze with --measures {0}",
                            ToString(options.measure)));
  if (options.joint) cost::CheckJoint(sensitivity, options.measure);
  return cost::MakeProblemWithShare(sensitivity, options, cost::ShareFor(sensitivity, options));
}

}  // namespace bitplan

namespace bitplan::cost {

Problem MakeProblemWithShare(const Sensitivity& sensitivity, const ProblemOptions& options, double share) {
  if (!options.shrink) return ProblemMaker(sensitivity, sensitivity, share, options).Make();
  return ProblemMaker(sensitivity, ShrinkFigures(sensitivity, options.measure), share, options).Make();
}

double ShareFor(const Sensitivity& sensitivity, const ProblemOptions& options) {
  return options.joint && options.shrink ? CrossTermShare(sensitivity, options.measure) : 1;
}

}  // namespace bitplan::cost
