#include <gmock/gmock.h>

#include <cmath>
#include <stdexcept>

#include "bitplan/curvature.h"
#include "bitplan/error.h"
#include "hessian/reference.h"

namespace bitplan::hessian {
namespace {

double Trace(const at::Tensor& matrix) { return matrix.trace().item<double>(); }

TraceOptions ManyProbes(std::uint64_t seed = 0) {
  TraceOptions options;
  options.min_probes = 200;
  options.max_probes = 200;
  options.seed = seed;
  return options;
}

/// `hessian` is that of all variables, of which the layer's are begin … end−1. The variance of vᵀ(Hv) over these is
/// 2 Σ H_ij² for i ≠ j among them, and Σ H_ij² for i among them and j among the others.
void ExpectEstimates(const TraceEstimate& estimate, const at::Tensor& hessian, std::int64_t begin, std::int64_t end) {
  const at::Tensor rows = hessian.slice(0, begin, end), own = rows.slice(1, begin, end);
  const double trace = Trace(own), own_squares = own.square().sum().item<double>();
  const double diagonal_squares = own.diagonal().square().sum().item<double>();
  const double cross_squares = rows.square().sum().item<double>() - own_squares;
  const double standard_error = std::sqrt((2 * (own_squares - diagonal_squares) + cross_squares) / estimate.probes);
  EXPECT_NEAR(estimate.value, trace, 4 * standard_error);
  EXPECT_NEAR(estimate.standard_error, standard_error, 0.3 * standard_error);
}

void ExpectEstimates(const TraceEstimate& estimate, const at::Tensor& hessian) {
  ExpectEstimates(estimate, hessian, 0, hessian.size(0));
}

TEST(Traces, AreWithinFourStandardErrorsOfTheDenseTrace) {
  for (const std::int64_t batch_size : {100, 4}) {
    const LossFunction loss = LoadLoss("TanhMlp", batch_size);
    const Variables both = MakeVariables(loss.network(), {"fc1.weight", "fc2.weight"});
    const std::vector<TraceEstimate> estimates = Traces(loss, both, ManyProbes());
    ASSERT_EQ(estimates.size(), 2U);
    const at::Tensor hessian = ReferenceHessian("TanhMlp", "weights", {"fc1.weight", "fc2.weight"});
    ExpectEstimates(estimates[0], hessian, 0, 20);
    ExpectEstimates(estimates[1], hessian, 20, 35);
    EXPECT_TRUE(estimates[1].significant);
  }
}

TEST(Traces, OfInputsAreWithinFourStandardErrorsOfTheDenseTrace) {
  for (const std::int64_t batch_size : {100, 4}) {
    const LossFunction loss = LoadLoss("TanhMlp", batch_size);
    const Variables both = MakeVariables(loss.network(), {"fc1.weight", "fc2.weight"}, true);
    const std::vector<TraceEstimate> estimates = Traces(loss, both, ManyProbes());
    const at::Tensor hessian = ReferenceHessian("TanhMlp", "activations", {"fc1.weight", "fc2.weight"});
    ExpectEstimates(estimates[0], hessian, 0, 24);
    ExpectEstimates(estimates[1], hessian, 24, 54);
  }
}

TEST(Traces, OfLayersThatReadOneTensorAreThoseOfThatTensor) {
  const LossFunction loss = LoadLoss("SharedInput");
  const Variables both = MakeVariables(loss.network(), {"left.weight", "right.weight"}, true);
  const std::vector<TraceEstimate> estimates = Traces(loss, both, ManyProbes());
  ExpectEstimates(estimates[0], ReferenceHessian("SharedInput", "activations", {"left.weight", "right.weight"}));
  EXPECT_EQ(estimates[0].value, estimates[1].value);
}

TEST(Traces, SumOverAllVisitsOfAnInput) {
  const LossFunction loss = LoadLoss("SharedWeight", 3);
  const std::vector<TraceEstimate> estimates =
      Traces(loss, MakeVariables(loss.network(), {"fc.weight"}, true), ManyProbes());
  ExpectEstimates(estimates[0], ReferenceHessian("SharedWeight", "activations", {"fc.weight"}));
}

TEST(Traces, StandardErrorsAreThoseOfTheSpreadOverSeeds) {
  const LossFunction loss = LoadLoss("TanhMlp");
  TraceOptions options;
  options.min_probes = 16;
  options.max_probes = 16;
  double sum = 0, squares = 0, stated = 0;
  constexpr int kRuns = 60;
  for (int run = 0; run < kRuns; ++run) {
    options.seed = static_cast<std::uint64_t>(run);
    const TraceEstimate estimate = Traces(loss, {.layers = {0}}, options)[0];
    sum += estimate.value;
    squares += estimate.value * estimate.value;
    stated += estimate.standard_error / kRuns;
  }
  const double spread = std::sqrt(squares / kRuns - sum / kRuns * sum / kRuns);
  EXPECT_GT(stated, 0.7 * spread);
  EXPECT_LT(stated, 1.4 * spread);
}

TEST(Traces, DependOnTheSeedAlone) {
  const LossFunction loss = LoadLoss("ReluMlp", 3);
  const auto value = [&](std::uint64_t seed) { return Traces(loss, {.layers = {0, 1}}, ManyProbes(seed))[1].value; };
  EXPECT_EQ(value(5), value(5));
  EXPECT_NE(value(5), value(6));
}

TEST(Traces, StopAsSoonAsTheyArePreciseEnough) {
  const LossFunction loss = LoadLoss("TanhMlp");
  TraceOptions options;
  options.min_probes = 10;
  options.max_probes = 1000;
  options.tolerance = 0.1;
  const TraceEstimate estimate = Traces(loss, {.layers = {1}}, options)[0];
  EXPECT_LT(estimate.probes, 1000);
  EXPECT_EQ(estimate.probes % 10, 0);
  EXPECT_LE(estimate.standard_error, 0.1 * estimate.value);
  options.tolerance = 1e-9;
  options.max_probes = 25;
  EXPECT_EQ(Traces(loss, {.layers = {1}}, options)[0].probes, 25);
}

TEST(Traces, OfAWeightThatIsNeverReadAreZeroAndNotSignificant) {
  const LossFunction loss = LoadLoss("DeadBranch");
  for (const bool activations : {false, true}) {
    const Variables both = MakeVariables(loss.network(), {"never.weight", "fc.weight"}, activations);
    const std::vector<TraceEstimate> estimates = Traces(loss, both, ManyProbes());
    EXPECT_EQ(estimates[0].value, 0);
    EXPECT_FALSE(estimates[0].significant);
    if (activations) continue;
    ExpectEstimates(estimates[1], ReferenceHessian("DeadBranch", "weights", {"fc.weight"}));
  }
}

TEST(Traces, ReportAndCanBeStopped) {
  const LossFunction loss = LoadLoss("TanhMlp", 2);
  TraceOptions options;
  std::int64_t last = 0;
  options.progress = [&](const Progress& progress) {
    EXPECT_GE(progress.done, last);
    EXPECT_LE(progress.done, progress.total);
    last = progress.done;
  };
  Traces(loss, {.layers = {0}}, options);
  EXPECT_EQ(last, 3 * options.max_probes);
  options.progress = [&](const Progress&) { throw std::domain_error("stop"); };
  EXPECT_THROW(Traces(loss, {.layers = {0}}, options), std::domain_error);
}

TEST(TraceOptions, NamesWhatIsOutsideItsRange) {
  TraceOptions options;
  EXPECT_NO_THROW(options.Validate());
  options.min_probes = 1;
  EXPECT_THROW(options.Validate(), Error);
  options.min_probes = 200;
  EXPECT_THROW(options.Validate(), Error);
  options.min_probes = 2;
  options.tolerance = std::nan("");
  EXPECT_THROW(options.Validate(), Error);
}

}  // namespace
}  // namespace bitplan::hessian
