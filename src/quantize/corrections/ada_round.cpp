#include "corrections/ada_round.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "tuning.h"

namespace bitplan::quantize {

namespace {

// As published: stretch of the sigmoid, share of steps without the regularizer, β at its start and end, Adam's rate.
constexpr double kGamma = -0.1, kZeta = 1.1, kWarmUp = 0.2, kFirstBeta = 20, kLastBeta = 2, kRate = 0.01;

at::Tensor Rectified(const at::Tensor& v) { return (v.sigmoid() * (kZeta - kGamma) + kGamma).clamp(0, 1); }

double BetaAt(int step) {
  const double share = (static_cast<double>(step) / tuning::kAdaRoundSteps - kWarmUp) / (1 - kWarmUp);
  return kLastBeta + (kFirstBeta - kLastBeta) / 2 * (1 + std::cos(share * std::numbers::pi));
}

/// Adam (Kingma and Ba 2015) on one tensor.
class Adam {
 public:
  void Step(at::Tensor& v, const at::Tensor& gradient) {
    constexpr double kFirst = 0.9, kSecond = 0.999, kEpsilon = 1e-8;
    if (!mean_.defined()) mean_ = at::zeros_like(v), square_ = at::zeros_like(v);
    ++steps_;
    mean_.mul_(kFirst).add_(gradient, 1 - kFirst);
    square_.mul_(kSecond).addcmul_(gradient, gradient, 1 - kSecond);
    const double correction = std::sqrt(1 - std::pow(kSecond, steps_)) / (1 - std::pow(kFirst, steps_));
    v.addcdiv_(mean_, square_.sqrt().add_(kEpsilon), -kRate * correction);
  }

 private:
  at::Tensor mean_, square_;
  int steps_ = 0;
};

}  // namespace

at::Tensor CodesByAdaRound(const at::Tensor& rows, const RowGrid& grid, at::Tensor moments) {
  const at::NoGradGuard no_grad;
  const std::int64_t columns = rows.size(1);
  const at::Tensor scale = grid.Scales(columns).to(at::kDouble), zero_point = grid.ZeroPoints(columns);
  const at::Tensor ratio = rows.to(at::kDouble) / scale;
  const at::Tensor low = ratio.floor();
  const auto lowest = static_cast<double>(grid.format().QuantMin()),
             highest = static_cast<double>(grid.format().QuantMax());

  // In units in which an error of one step in one weight costs about 1, whatever the layer's inputs and scales.
  const at::Tensor cost = (scale.square() * moments.diagonal()).mean();
  const at::Tensor h = moments.div_(at::where(cost > 0, cost, at::ones_like(cost))).to(at::kFloat);
  moments.reset();
  const at::Tensor start = (ratio - low).to(at::kFloat), step = scale.to(at::kFloat);
  const at::Tensor base = (low + zero_point).to(at::kFloat), target = (ratio + zero_point).to(at::kFloat);
  // h(V) = the fraction at first, so that Ŵ = W.
  at::Tensor v = -((kZeta - kGamma) / (start - kGamma) - 1).log();
  Adam adam;
  for (int i = 0; i < tuning::kAdaRoundSteps; ++i) {
    const at::Tensor soft = v.sigmoid(), rounding = (soft * (kZeta - kGamma) + kGamma).clamp(0, 1);
    const at::Tensor position = base + rounding;
    const at::Tensor error = (position.clamp(lowest, highest) - target) * step;
    at::Tensor gradient = error.matmul(h).mul_(step).mul_(2);
    gradient.mul_(position.ge(lowest).logical_and_(position.le(highest)));
    if (i >= kWarmUp * tuning::kAdaRoundSteps) {
      const at::Tensor centered = rounding * 2 - 1;
      const double beta = BetaAt(i);
      gradient.sub_(centered.abs().pow(beta - 1).mul_(centered.sign()), 2 * beta * tuning::kAdaRoundRegularizer);
    }
    const at::Tensor slope = soft * (1 - soft) * (kZeta - kGamma);
    gradient.mul_(slope).mul_(rounding.gt(0).logical_and_(rounding.lt(1)));
    adam.Step(v, gradient);
  }
  return (low + zero_point + Rectified(v).ge(0.5)).clamp(lowest, highest);
}

}  // namespace bitplan::quantize
