#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <variant>

#include "bitplan/cost.h"
#include "bitplan/search.h"
#include "cost/error_message.h"
#include "cost/example_layers.h"

namespace bitplan::cost {
namespace {

/// Of the example's rows of shifts those that are taken: each of the four layers has weights of 2, 4 and 8 bits and an
/// input of 8.
std::vector<std::size_t> RowsOf(const Problem& problem, const std::vector<std::size_t>& choices) {
  std::vector<std::size_t> rows;
  for (std::size_t g = 0; g < 4; ++g) {
    const LayerBits bits = BitsOfChoice(problem.groups[g], problem.groups[g].choices[choices[g]])[0];
    rows.push_back(4 * g + (bits.weight_bits == 2 ? 0 : (bits.weight_bits == 4 ? 1 : 2)));
    if (bits.activation_bits == 8) rows.push_back(4 * g + 3);
  }
  return rows;
}

/// The example with random shifts, each layer's partly those of a common cause, and the figures that follow from them,
/// by plain loops.
struct RandomShifts {
  static constexpr std::size_t kSamples = 40, kClasses = 3;
  Sensitivity sensitivity = ExampleSensitivity();
  std::vector<std::vector<double>> probabilities;  // [samples][classes]

  explicit RandomShifts(double common) {
    sensitivity.loss = Loss::CrossEntropy;
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    OutputShifts shifts{kSamples, kClasses, {}, {}};
    for (std::size_t i = 0; i < kSamples * kClasses; ++i) shifts.logits.push_back(2 * normal(random));
    for (std::size_t n = 0; n < kSamples; ++n) {
      std::vector<double>& p = probabilities.emplace_back();
      double sum = 0;
      for (std::size_t c = 0; c < kClasses; ++c)
        p.push_back(std::exp(static_cast<double>(shifts.logits[n * kClasses + c])));
      for (const double each : p) sum += each;
      for (double& each : p) each /= sum;
    }
    std::vector<float> cause(kSamples * kClasses);
    for (float& each : cause) each = normal(random);
    for (LayerSensitivity& layer : sensitivity.layers)
      for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
        for (Perturbation& choice : layer.*kind) {
          if (choice.bits == 32) continue;
          const std::size_t begin = shifts.shifts.size();
          for (const float each : cause)
            shifts.shifts.push_back(0.1F * (static_cast<float>(common) * each + normal(random)));
          double curved = 0;
          for (std::size_t n = 0; n < kSamples; ++n) curved += Product(shifts, begin, begin, n) / 2 / kSamples;
          choice.figures[Measure::GaussNewton] = {curved, 0};
          choice.figures[Measure::Quadratic] = {curved + 0.01 * choice.bits, 0};
        }
    sensitivity.shifts = shifts;
  }

  /// δᵀ(diag p − p pᵀ)δ' of one sample, of the shifts that begin at `a` and `b`.
  double Product(const OutputShifts& shifts, std::size_t a, std::size_t b, std::size_t sample) const {
    const auto value = [&](std::size_t begin, std::size_t c) {
      return static_cast<double>(shifts.shifts[begin + sample * kClasses + c]);
    };
    const std::vector<double>& p = probabilities[sample];
    double both = 0, first = 0, second = 0;
    for (std::size_t c = 0; c < kClasses; ++c) {
      both += p[c] * value(a, c) * value(b, c);
      first += p[c] * value(a, c);
      second += p[c] * value(b, c);
    }
    return both - first * second;
  }

