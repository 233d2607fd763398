#include "bitplan/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "text/enum_names.h"

namespace bitplan {

namespace {

constexpr text::Names<Measure, 11> kMeasures = {{{Measure::WeightError, "weight-error"},
                                                 {Measure::RelativeError, "relative-error"},
                                                 {Measure::OutputError, "output-error"},
                                                 {Measure::Eigenvalue, "eigenvalue"},
                                                 {Measure::Trace, "trace"},
                                                 {Measure::Fisher, "fisher"},
                                                 {Measure::LogitShift, "logit-shift"},
                                                 {Measure::Divergence, "divergence"},
                                                 {Measure::GaussNewton, "gauss-newton"},
                                                 {Measure::Quadratic, "quadratic"},
                                                 {Measure::SingleLoss, "single-loss"}}};

bool HasCurvature(const Curvature& curvature, Measure measure) {
  if (measure == Measure::Trace) return curvature.trace.has_value();
  return measure != Measure::Eigenvalue || curvature.eigenvalue.has_value();
}

/// What multiplies ‖Δ‖², before the floor.
double CurvatureFigure(const Curvature& curvature, Measure measure) {
  switch (measure) {
    case Measure::Eigenvalue:
      return std::max(std::abs(curvature.eigenvalue.value_or(0)), curvature.eigenvalue_residual);
    case Measure::Trace: {
      const double trace = curvature.trace.value_or(0), noise = 2 * curvature.trace_standard_error;
      const bool known = curvature.trace_significant || trace < -noise;
      const double counted = known ? std::abs(trace) : std::max(trace, 0.0) + noise;
      return counted / static_cast<double>(std::max<std::int64_t>(curvature.elements, 1));
    }
    case Measure::WeightError:
    case Measure::RelativeError:
    case Measure::OutputError:
    case Measure::Fisher:
    case Measure::LogitShift:
    case Measure::Divergence:
    case Measure::GaussNewton:
    case Measure::Quadratic:
    case Measure::SingleLoss:
      break;
  }
  return 1;
}

/// What a figure counts as.
double CountedFigure(const Estimate& figure, Measure measure) {
  if (measure != Measure::Quadratic && measure != Measure::SingleLoss) return figure.value;
  return figure.standard_error > 0 ? std::max(figure.value, figure.standard_error) : std::abs(figure.value);
}

bool HasFigure(const std::vector<Perturbation>& choices, Measure measure) {
  return !HasFigures(measure) || std::all_of(choices.begin(), choices.end(), [&](const Perturbation& choice) {
    return choice.bits == 32 || choice.figures.contains(measure);
  });
}

}  // namespace

bool Sensitivity::Has(Measure measure) const {
  return std::all_of(layers.begin(), layers.end(), [&](const LayerSensitivity& layer) {
    const bool quantizes_input = std::any_of(layer.activation_choices.begin(), layer.activation_choices.end(),
                                             [](const Perturbation& choice) { return choice.bits < 32; });
    return HasCurvature(layer.weight, measure) && HasFigure(layer.weight_choices, measure) &&
           (!quantizes_input ||
            (HasCurvature(layer.activation, measure) && HasFigure(layer.activation_choices, measure)));
  });
}

double PredictedCost(const Curvature& curvature, const Perturbation& perturbation, Measure measure, double floor) {
  if (perturbation.bits == 32) return 0;
  if (HasFigures(measure)) return CountedFigure(perturbation.figures.at(measure), measure);
  const double error = measure == Measure::RelativeError ? perturbation.relative_error : perturbation.squared_error;
  return std::max(CurvatureFigure(curvature, measure), floor) * error;
}

double CurvatureFloor(const Sensitivity& sensitivity, Measure measure) {
  // Layers without any curvature do not count: where they are many, they would leave the others without a floor.
  std::vector<double> figures;
  for (const LayerSensitivity& layer : sensitivity.layers)
    if (const double figure = CurvatureFigure(layer.weight, measure); figure > 0) figures.push_back(figure);
  if (figures.empty()) return 1;  // all that is left to tell layers apart is the error itself
  const auto median = figures.begin() + static_cast<std::ptrdiff_t>(figures.size() / 2);
  std::nth_element(figures.begin(), median, figures.end());
  return *median / 1000;
}

double WorstRelativeError(const Sensitivity& sensitivity, Measure measure) {
  double worst = 0;
  for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices}) {
    std::map<int, std::vector<Estimate>> of_width;
    for (const LayerSensitivity& layer : sensitivity.layers)
      for (const Perturbation& choice : layer.*kind) {
        const auto figure = choice.figures.find(measure);
        if (figure != choice.figures.end() && figure->second.standard_error > 0)
          of_width[choice.bits].push_back(figure->second);
      }
    for (const auto& [bits, figures] : of_width) {
      double mean = 0;
      for (const Estimate& figure : figures) mean += std::abs(figure.value) / static_cast<double>(figures.size());
      for (const Estimate& figure : figures)
        worst = std::max(worst, figure.standard_error / std::max(mean, std::abs(figure.value)));
    }
  }
  return worst;
}

bool IsOfShifts(Measure measure) {
  return measure == Measure::LogitShift || measure == Measure::Divergence || measure == Measure::GaussNewton ||
         measure == Measure::Quadratic || measure == Measure::SingleLoss;
}

bool CanBeJoint(Measure measure) { return IsOfShifts(measure) && measure != Measure::SingleLoss; }

bool CanBeJoint(const Sensitivity& sensitivity, Measure measure) {
  const bool of_loss = measure == Measure::GaussNewton || measure == Measure::Quadratic;
  return CanBeJoint(measure) && sensitivity.outputs != OutputKind::Several &&
         !(of_loss && sensitivity.loss == Loss::Module);
}

bool HasFigures(Measure measure) {
  return measure != Measure::WeightError && measure != Measure::RelativeError && measure != Measure::Eigenvalue &&
         measure != Measure::Trace;
}

std::vector<Measure> AllMeasures() {
  std::vector<Measure> all;
  for (const auto& [measure, name] : kMeasures) all.push_back(measure);
  return all;
}

BITPLAN_ENUM_NAMES(Measure, kMeasures, "measure")
Measure ParseMeasure(std::string_view text) { return Parse<Measure>(text); }

}  // namespace bitplan
