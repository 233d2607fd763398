// The gradients that methods publish are those of a smooth function near a point: the quantizer with what rounding
// added held fixed. Here against its central differences, in double precision.

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <functional>

#include "training_methods/formats.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods {
namespace {

using Tensors = std::vector<at::Tensor>;

/// Of x and what is learned, all double; rounding residues are taken at `base`, the same tensors before they were
/// moved.
using Surrogate = std::function<at::Tensor(const Tensors& moved, const Tensors& base)>;

/// round(v) − v where low < v < high, 0 elsewhere.
at::Tensor Residue(const at::Tensor& v, double low, double high) {
  return (v.round() - v) * v.gt(low).logical_and(v.lt(high));
}

at::Tensor OnGrid(const at::Tensor& v, const at::Tensor& base, double low, double high) {
  return v.clamp(low, high) + Residue(base, low, high);
}

Surrogate Lsq(double low, double high) {
  return
      [=](const Tensors& t, const Tensors& base) { return t[1] * OnGrid(t[0] / t[1], base[0] / base[1], low, high); };
}

Surrogate LsqPlus(double high) {
  return [=](const Tensors& t, const Tensors& base) {
    return t[1] * OnGrid((t[0] - t[2]) / t[1], (base[0] - base[2]) / base[1], 0, high) + t[2];
  };
}

at::Tensor Clipped(const Tensors& t, const Tensors&) { return torch::minimum(t[0].clamp_min(0), t[1]); }

at::Tensor QilInput(const Tensors& t, const Tensors& base) {
  const auto v = [](const Tensors& at_point) {
    return (at_point[0] - at_point[1] + at_point[2]) * 15 / (2 * at_point[2]);
  };
  return 2 * t[2] / 15 * OnGrid(v(t), v(base), 0, 15);
}

Surrogate QilWeight(double factor) {
  return [=](const Tensors& t, const Tensors&) {
    return factor * t[0].sign() * (0.5 * (t[0].abs() - t[1]) / t[2] + 0.5).clamp(0, 1);
  };
}

Surrogate DoReFa(double factor) {
  return [=](const Tensors& t, const Tensors&) { return factor * t[0].tanh() / t[0].tanh().abs().max(); };
}

/// ∂ Σ g f / ∂ of each of the tensors.
Tensors CentralDifferences(const Surrogate& surrogate, const Tensors& base, const at::Tensor& g) {
  constexpr double kStep = 1e-6;
  Tensors gradients;
  for (std::size_t i = 0; i < base.size(); ++i) {
    at::Tensor gradient = torch::zeros_like(base[i]);
    for (std::int64_t k = 0; k < base[i].numel(); ++k) {
      const auto at_offset = [&](double offset) {
        Tensors moved = base;
        moved[i] = base[i].clone();
        moved[i].view(-1)[k] += offset;
        return (surrogate(moved, base) * g).sum().item<double>();
      };
      gradient.view(-1)[k] = (at_offset(kStep) - at_offset(-kStep)) / (2 * kStep);
    }
    gradients.push_back(gradient);
  }
  return gradients;
}

/// `factor`: of the gradients of what is learned.
void ExpectGradients(TrainedQuantizer& quantizer, const at::Tensor& x, const Surrogate& surrogate, double factor,
                     std::vector<std::int64_t> shape = {1}) {
  const at::Tensor variable = x.clone().requires_grad_();
  Tensors base = {x.to(torch::kDouble)}, learned;
  for (const QuantizerTensor& tensor : quantizer.tensors())
    if (tensor.learned) learned.push_back(tensor.value);
  for (const at::Tensor& tensor : learned) base.push_back(tensor.detach().to(torch::kDouble).view(shape));
  at::manual_seed(9);
  const at::Tensor g = torch::randn(x.sizes());
  quantizer(variable, true).backward(g);
  const Tensors expected = CentralDifferences(surrogate, base, g.to(torch::kDouble));
  EXPECT_TRUE(torch::allclose(variable.grad().to(torch::kDouble), expected[0], 1e-4, 1e-5))
      << variable.grad() << expected[0];
  for (std::size_t i = 0; i < learned.size(); ++i) {
    const at::Tensor actual = learned[i].grad().to(torch::kDouble).view(shape);
    EXPECT_TRUE(torch::allclose(actual, factor * expected[i + 1], 1e-4, 1e-5)) << actual << factor * expected[i + 1];
  }
}

at::Tensor Inputs() {
  at::manual_seed(11);
  return 2 * torch::rand({3, 4, 5}) + 0.01;
}

at::Tensor Weights() {
  at::manual_seed(12);
  return 0.4 * torch::randn({4, 3, 5});
}

template <typename Quantizer>
std::unique_ptr<Quantizer> StartedOn(std::unique_ptr<Quantizer> quantizer, const at::Tensor& first,
                                     double learned_times = 1) {
  quantizer->Initialize(first);
  quantizer->Finish();
  const at::NoGradGuard no_grad;
  for (const QuantizerTensor& tensor : quantizer->tensors())
    if (tensor.learned) tensor.value.mul_(learned_times);
  return quantizer;
}

TEST(GradientsOfTheSurrogate, LsqWeight) {
  const at::Tensor w = Weights();
  const auto lsq = StartedOn(MakeWeightQuantizer(TrainingMethod::Lsq, WeightFormat(3, Granularity::Channel), 0, {}), w);
  ExpectGradients(*lsq, w, Lsq(-4, 3), 1 / std::sqrt(15.0 * 3), {4, 1, 1});
}

TEST(GradientsOfTheSurrogate, LsqPlusWeight) {
  const at::Tensor w = Weights();
  const auto plus = StartedOn(MakeWeightQuantizer(TrainingMethod::LsqPlus, WeightFormat(3), 0, {}), w, 0.5);
  ExpectGradients(*plus, w, Lsq(-4, 3), 1 / std::sqrt(60.0 * 3));
}

TEST(GradientsOfTheSurrogate, LsqInput) {
  const auto lsq = StartedOn(MakeInputQuantizer(TrainingMethod::Lsq, InputFormat(3)), Inputs());
  ExpectGradients(*lsq, Inputs(), Lsq(0, 7), 1 / std::sqrt(20.0 * 7));
}

TEST(GradientsOfTheSurrogate, LsqPlusInput) {
  const at::Tensor x = Inputs() - 0.7;
  const auto plus = StartedOn(MakeInputQuantizer(TrainingMethod::LsqPlus, InputFormat(3)), x, 0.6);
  ExpectGradients(*plus, x, LsqPlus(7), 1 / std::sqrt(20.0 * 7));
}

TEST(GradientsOfTheSurrogate, PactInput) {
  const auto pact = StartedOn(MakeInputQuantizer(TrainingMethod::Pact, InputFormat(4)), Inputs(), 0.6);
  ExpectGradients(*pact, Inputs(), Clipped, 1);
}

TEST(GradientsOfTheSurrogate, PactChannelInput) {
  const auto pact = StartedOn(MakeInputQuantizer(TrainingMethod::PactChannel, InputFormat(4)), Inputs(), 0.6);
  {
    const at::NoGradGuard no_grad;
    pact->tensors()[0].value.mul_(torch::tensor({1.0F, 0.5F, 1.3F, 0.8F}));
  }
  ExpectGradients(*pact, Inputs(), Clipped, 1, {1, 4, 1});
}

TEST(GradientsOfTheSurrogate, QilInput) {
  const auto qil = StartedOn(MakeInputQuantizer(TrainingMethod::Qil, InputFormat(4)), Inputs(), 0.6);
  {
    const at::NoGradGuard no_grad;
    qil->tensors()[0].value.add_(0.2);
  }
  ExpectGradients(*qil, Inputs(), QilInput, 1);
}

TEST(GradientsOfTheSurrogate, QilWeight) {
  const auto qil = StartedOn(MakeWeightQuantizer(TrainingMethod::Qil, WeightFormat(3), 0, {}), Weights(), 0.6);
  {
    const at::NoGradGuard no_grad;
    qil->tensors()[0].value.add_(0.1);
  }
  ExpectGradients(*qil, Weights(), QilWeight(qil->tensors()[2].value.item<double>()), 1);
}

TEST(GradientsOfTheSurrogate, DoReFaWeight) {
  const auto dorefa = StartedOn(MakeWeightQuantizer(TrainingMethod::DoReFa, WeightFormat(3), 0, {}), Weights());
  ExpectGradients(*dorefa, Weights(), DoReFa(dorefa->tensors()[0].value.item<double>()), 1);
}

TEST(GradientsOfTheSurrogate, RangesThatAreNotLearned) {
  for (const TrainingMethod method : {TrainingMethod::Fixed, TrainingMethod::MovingAverage, TrainingMethod::DoReFa}) {
    const at::Tensor x = 1.5 * Inputs();
    const auto quantizer = StartedOn(MakeInputQuantizer(method, InputFormat(8)), Inputs());
    const at::Tensor variable = x.clone().requires_grad_();
    (*quantizer)(variable, true).sum().backward();
    const auto [format, range] = quantizer->Range();
    const double largest = range.scale * static_cast<double>(format.QuantMax() - range.zero_point);
    const at::Tensor near = (x - largest).abs().lt(range.scale);  // within a step of the end conventions differ
    EXPECT_TRUE(
        torch::equal(variable.grad().masked_fill(near, 0), x.lt(largest).to(torch::kFloat).masked_fill(near, 0)));
    EXPECT_LT(near.sum().item<int>(), 5);
  }
}

}  // namespace
}  // namespace bitplan::training_methods
