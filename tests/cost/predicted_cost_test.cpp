#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "bitplan/sensitivity.h"
#include "cost/error_message.h"
#include "cost/example_layers.h"

namespace bitplan::cost {
namespace {

const Perturbation kPerturbation{4, 0.5, 0.25};

TEST(PredictedCost, IsTheFigureTimesTheSquaredError) {
  const Curvature curvature{.elements = 10, .eigenvalue = 3.0, .trace = 20.0, .trace_significant = true};
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Eigenvalue, 0), 1.5);
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Trace, 0), 1.0);
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::WeightError, 0), 0.5);
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::RelativeError, 0), 0.25);
}

TEST(PredictedCost, OfFloatIsNothing) {
  const Curvature curvature{.elements = 10, .eigenvalue = 3.0, .trace = 20.0, .trace_significant = true};
  for (const Measure measure : {Measure::Eigenvalue, Measure::Trace, Measure::WeightError, Measure::RelativeError})
    EXPECT_EQ(PredictedCost(curvature, {32, 0.5, 0.25}, measure, 1), 0);
}

TEST(PredictedCost, OfAnEigenvalueCountsAtLeastItsResidualAndTheFloor) {
  Curvature curvature{.elements = 10, .eigenvalue = 0.1, .eigenvalue_residual = 0.2, .trace = std::nullopt};
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Eigenvalue, 0.01), 0.1);
  curvature.eigenvalue = 0;
  curvature.eigenvalue_residual = 0;
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Eigenvalue, 0.01), 0.005);
}

TEST(PredictedCost, OfNegativeCurvatureIsThatOfItsMagnitude) {
  const Curvature curvature{.elements = 10, .eigenvalue = -3.0, .trace = -50.0, .trace_standard_error = 4};
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Eigenvalue, 0.01), 1.5);
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Trace, 0.01), 2.5);
}

TEST(PredictedCost, OfALossThatFallsIsItsStandardErrorOrWithoutOneItsMagnitude) {
  for (const Measure measure : {Measure::Quadratic, Measure::SingleLoss}) {
    const auto cost = [&](double value, double error) {
      Perturbation perturbation = kPerturbation;
      perturbation.figures[measure] = {value, error};
      return PredictedCost({}, perturbation, measure, 0);
    };
    EXPECT_DOUBLE_EQ(cost(-3, 0.5), 0.5);
    EXPECT_DOUBLE_EQ(cost(0.25, 0.5), 0.5);
    EXPECT_DOUBLE_EQ(cost(2, 0.5), 2);
    EXPECT_DOUBLE_EQ(cost(-3, 0), 3);
  }
}

TEST(PredictedCost, OfAnInsignificantTraceIsItsUpperEnd) {
  Curvature curvature{.elements = 10, .eigenvalue = std::nullopt, .trace = 2.0, .trace_standard_error = 4.0};
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Trace, 0), 0.5);  // (2 + 8) / 10 · 0.5
  curvature.trace = -5;
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Trace, 0), 0.4);
  curvature.trace = 0;
  curvature.trace_standard_error = 0;
  EXPECT_DOUBLE_EQ(PredictedCost(curvature, kPerturbation, Measure::Trace, 0.02), 0.01);
}

TEST(CurvatureFloor, IsAThousandthOfTheMedianSoThatNoLayerIsFree) {
  Sensitivity sensitivity = ExampleSensitivity();
  sensitivity.layers.pop_back();
  for (std::size_t i = 0; i < 3; ++i) sensitivity.layers[i].weight.eigenvalue = std::vector<double>{5, -1, 7}[i];
  EXPECT_DOUBLE_EQ(CurvatureFloor(sensitivity, Measure::Eigenvalue), 0.005);
  sensitivity.layers[1].weight.eigenvalue = 0;  // is left aside
  EXPECT_DOUBLE_EQ(CurvatureFloor(sensitivity, Measure::Eigenvalue), 0.007);
}

TEST(CurvatureFloor, StaysSmallWhereMostLayersHaveNoCurvature) {
  Sensitivity sensitivity = ExampleSensitivity();
  for (LayerSensitivity& layer : sensitivity.layers) layer.weight.eigenvalue = 0;
  EXPECT_EQ(CurvatureFloor(sensitivity, Measure::Eigenvalue), 1);
  sensitivity.layers[0].weight.eigenvalue = 1e-4;
  EXPECT_DOUBLE_EQ(CurvatureFloor(sensitivity, Measure::Eigenvalue), 1e-7);
}

TEST(Sensitivity, HasAMeasureOnlyWhereEveryQuantizedTensorCarriesIt) {
  Sensitivity sensitivity = ExampleSensitivity();
  for (const Measure measure : {Measure::Eigenvalue, Measure::Trace, Measure::WeightError, Measure::RelativeError})
    EXPECT_TRUE(sensitivity.Has(measure));
  sensitivity.layers[2].activation.trace.reset();
  EXPECT_FALSE(sensitivity.Has(Measure::Trace));
  EXPECT_TRUE(sensitivity.Has(Measure::Eigenvalue));
  sensitivity.layers[2].activation_choices = Choices({32}, 0);
  EXPECT_TRUE(sensitivity.Has(Measure::Trace));
  sensitivity.layers[0].weight.eigenvalue.reset();
  EXPECT_FALSE(sensitivity.Has(Measure::Eigenvalue));
}

TEST(Measure, NamesAreReadBack) {
  for (const Measure measure : {Measure::Eigenvalue, Measure::Trace, Measure::WeightError, Measure::RelativeError})
    EXPECT_EQ(ParseMeasure(ToString(measure)), measure);
  EXPECT_THAT([] { ParseMeasure("hessian"); },
              OneLineError("'hessian'", "eigenvalue", "trace", "weight-error", "relative-error"));
}

}  // namespace
}  // namespace bitplan::cost
