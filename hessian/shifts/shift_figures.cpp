#include "shifts/shift_figures.h"

#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <vector>

#include "bitplan/error.h"

namespace bitplan::hessian {

namespace {

/// The loss of every sample to second order in its shift δ.
struct Expansion {
  at::Tensor slope;   ///< ∇ℓᵀδ
  at::Tensor curved;  ///< ½ δᵀ(∂²ℓ/∂z²)δ
};

at::Tensor SumOfSample(const at::Tensor& values) { return values.reshape({values.size(0), -1}).sum(1); }

Expansion Expand(const ShiftJudge& judge, const at::Tensor& shift) {
  const at::AutoGradMode with_gradient(true);
  const at::Tensor z = judge.logits.to(at::kDouble).detach().requires_grad_();
  const at::Tensor losses = SampleLosses(judge.criterion, z, z.detach(), judge.labels);
  const at::Tensor gradient =
      torch::autograd::grad({losses.sum()}, {z}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  const at::Tensor slope = SumOfSample(gradient * shift);
  at::Tensor curved = torch::zeros_like(z);
  if (gradient.requires_grad())
    curved = torch::autograd::grad({slope.sum()}, {z}, {}, false, false, /*allow_unused=*/true)[0];
  if (!curved.defined()) curved = torch::zeros_like(z);
  return {slope.detach(), (SumOfSample(curved * shift) / 2).detach()};
}

}  // namespace

at::Tensor ShiftJudge::OfSamples(Measure measure, const at::Tensor& shift) const {
  const at::Tensor z = logits.to(at::kDouble), moved = shift.to(at::kDouble);
  const auto losses = [&](const Criterion& of, const at::Tensor& output) {
    return SampleLosses(of, output, z, labels);
  };
  switch (measure) {
    case Measure::LogitShift:
      return losses(criterion.With(Loss::LogitShift), z + moved);
    case Measure::Divergence: {
      Criterion divergence = criterion.With(Loss::Divergence);
      divergence.temperature = criterion.temperature;
      return losses(divergence, z + moved);
    }
    case Measure::GaussNewton:
      return Expand(*this, moved).curved;
    case Measure::Quadratic: {
      const Expansion expansion = Expand(*this, moved);
      return expansion.slope + expansion.curved;
    }
    case Measure::SingleLoss:
      return losses(criterion, z + moved) - losses(criterion, z);
    case Measure::WeightError:
    case Measure::RelativeError:
    case Measure::OutputError:
    case Measure::Eigenvalue:
    case Measure::Trace:
    case Measure::Fisher:
      break;
  }
  throw Error(fmt::format("the measure {} does not follow from shifts of the output", ToString(measure)));
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

}  // namespace bitplan::hessian
