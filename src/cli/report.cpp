#include "report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bitplan/files.h"
#include "correction_warning.h"
#include "loss_text.h"
#include "tell.h"
#include "text/shortened.h"

namespace bitplan::cli {

namespace {

std::string Bits(int bits) { return bits == 32 ? "float" : bits == 16 ? "half" : std::to_string(bits); }

std::string CostText(const std::string& cost, double value) {
  if (cost == "average_bits") return fmt::format("{:.3f}", value);
  const bool whole = value == std::floor(value) || value >= 1000;  // what a percentage gives is not
  if (std::abs(value) < 1e15 && whole) return WithCommas(static_cast<std::int64_t>(value));
  return fmt::format("{:.6g}", value);
}

/// How far a need is beyond a limit, in parentheses; nothing beyond a limit of 0.
std::string Excess(double needed, double limit) {
  constexpr double kManyTimes = 10;
  if (!(limit > 0)) return "";
  const double times = needed / limit;
  if (times < kManyTimes) return fmt::format(" ({:.1f}% more)", 100 * (times - 1));
  return fmt::format(" ({} times as much)",
                     times < 1e15 ? WithCommas(std::llround(times)) : fmt::format("{:.3g}", times));
}

std::vector<std::string> EvaluationRow(const std::string& name, const Evaluation& evaluation) {
  const auto known = [](double value, const std::string& text) { return std::isnan(value) ? std::string("-") : text; };
  const std::string loss = known(evaluation.loss, LossText(evaluation.loss)),
                    divergence = fmt::format("{:.3g}", evaluation.divergence);
  std::vector<std::string> row{name, std::to_string(evaluation.total), loss, divergence};
  if (Decides(evaluation.outputs))
    row = {name,
           evaluation.correct < 0 ? "-" : fmt::format("{}/{}", evaluation.correct, evaluation.total),
           known(evaluation.accuracy, fmt::format("{:.2f}%", 100 * evaluation.accuracy)),
           loss,
           fmt::format("{:.2f}%", 100 * evaluation.agreement),
           divergence};
  if (evaluation.perplexity) row.push_back(fmt::format("{:.4g}", *evaluation.perplexity));
  if (evaluation.metric) row.push_back(fmt::format("{:.4g}", evaluation.metric->value));
  return row;
}

std::vector<std::string> EvaluationHeader(const Evaluation& evaluation) {
  const std::string distance = DistanceName(evaluation.outputs), &module = evaluation.loss_module;
  const bool several = evaluation.outputs == OutputKind::Several;
  std::vector<std::string> header{"network", several ? "samples" : "outputs", module, distance};
  if (module.empty()) header[2] = several ? "loss" : "squared error";
  if (Decides(evaluation.outputs))
    header = {"network", "correct", "accuracy", module.empty() ? "loss" : module, "agrees", distance};
  if (evaluation.perplexity) header.emplace_back("perplexity");
  if (evaluation.metric) header.push_back(evaluation.metric->name);
  return header;
}

}  // namespace

std::string WithCommas(std::int64_t number) {
  std::string text = std::to_string(number);
  const std::size_t sign = number < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > 3 + sign;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string Shape(const std::vector<std::int64_t>& sizes) {
  return sizes.empty() ? "-" : fmt::format("{}", fmt::join(sizes, "x"));
}

bool WriteJson(const CommandLine& line, const std::string& json) {
  if (!line.Has("json")) return true;
  const auto file = line.Get<std::string>("json");
  if (file != "-") {
    WriteFile(file, json);
    return true;
  }
  fmt::print("{}\n", json);
  return false;
}

void PrintPlan(const Plan& plan, const Sensitivity& sensitivity, const ProblemOptions& options) {
  std::vector<std::string> header{"layer", "operator", "weights", "weight bits", "input bits", "predicted loss"};
  if (plan.stability) header.emplace_back("kept");
  Table table(header);
  const Measure measure = ParseMeasure(plan.measure);
  const double floor = CurvatureFloor(sensitivity, measure);
  const Sensitivity predicted = options.shrink ? ShrinkFigures(sensitivity, measure) : sensitivity;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const LayerPlan& layer = plan.layers[i];
    const LayerSensitivity& facts = predicted.layers[i];
    double loss = 0;
    for (const Perturbation& choice : facts.weight_choices)
      if (choice.bits == layer.weight.bits) loss += PredictedCost(facts.weight, choice, measure, floor);
    for (const Perturbation& choice : facts.activation_choices)
      if (choice.bits == layer.activation.bits && choice.bits < 32)
        loss += PredictedCost(facts.activation, choice, measure, floor);
    std::vector<std::string> row{layer.name,
                                 facts.op,
                                 WithCommas(facts.weight_count),
                                 Bits(layer.weight.bits),
                                 Bits(layer.activation.bits),
                                 fmt::format("{:.4g}", loss)};
    if (plan.stability) row.push_back(fmt::format("{:.0f}%", 100 * plan.stability->kept.at(layer.name)));
    table.Add(std::move(row));
  }
  fmt::print("{}\n", table.Text());
}

void PrintCosts(const Plan& plan) {
  Table table({"cost", "plan", "budget", "used"});
  for (const auto& [cost, value] : plan.costs) {
    const auto budget = plan.budgets.find(cost);
    const bool has = budget != plan.budgets.end();
    table.Add({cost, CostText(cost, value), has ? CostText(cost, budget->second) : "-",
               has && budget->second > 0 ? fmt::format("{:.1f}%", 100 * value / budget->second) : "-"});
  }
  fmt::print("{}\n{}: objective {:.6g}, proven bound {:.6g}, gap {:.3g}% ({}, measure {})\n", table.Text(),
             ToString(plan.certificate.status), plan.certificate.objective, plan.certificate.bound,
             100 * plan.certificate.gap, plan.certificate.method, plan.measure);
  if (!plan.stability) return;
  const Stability& stability = *plan.stability;
  const std::string found =
      stability.proven == 1 ? "" : fmt::format(" (proven in {:.0f}%, else of those found)", 100 * stability.proven);
  fmt::print(
      "on {} resamples of the samples the plan stays the best{} in {:.0f}%, and is {:.2g}% above the best on average; "
      "kept: how often a layer keeps its bits\n",
      stability.resamples, found, 100 * stability.best, 100 * stability.regret);
}

void PrintInFloat(const std::vector<FloatOperator>& in_float, const std::string& if_none) {
  if (in_float.empty()) {
    fmt::print("\n{}\n", if_none);
    return;
  }
  constexpr std::size_t kShown = 4;
  std::vector<std::pair<const FloatOperator*, std::vector<std::string>>> alike;  // by operator and reason
  for (const FloatOperator& each : in_float) {
    const auto known = std::find_if(alike.begin(), alike.end(), [&](const auto& group) {
      return group.first->op == each.op && group.first->reason == each.reason;
    });
    (known == alike.end() ? alike.emplace_back(&each, std::vector<std::string>()) : *known).second.push_back(each.name);
  }
  Table table({"in float", "how many", "which", "why"});
  for (const auto& [first, names] : alike)
    table.Add({first->op, WithCommas(std::ssize(names)), text::Shortened(names, kShown), first->reason});
  fmt::print("\n{}", table.Text());
  if (std::any_of(alike.begin(), alike.end(), [](const auto& group) { return group.second.size() > kShown; }))
    fmt::print("--json FILE lists them all\n");
}

void PrintEvaluation(const EvaluationReport& report, const std::string& planned,
                     const std::optional<std::pair<std::string, Evaluation>>& computed_otherwise) {
  Table table(EvaluationHeader(report.float_network));
  table.Add(EvaluationRow("float", report.float_network));
  if (report.planned) table.Add(EvaluationRow(planned, *report.planned));
  if (computed_otherwise) table.Add(EvaluationRow(computed_otherwise->first, computed_otherwise->second));
  if (report.uniform && report.uniform_bits)
    table.Add(EvaluationRow(
        fmt::format("uniform w{}a{}", report.uniform_bits->weight_bits, report.uniform_bits->activation_bits),
        *report.uniform));
  fmt::print("{}", table.Text());
}

void PrintCriterion(const Criterion& criterion) {
  if (criterion.reason.empty()) return;
  if (criterion.outputs == OutputKind::Several) {
    if (criterion.module) fmt::print("the loss is by the module {}; beside it ", criterion.module->name());
    const bool has_classes = std::ranges::any_of(
        criterion.several, [](const JudgedOutput& each) { return each.kind == OutputKind::Classes; });
    return fmt::print(
        "outputs are judged one by one: {}{}\n", criterion.reason,
        has_classes && !criterion.module ? "; --loss mean-squared-error is for vectors that are no classes" : "");
  }
  if (criterion.module)
    return fmt::print("the loss is by the module {}; outputs are compared as {} beside it\n", criterion.module->name(),
                      ToString(criterion.outputs));
  fmt::print("the loss is {}{}: {}; --loss and --class-axis ask for another\n", ToString(criterion.loss),
             criterion.ComparesWithLabels() ? " from the labels" : " from the float network's output",
             criterion.reason);
}

void PrintInfeasible(const CommandLine& line, const Problem& problem, const Solution& solution) {
  if (solution.status == SolutionStatus::Unknown) return Tell(BriefReport(solution));
  const Infeasibility& why = solution.infeasibility;
  if (why.jointly) {
    Tell(
        fmt::format("no plan is within all budgets together: the plan that comes closest needs {} {}, the budget is {}",
                    CostText(why.budget, why.least), why.budget, CostText(why.budget, why.limit)));
  } else {
    Tell(fmt::format("no plan is within the budget {} = {}: the cheapest plan needs {}{}", why.budget,
                     CostText(why.budget, why.limit), CostText(why.budget, why.least), Excess(why.least, why.limit)));
  }
  if (why.cheapest.size() != problem.groups.size()) return;
  Tell(fmt::format("that plan has the objective {:.6g}; {} lists its {} choices", ObjectiveOf(problem, why.cheapest),
                   line.Has("json") ? line.Get<std::string>("json") : "--json FILE", why.cheapest.size()));
}

}  // namespace bitplan::cli