  double Mean(std::size_t a, std::size_t b) const {
    double sum = 0;
    for (std::size_t n = 0; n < kSamples; ++n)
      sum += Product(*sensitivity.shifts, a * kSamples * kClasses, b * kSamples * kClasses, n);
    return sum / kSamples;
  }
};

ProblemOptions Joint(Measure measure, bool shrink) {
  ProblemOptions options;
  options.measure = measure;
  options.joint = true;
  options.shrink = shrink;
  return options;
}

/// Of each layer w2, w4, w8 and a8; a group's choices are w2a8, w2a32, w4a8, …
TEST(JointProblem, OfTheGaussNewtonMeasureIsTheCurvatureOfTheSummedShifts) {
  const RandomShifts random(1);
  for (const Measure measure : {Measure::GaussNewton, Measure::Quadratic}) {
    const Problem problem = MakeProblem(random.sensitivity, Joint(measure, false));
    problem.Validate();
    ASSERT_TRUE(std::holds_alternative<QuadraticTerm>(*problem.joint));
    for (const std::vector<std::size_t>& choices : {std::vector<std::size_t>{0, 1, 2, 3}, {5, 4, 1, 0}, {2, 2, 2, 2}}) {
      const std::vector<std::size_t> taken = RowsOf(problem, choices);
      double expected = 0;
      for (std::size_t g = 0; g < 4 && measure == Measure::Quadratic; ++g) {
        const LayerBits bits = BitsOfChoice(problem.groups[g], problem.groups[g].choices[choices[g]])[0];
        expected += 0.01 * (bits.weight_bits + (bits.activation_bits == 8 ? 8 : 0));
      }
      for (const std::size_t a : taken)
        for (const std::size_t b : taken) expected += random.Mean(a, b) / 2;
      EXPECT_NEAR(ObjectiveOf(problem, choices), expected, 1e-6 * expected);
    }
  }
}

double Square(double x) { return x * x; }
double Sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

/// What a number z is charged for a shift v, by the definitions.
double ChargeOf(OutputKind outputs, Measure measure, double z, double v) {
  const bool binary = outputs == OutputKind::Binary;
  const double p = Sigmoid(z), q = Sigmoid(z + v);
  if (measure == Measure::LogitShift) return Square(v) / 2;
  if (measure == Measure::GaussNewton) return binary ? p * (1 - p) * Square(v) / 2 : Square(v);
  return binary ? p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)) : Square(v);
}

/// Yes or no, and values: each number is a sample with one class.
TEST(JointProblem, OfOtherOutputsThanClassesIsTheLossOfTheSummedShifts) {
  for (const OutputKind outputs : {OutputKind::Binary, OutputKind::Values})
    for (const Measure measure : {Measure::LogitShift, Measure::Divergence, Measure::GaussNewton}) {
      RandomShifts random(1);
      Sensitivity& sensitivity = random.sensitivity;
      sensitivity.outputs = outputs;
      sensitivity.loss = outputs == OutputKind::Binary ? Loss::BinaryCrossEntropy : Loss::MeanSquaredError;
      OutputShifts& shifts = *sensitivity.shifts;
      shifts.samples *= shifts.classes;
      shifts.classes = 1;
      const auto mean_charge = [&](const std::vector<std::size_t>& rows) {
        double sum = 0;
        for (std::size_t n = 0; n < shifts.samples; ++n) {
          double shift = 0;
          for (const std::size_t row : rows) shift += static_cast<double>(shifts.shifts[row * shifts.samples + n]);
          sum += ChargeOf(outputs, measure, static_cast<double>(shifts.logits[n]), shift);
        }
        return sum / static_cast<double>(shifts.samples);
      };
      std::size_t row = 0;
      for (LayerSensitivity& layer : sensitivity.layers)
        for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
          for (Perturbation& choice : layer.*kind)
            if (choice.bits < 32) choice.figures[measure] = {mean_charge({row++}), 0};
      const Problem problem = MakeProblem(sensitivity, Joint(measure, false));
      problem.Validate();
      for (const std::vector<std::size_t>& choices : {std::vector<std::size_t>{0, 1, 2, 3}, {5, 4, 1, 0}}) {
        const std::vector<std::size_t> taken = RowsOf(problem, choices);
        const double expected = mean_charge(taken);
        EXPECT_NEAR(ObjectiveOf(problem, choices), expected, 1e-5 * expected)
            << ToString(outputs) << " " << ToString(measure);
      }
    }
}

