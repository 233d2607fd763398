#include "joint_term.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

#include "bitplan/cost.h"
#include "bitplan/error.h"

namespace bitplan {

namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using RowsOfFloats = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

bool IsLogitModel(Measure measure) { return measure == Measure::LogitShift || measure == Measure::Divergence; }

/// The temperature of the softmax whose curvature `measure` has.
double TemperatureOf(const Sensitivity& sensitivity, Measure measure) {
  return measure == Measure::Divergence || sensitivity.loss == Loss::Divergence ? sensitivity.temperature : 1;
}

/// Which choice each row of OutputShifts::shifts is of.
struct Row {
  std::size_t layer = 0;
  bool activation = false;
  int bits = 32;

  bool operator<(const Row& other) const {
    return std::tie(layer, activation, bits) < std::tie(other.layer, other.activation, other.bits);
  }
};

std::vector<Row> RowsOf(const Sensitivity& sensitivity) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < sensitivity.layers.size(); ++i)
    for (const bool activation : {false, true})
      for (const Perturbation& choice :
           activation ? sensitivity.layers[i].activation_choices : sensitivity.layers[i].weight_choices)
        if (choice.bits < 32) rows.push_back({i, activation, choice.bits});
  return rows;
}

/// Shifts of the problem's choices, [choices, samples, classes]: of each, the sum over its weights and inputs.
std::vector<float> ShiftsOf(const Sensitivity& sensitivity, const Problem& problem) {
  const OutputShifts& all = *sensitivity.shifts;
  std::map<Row, std::size_t> positions;
  for (const Row& row : RowsOf(sensitivity)) positions.emplace(row, positions.size());
  std::map<std::string, std::size_t> layers;
  for (std::size_t i = 0; i < sensitivity.layers.size(); ++i) layers[sensitivity.layers[i].name] = i;
  const std::size_t size = all.samples * all.classes;
  std::vector<float> shifts(problem.ChoiceCount() * size);
  auto to = shifts.begin();
  for (const Group& group : problem.groups)
    for (const Choice& choice : group.choices) {
      for (const LayerBits& bits : BitsOfChoice(group, choice))
        for (const bool activation : {false, true}) {
          const auto found =
              positions.find({layers.at(bits.layer), activation, activation ? bits.activation_bits : bits.weight_bits});
          if (found == positions.end()) continue;
          const auto from = all.shifts.begin() + static_cast<std::ptrdiff_t>(found->second * size);
          std::transform(from, from + static_cast<std::ptrdiff_t>(size), to, to, std::plus<>());
        }
      to += static_cast<std::ptrdiff_t>(size);
    }
  return shifts;
}

/// The loss whose curvature a measure has.
Loss LossOf(const Sensitivity& sensitivity, Measure measure) {
  if (measure == Measure::LogitShift) return Loss::LogitShift;
  return measure == Measure::Divergence ? Loss::Divergence : sensitivity.loss;
}

/// Rows u = r ᵀδz of one sample, one for each row of `shifts` [rows, samples · classes], so that ½‖u‖² is its loss to
/// second order: of classes √p (δz − pᵀδz), p the softmax, or δz less its mean; of losses that judge each number for
/// itself √h δz, h the second derivative.
class CurvatureRows {
 public:
  CurvatureRows(const Sensitivity& sensitivity, Measure measure, const std::vector<float>& shifts)
      : shifts_(*sensitivity.shifts),
        outputs_(sensitivity.outputs),
        loss_(LossOf(sensitivity, measure)),
        temperature_(TemperatureOf(sensitivity, measure)),
        rows_(shifts.data(), static_cast<Index>(shifts.size() / (shifts_.samples * shifts_.classes)),
              static_cast<Index>(shifts_.samples * shifts_.classes)) {}

  Index Count() const { return rows_.rows(); }

  MatrixXd Of(std::size_t sample) const {
    const auto classes = static_cast<Index>(shifts_.classes);
    const MatrixXd delta = rows_.middleCols(static_cast<Index>(sample) * classes, classes).cast<double>();
    if (IsPerNumber()) return delta * SecondDerivatives(sample).sqrt().matrix().asDiagonal();
    if (loss_ == Loss::LogitShift) return delta.colwise() - delta.rowwise().mean();
    const ArrayXd z = Logits(sample);
    ArrayXd p = (z - z.maxCoeff()).exp();
    p /= p.sum();
    const MatrixXd centered = delta.colwise() - delta * p.matrix();
    return centered * p.sqrt().matrix().asDiagonal();
  }

 private:
  bool IsPerNumber() const {
    return outputs_ != OutputKind::Classes || loss_ == Loss::MeanSquaredError || loss_ == Loss::BinaryCrossEntropy;
  }

  ArrayXd Logits(std::size_t sample) const {
    return Eigen::Map<const Eigen::ArrayXf>(shifts_.logits.data() + sample * shifts_.classes,
                                            static_cast<Index>(shifts_.classes))
               .cast<double>() /
           temperature_;
  }

  ArrayXd SecondDerivatives(std::size_t sample) const {
    const auto classes = static_cast<Index>(shifts_.classes);
    if (loss_ == Loss::LogitShift) return ArrayXd::Ones(classes);
    const bool squares =
        loss_ == Loss::MeanSquaredError || (loss_ == Loss::Divergence && outputs_ == OutputKind::Values);
    if (squares) return ArrayXd::Constant(classes, 2.0 / static_cast<double>(classes));
    const ArrayXd p = 1 / (1 + (-Logits(sample)).exp());
    return p * (1 - p) / static_cast<double>(classes);
  }

