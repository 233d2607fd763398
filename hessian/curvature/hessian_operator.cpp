#include <torch/types.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "bitplan/curvature.h"
#include "curvature/batch_gradient.h"

namespace bitplan {

struct HessianOperator::Impl {
  LossFunction loss;
  hessian::VariableSlots slots;
  std::optional<hessian::BatchGradient> only_batch;  // its graph is kept when there is one batch
  // Where each variable of each batch stands in a vector. Weights stand in the same place for all batches.
  std::vector<std::vector<std::ptrdiff_t>> offsets;
  std::ptrdiff_t rows = 0;
  std::unique_ptr<std::mutex> at_graph = std::make_unique<std::mutex>();  // of only_batch: a product runs through it

  void LayOut();
  void AddProduct(std::size_t batch, const hessian::BatchGradient& gradient, const double* x, double* y) const;
};

/// Slot after slot; in a slot of inputs batch after batch, and there tensor after tensor.
void HessianOperator::Impl::LayOut() {
  std::vector<std::vector<std::vector<std::int64_t>>> sizes;
  const std::size_t batches = slots.activations ? loss.batches() : 1;
  for (std::size_t batch = 0; batch < batches; ++batch) sizes.push_back(hessian::VariableSizes(loss, batch, slots));
  offsets.resize(batches);
  for (std::size_t slot = 0; slot < slots.indices.size(); ++slot) {
    for (std::size_t batch = 0; batch < batches; ++batch) {
      for (const std::int64_t size : sizes[batch][slot]) {
        offsets[batch].push_back(rows);
        rows += static_cast<std::ptrdiff_t>(size);
      }
    }
  }
}

void HessianOperator::Impl::AddProduct(std::size_t batch, const hessian::BatchGradient& gradient, const double* x,
                                       double* y) const {
  const std::vector<std::ptrdiff_t>& offset = offsets[slots.activations ? batch : 0];
  std::vector<at::Tensor> direction;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const at::Tensor& variable = gradient.variable(i);
    // from_blob takes no const pointer; the copy in float32 is all that is made of it.
    const at::Tensor slice = torch::from_blob(const_cast<double*>(x) + offset[i], variable.sizes(), torch::kDouble);
    direction.push_back(slice.to(variable.options()));
  }
  const std::vector<at::Tensor> product = gradient.Product(direction);
  for (std::size_t i = 0; i < product.size(); ++i) {
    const at::Tensor flat = product[i].reshape({-1}).to(torch::kCPU, torch::kDouble);
    torch::from_blob(y + offset[i], {flat.numel()}, torch::kDouble).add_(flat, loss.weight(batch));
  }
}

HessianOperator::HessianOperator(LossFunction loss, Variables variables) {
  hessian::VariableSlots slots = hessian::FindSlots(loss.network(), variables);
  impl_ = std::make_shared<Impl>(Impl{std::move(loss), std::move(slots), std::nullopt, {}, 0});
  impl_->LayOut();
  if (impl_->loss.batches() == 1) impl_->only_batch.emplace(impl_->loss, 0, impl_->slots);
}

std::ptrdiff_t HessianOperator::rows() const { return impl_->rows; }

void HessianOperator::perform_op(const double* x, double* y) const {
  std::fill(y, y + rows(), 0.0);
  if (impl_->only_batch) {
    const std::lock_guard one_at_a_time(*impl_->at_graph);
    impl_->AddProduct(0, *impl_->only_batch, x, y);
    return;
  }
  for (std::size_t batch = 0; batch < impl_->loss.batches(); ++batch) {
    impl_->AddProduct(batch, hessian::BatchGradient(impl_->loss, batch, impl_->slots), x, y);
  }
}

}  // namespace bitplan