/// ½ the second derivatives of the mean squared error along the shifts, by finite differences, which are exact of it.
TEST(JointProblem, OfTheMeanSquaredErrorHasTheSecondDerivativesOfTheLoss) {
  for (const OutputKind outputs : {OutputKind::Values, OutputKind::Classes}) {
    RandomShifts random(1);
    Sensitivity& sensitivity = random.sensitivity;
    sensitivity.loss = Loss::MeanSquaredError;
    sensitivity.outputs = outputs;
    const OutputShifts& shifts = *sensitivity.shifts;
    const std::size_t size = shifts.samples * shifts.classes;
    std::mt19937 generator(2);
    std::normal_distribution<double> normal;
    std::vector<double> wanted(size);
    for (double& each : wanted) each = normal(generator);
    const auto loss = [&](std::size_t a, double of_a, std::size_t b, double of_b) {
      double sum = 0;
      for (std::size_t i = 0; i < size; ++i)
        sum += Square(static_cast<double>(shifts.logits[i]) + of_a * static_cast<double>(shifts.shifts[a * size + i]) +
                      of_b * static_cast<double>(shifts.shifts[b * size + i]) - wanted[i]);
      return sum / static_cast<double>(size);
    };
    const auto second = [&](std::size_t a, std::size_t b) {
      return (loss(a, 1, b, 1) - loss(a, 1, b, -1) - loss(a, -1, b, 1) + loss(a, -1, b, -1)) / 4;
    };
    std::size_t row = 0;
    for (LayerSensitivity& layer : sensitivity.layers)
      for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
        for (Perturbation& choice : layer.*kind)
          if (choice.bits < 32) {
            choice.figures[Measure::GaussNewton] = {second(row, row) / 2, 0};
            ++row;
          }
    const Problem problem = MakeProblem(sensitivity, Joint(Measure::GaussNewton, false));
    for (const std::vector<std::size_t>& choices : {std::vector<std::size_t>{0, 1, 2, 3}, {5, 4, 1, 0}}) {
      const std::vector<std::size_t> taken = RowsOf(problem, choices);
      double expected = 0;
      for (const std::size_t a : taken)
        for (const std::size_t b : taken) expected += second(a, b) / 2;
      EXPECT_NEAR(ObjectiveOf(problem, choices), expected, 1e-5 * expected) << ToString(outputs);
    }
  }
}

TEST(JointProblem, ShrunkIsAsMuchBelowTheWholeAsItsCrossTermsCountLess) {
  const RandomShifts random(1);
  const double share = CrossTermShare(random.sensitivity, Measure::GaussNewton);
  EXPECT_GT(share, 0.5);
  EXPECT_LT(share, 1);
  ProblemOptions own;
  own.measure = Measure::GaussNewton;
  const Problem whole = MakeProblem(random.sensitivity, Joint(Measure::GaussNewton, false)),
                shrunk = MakeProblem(random.sensitivity, Joint(Measure::GaussNewton, true)),
                alone = MakeProblem(random.sensitivity, own);
  for (const std::vector<std::size_t>& choices : {std::vector<std::size_t>{1, 1, 3, 3}, {5, 3, 1, 1}}) {
    const double cross = ObjectiveOf(whole, choices) - ObjectiveOf(alone, choices);
    EXPECT_NEAR(ObjectiveOf(shrunk, choices), ObjectiveOf(alone, choices) + share * cross,
                1e-6 * ObjectiveOf(whole, choices));
  }
}

/// 1 − Σ variance / Σ square of the correlations between layers, by plain loops.
TEST(CrossTermShare, IsTheShareOfTheCorrelationsThatIsNotNoise) {
  for (const double common : {0.0, 0.3, 1.0, 10.0}) {
    const RandomShifts random(common);
    constexpr std::size_t kSize = RandomShifts::kSamples * RandomShifts::kClasses;
    double noise = 0, all = 0;
    for (std::size_t a = 0; a < 16; ++a)
      for (std::size_t b = 0; b < a; ++b) {
        if (a / 4 == b / 4) continue;
        const double mean = random.Mean(a, b), norm = random.Mean(a, a) * random.Mean(b, b);
        double variance = 0;
        for (std::size_t n = 0; n < RandomShifts::kSamples; ++n)
          variance += std::pow(random.Product(*random.sensitivity.shifts, a * kSize, b * kSize, n) - mean, 2);
        noise += variance / RandomShifts::kSamples / (RandomShifts::kSamples - 1) / norm;
        all += mean * mean / norm;
      }
    EXPECT_NEAR(CrossTermShare(random.sensitivity, Measure::GaussNewton), std::max(0.0, 1 - noise / all), 1e-5)
        << common;
    if (common == 0) {
      EXPECT_LT(1 - noise / all, 0.35);
    } else if (common == 10) {
      EXPECT_GT(1 - noise / all, 0.9);
    }
  }
}

TEST(JointProblem, RefusesACurvatureThatDoesNotFollowFromTheShifts) {
  RandomShifts random(1);
  for (LayerSensitivity& layer : random.sensitivity.layers)
    for (Perturbation& choice : layer.weight_choices) choice.figures.erase(Measure::GaussNewton);
  EXPECT_THAT([&] { MakeProblem(random.sensitivity, Joint(Measure::Quadratic, true)); },
              OneLineError("quadratic", "gauss-newton"));
}

}  // namespace
}  // namespace bitplan::cost
