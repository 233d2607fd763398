#include "curvature/batch_gradient.h"

#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <functional>

#include "bitplan/error.h"
#include "fisher/input_perturbation.h"
#include "network/torch_error.h"

namespace bitplan::hessian {

namespace {

std::vector<at::Tensor> Differentiate(const std::string& names,
                                      const std::function<std::vector<at::Tensor>()>& derivatives) {
  try {
    return derivatives();
  } catch (const c10::Error& error) {
    if (!network::IsOfModel(error)) throw;
    network::RefuseNetwork(
        error, fmt::format("no second derivatives in layer {}: {}; the measure weight-error needs none", names,
                           network::TorchReason(error)));
  }
}

}  // namespace

BatchGradient::BatchGradient(const LossFunction& loss, std::size_t batch, const VariableSlots& slots)
    : names_(slots.names) {
  const at::AutoGradMode with_gradients(true);
  std::vector<at::Tensor> parameters = loss.network().ParameterValues();
  InputPerturbation perturbation(slots.activations ? slots.indices : std::vector<int>{});
  if (!slots.activations) {
    for (std::size_t slot = 0; slot < slots.indices.size(); ++slot) {
      at::Tensor& weight = parameters[static_cast<std::size_t>(slots.indices[slot])];
      weight = weight.detach().clone(at::MemoryFormat::Contiguous).requires_grad_();
      variables_.push_back(weight);
      slot_of_.push_back(slot);
    }
  }
  const at::Tensor value = loss(batch, parameters, slots.activations ? &perturbation : nullptr);
  for (const InputPerturbation::Variable& input : perturbation.Variables()) {
    variables_.push_back(input.tensor);
    slot_of_.push_back(input.slot);
  }
  gradient_.resize(variables_.size());
  if (!value.requires_grad()) return;  // no variable takes part
  gradient_ = Differentiate(names_, [&] {
    return torch::autograd::grad({value}, variables_, {}, /*retain_graph=*/true, /*create_graph=*/true,
                                 /*allow_unused=*/true);
  });
}

std::vector<at::Tensor> BatchGradient::Product(const std::vector<at::Tensor>& direction) const {
  std::vector<at::Tensor> gradients, directions;
  for (std::size_t i = 0; i < gradient_.size(); ++i) {
    if (!gradient_[i].defined() || !gradient_[i].requires_grad()) continue;  // the loss is linear in it
    gradients.push_back(gradient_[i]);
    directions.push_back(direction[i]);
  }
  std::vector<at::Tensor> product(variables_.size());
  if (!gradients.empty()) {
    product = Differentiate(names_, [&] {
      return torch::autograd::grad(gradients, variables_, directions, /*retain_graph=*/true, /*create_graph=*/false,
                                   /*allow_unused=*/true);
    });
  }
  for (std::size_t i = 0; i < product.size(); ++i) {
    if (!product[i].defined()) product[i] = torch::zeros_like(variables_[i]);
  }
  return product;
}

std::vector<std::vector<std::int64_t>> VariableSizes(const LossFunction& loss, std::size_t batch,
                                                     const VariableSlots& slots) {
  const at::NoGradGuard no_gradient;
  const std::vector<at::Tensor> parameters = loss.network().ParameterValues();
  std::vector<std::vector<std::int64_t>> sizes(slots.indices.size());
  if (slots.activations) {
    InputPerturbation perturbation(slots.indices);
    loss(batch, parameters, &perturbation);
    for (const InputPerturbation::Variable& input : perturbation.Variables())
      sizes[input.slot].push_back(input.tensor.numel());
  } else {
    for (std::size_t slot = 0; slot < sizes.size(); ++slot) {
      sizes[slot].push_back(parameters[static_cast<std::size_t>(slots.indices[slot])].numel());
    }
  }
  return sizes;
}

}  // namespace bitplan::hessian