  const OutputShifts& shifts_;
  OutputKind outputs_;
  Loss loss_;
  double temperature_;
  RowsOfFloats rows_;
};

QuadraticTerm Quadratic(const Sensitivity& sensitivity, Measure measure, double share,
                        const std::vector<float>& shifts) {
  const CurvatureRows rows(sensitivity, measure, shifts);
  const std::size_t samples = sensitivity.shifts->samples;
  MatrixXd sum = MatrixXd::Zero(rows.Count(), rows.Count());
  for (std::size_t n = 0; n < samples; ++n) sum.selfadjointView<Eigen::Lower>().rankUpdate(rows.Of(n));
  sum *= share / static_cast<double>(samples);
  QuadraticTerm term;
  term.matrix.resize(static_cast<std::size_t>(sum.size()));
  MatrixXd::Map(term.matrix.data(), sum.rows(), sum.cols()) = sum.selfadjointView<Eigen::Lower>();
  return term;
}

/// Numbers v as pairs (low · v, high · v): two classes each.
std::vector<float> AsPairs(const std::vector<float>& numbers, double low, double high) {
  std::vector<float> pairs;
  for (const float number : numbers)
    for (const double factor : {low, high}) pairs.push_back(static_cast<float>(factor * number));
  return pairs;
}

/// Outputs that are no classes are put as two classes each: a logit z is (0, z), whose softmax is its sigmoid; a
/// value's shift v is (−a v, a v), whose squared length ½ Σ is what it is charged.
LogitTerm LogitModel(const Sensitivity& sensitivity, Measure measure, double share, std::vector<float> shifts) {
  const bool values = sensitivity.outputs == OutputKind::Values;
  LogitTerm term;
  term.loss = measure == Measure::Divergence && !values ? LogitLoss::Divergence : LogitLoss::SquaredShift;
  term.temperature = sensitivity.temperature;
  term.scale = share;
  term.samples = sensitivity.shifts->samples;
  term.classes = sensitivity.shifts->classes;
  if (term.loss == LogitLoss::Divergence) term.logits = sensitivity.shifts->logits;
  term.shifts = std::move(shifts);
  if (sensitivity.outputs == OutputKind::Classes) return term;
  term.classes = 2;
  const double half = measure == Measure::Divergence ? 1 : std::sqrt(0.5);
  term.logits = AsPairs(term.logits, 0, 1);
  term.shifts = term.loss == LogitLoss::Divergence ? AsPairs(term.shifts, 0, 1) : AsPairs(term.shifts, -half, half);
  return term;
}

}  // namespace

}  // namespace bitplan

namespace bitplan::cost {

Measure JointFigure(Measure measure) { return measure == Measure::Quadratic ? Measure::GaussNewton : measure; }

void CheckJoint(const Sensitivity& sensitivity, Measure measure) {
  if (!CanBeJoint(measure))
    throw Error(fmt::format(
        "a joint problem is made of the measures logit-shift, divergence, gauss-newton and quadratic, not {}",
        ToString(measure)));
  if (!CanBeJoint(sensitivity, measure))
    throw Error(fmt::format(
        "a joint problem takes the loss from the shifts of one output, and {}; search without a joint term",
        sensitivity.outputs == OutputKind::Several ? "several are judged here" : "the loss here is a module's"));
  if (!sensitivity.shifts)
    throw Error(
        "the sensitivity file has no shifts of the output, which a joint problem is made of; analyze with --shifts");
  if (!sensitivity.Has(JointFigure(measure)))
    throw Error(fmt::format("a joint problem of {0} needs the figures of {1}; analyze with --measures {0},{1}",
                            ToString(measure), ToString(JointFigure(measure))));
}

}  // namespace bitplan::cost

namespace bitplan {

double CrossTermShare(const Sensitivity& sensitivity, Measure measure) {
  cost::CheckJoint(sensitivity, measure);
  const CurvatureRows rows(sensitivity, measure, sensitivity.shifts->shifts);
  const auto samples = static_cast<double>(sensitivity.shifts->samples);
  if (samples < 2) return 1;
  MatrixXd sum = MatrixXd::Zero(rows.Count(), rows.Count()), squares = sum;
  for (std::size_t n = 0; n < sensitivity.shifts->samples; ++n) {
    const MatrixXd u = rows.Of(n), products = u * u.transpose();
    sum += products;
    squares += products.cwiseAbs2();
  }
  const std::vector<Row> owners = RowsOf(sensitivity);
  double explained = 0, total = 0;
  for (Index i = 0; i < rows.Count(); ++i)
    for (Index j = 0; j < i; ++j) {
      const double norm = sum(i, i) * sum(j, j) / (samples * samples);
      if (owners[static_cast<std::size_t>(i)].layer == owners[static_cast<std::size_t>(j)].layer || !(norm > 0))
        continue;
      const double mean = sum(i, j) / samples;
      total += mean * mean / norm;
      explained += (squares(i, j) / samples - mean * mean) / (samples - 1) / norm;
    }
  return total > 0 ? std::clamp(1 - explained / total, 0.0, 1.0) : 0;
}

}  // namespace bitplan

namespace bitplan::cost {

std::optional<JointTerm> MakeJointTerm(const Sensitivity& sensitivity, Measure measure, double share,
                                       const Problem& problem) {
  if (!(share > 0)) return std::nullopt;
  std::vector<float> shifts = ShiftsOf(sensitivity, problem);
  if (IsLogitModel(measure)) return LogitModel(sensitivity, measure, share, std::move(shifts));
  return Quadratic(sensitivity, measure, share, shifts);
}

}  // namespace bitplan::cost
