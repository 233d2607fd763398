#include "hessian/shift_figures.h"

#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <vector>

#include "bitplan/error.h"

namespace bitplan {

namespace {

/// The loss of every sample to second order in its shift δ.
struct Expansion {
  at::Tensor slope;   ///< ∇ℓᵀδ
  at::Tensor curved;  ///< ½ δᵀ(∂²ℓ/∂z²)δ
};

Expansion Expand(const ShiftJudge& judge, const at::Tensor& target, const at::Tensor& shift) {
  const at::AutoGradMode with_gradient(true);
  const at::Tensor z = judge.logits.to(at::kDouble).detach().requires_grad_();
  const at::Tensor losses = SampleLosses(judge.loss, z, target, judge.temperature);
  const at::Tensor gradient =
      torch::autograd::grad({losses.sum()}, {z}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  const at::Tensor slope = (gradient * shift).flatten(1).sum(1);
  at::Tensor curved = torch::zeros_like(z);
  if (gradient.requires_grad())
    curved = torch::autograd::grad({slope.sum()}, {z}, {}, false, false, /*allow_unused=*/true)[0];
  if (!curved.defined()) curved = torch::zeros_like(z);
  return {slope.detach(), ((curved * shift).flatten(1).sum(1) / 2).detach()};
}

}  // namespace

at::Tensor ShiftJudge::OfSamples(Measure measure, const at::Tensor& shift) const {
  const at::Tensor z = logits.to(at::kDouble), moved = shift.to(at::kDouble);
  const at::Tensor target = UsesLabels(loss, labels.defined()) ? labels : z;
  switch (measure) {
    case Measure::LogitShift:
      return SampleLosses(Loss::LogitShift, z + moved, z);
    case Measure::Divergence:
      return SampleLosses(Loss::Divergence, z + moved, z, temperature);
    case Measure::GaussNewton:
      return Expand(*this, target, moved).curved;
    case Measure::Quadratic: {
      const Expansion expansion = Expand(*this, target, moved);
      return expansion.slope + expansion.curved;
    }
    case Measure::SingleLoss:
      return SampleLosses(loss, z + moved, target, temperature) - SampleLosses(loss, z, target, temperature);
    default:
      throw Error(fmt::format("the measure {} does not follow from shifts of the output", ToString(measure)));
  }
}

Estimate ShiftJudge::Figure(Measure measure, const at::Tensor& shift) const {
  const at::Tensor of_samples = OfSamples(measure, shift).contiguous();
  const std::vector<double> values(of_samples.const_data_ptr<double>(),
                                   of_samples.const_data_ptr<double>() + of_samples.numel());
  return MeanOfSamples(values);
}

Estimate MeanOfSamples(const std::vector<double>& values) {
  return values.size() < 2 ? Estimate{values.front(), 0} : Mean(values);
}

}  // namespace bitplan
