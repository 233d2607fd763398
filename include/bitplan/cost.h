#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/problem.h"
#include "bitplan/sensitivity.h"

namespace bitplan {

/// Costs of a layer at given widths that follow from its weights and MACs; keys as in problem files. Others are tables
/// (bitplan/cost_table.h) of the sensitivity.
///   weight_size_bytes  packed weight bits in whole bytes: ⌈weights · b / 8⌉
///   macs               multiply-accumulates for one sample
///   bops               MACs · weight bits · activation bits (Baskin et al. 2018, without the accumulator term)
///   average_bits       weight bits · weights of the layer / weights of all layers, so that it sums to the average
///   width
std::map<std::string, double> LayerCosts(const LayerSensitivity& layer, int weight_bits, int activation_bits,
                                         std::int64_t all_weights);

/// Gives a sensitivity the tables, its layers' order put in; they replace those of the same cost. Throws Error: a table
/// that is not valid or does not have exactly the sensitivity's layers, or two tables for one cost.
void AddCosts(Sensitivity& sensitivity, std::vector<CostTable> tables);

/// `costs` with the largest of all `COST@MOMENT` as COST.
std::map<std::string, double> WithPeaks(const std::map<std::string, double>& costs);

/// A budget as a user writes it: COST=VALUE[UNIT]. weight_size, file_size and activation_memory take bytes, KiB, MiB,
/// kB, MB or
/// %; macs and bops a number, K/M/G/T or %; energy a number of µJ, nJ, uJ, mJ, J or %; latency a number of ms, us, ms,
/// s or %; average_bits a number. Any other COST is a table's, its name written as in the table, with a number or %; so
/// is one of these where there is no such cost but a table of just that name, whose unit is its own. A percentage is of
/// the network at 32 bits throughout.
struct BudgetSpec {
  std::string cost;  ///< key in problem files: weight_size_bytes, macs, bops, average_bits, a table's
  double value = 0;
  bool percent = false;      ///< `value` is a percentage of the float network's cost
  std::string written = {};  ///< COST as the user wrote it, `cost` without its unit; empty: `cost`
  std::string unit = {};     ///< as the user wrote it; `value` is in that of `cost`
};
BudgetSpec ParseBudget(std::string_view text);  ///< throws Error with the accepted form

/// The widths left to the layers that `pattern` names: `first`, `last`, a layer's name (`*` and `?` as wildcards), or
/// else an operator (`linear`). Where several name a layer the last counts; one that has no effect at all because later
/// ones say otherwise of every layer it names is an error. As users write it: PATTERN=8, PATTERN=w8,
/// PATTERN=a8, PATTERN=w8a8, and with several widths PATTERN=w4,8a8.
struct Pin {
  std::string pattern;
  std::vector<int> weight_bits = {};      ///< empty: free
  std::vector<int> activation_bits = {};  ///< empty: free
};
Pin ParsePin(std::string_view text);  ///< throws Error with the accepted form

/// How a layer's weight and input widths go together. Inputs that have a single width to choose from (stay in float, or
/// are pinned) are exempt.
enum class WidthRule {
  Free,
  Equal,    ///< kernels with one width for both
  Ordered,  ///< the input is never below the weight
};
std::string_view ToString(WidthRule rule);        ///< free, equal, ordered
WidthRule ParseWidthRule(std::string_view text);  ///< throws Error listing the names

struct ProblemOptions {
  Measure measure = Measure::GaussNewton;  ///< the best of them in benchmarks/plan_quality.cpp
  /// Layers' shifts of the output are added up before the loss is taken, and not the losses that each causes alone: the
  /// problem gets a joint term (method convex), of LogitShift and Divergence the logit model, of GaussNewton and
  /// Quadratic a matrix. Needs the shifts in the sensitivity file.
  bool joint = false;
  bool shrink = true;  ///< figures with standard errors are shrunk first, see ShrinkFigures, and the cross terms of a
                       ///< joint problem by CrossTermShare
  std::vector<BudgetSpec> budgets;
  std::vector<Pin> pins;
  WidthRule width_rule = WidthRule::Free;
  std::map<std::string, double> prices = {};  ///< as in Problem
};

/// The same with the figures of `measure` shrunk by their own noise, since an optimizer seeks out errors: an empirical
/// Bayes estimate in the logarithms of the figures over a reference, weights and activations apart. The reference is
/// the geometric mean of the relative error and the LogitShift figure, two measures with next to no noise; of
/// LogitShift itself, and without its figures, the relative error. First every layer's ratio of figure to reference is
/// pulled towards the layers' common one, then what is left of each width towards the layers' common curve over widths;
/// the more, the larger the standard error is beside the spread that it does not explain (Paule and Mandel 1982). A
/// figure below its standard error counts as that. Measures without standard errors stay as they are.
Sensitivity ShrinkFigures(const Sensitivity& sensitivity, Measure measure);

/// What is left of the cross terms of a joint problem when they are shrunk towards zero, 0 … 1: of all correlations
/// between two layers' shifts, in the norm of the measure's curvature, the share of the sum of squares that their
/// sampling variances do not explain (Schäfer and Strimmer, Stat. Appl. Genet. Mol. Biol. 4 (2005) 32). 1 for a single
/// sample. Throws Error without shifts.
double CrossTermShare(const Sensitivity& sensitivity, Measure measure);

/// The measures whose figures MakeProblem takes for these options: the measure itself first, then what it is shrunk
/// towards and what a joint problem is made of.
std::vector<Measure> MeasuresFor(const ProblemOptions& options);

/// The allocation problem of a sensitivity file. Each layer is a group with a choice "w4a8" for each pair of widths;
/// layers that read the same tensor and have more than one activation width to choose from become one group, named
/// after its members, whose choices share the activation width (when that makes more than 4,096 choices, the weight
/// width too). A budget on a cost with a table for each moment becomes one for each that it can bind, and at least one.
/// Throws Error: no figures for the measure, a pin that matches no layer, asks for a width that was not analyzed or
/// contradicts later ones, a
/// budget of unknown cost, a cost table without the widths, layers that the width rule leaves without a choice.
Problem MakeProblem(const Sensitivity& sensitivity, const ProblemOptions& options);

/// Bits of one layer under a choice of its group.
struct LayerBits {
  std::string layer;
  int weight_bits = 32;
  int activation_bits = 32;
};

/// Reads a choice's name ("w4a8"; "w4-3a8" in a group of two) back into the bits of the group's members, in member
/// order.
std::vector<LayerBits> BitsOfChoice(const Group& group, const Choice& choice);

/// Weights of all layers together.
std::int64_t WeightCount(const Sensitivity& sensitivity);

/// Costs of the network with one weight width and one activation width (32 where an input cannot be quantized); without
/// those of tables that lack the widths.
std::map<std::string, double> UniformCosts(const Sensitivity& sensitivity, int weight_bits, int activation_bits);

/// The same at 32 bits throughout.
std::map<std::string, double> FloatCosts(const Sensitivity& sensitivity);

/// The widest uniform plan within `budgets`: one weight width of `weight_bits` for all layers, and the widest
/// activation width of `activation_bits` that fits with it. Pins do not apply. Both widths 0 when none fits.
LayerBits WidestUniform(const Sensitivity& sensitivity, const std::map<std::string, double>& budgets,
                        const std::vector<int>& weight_bits, const std::vector<int>& activation_bits);

}  // namespace bitplan
