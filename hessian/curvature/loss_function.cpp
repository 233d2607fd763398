#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "bitplan/curvature.h"
#include "bitplan/error.h"

namespace bitplan {

struct LossFunction::Impl {
  Network network;
  Dataset data;
  Criterion criterion;
  std::int64_t batch_size = 1;
  at::Device device = at::kCPU;
  std::vector<at::Tensor> float_logits;  // of each batch, for losses that compare with them

  std::int64_t Begin(std::size_t batch) const { return static_cast<std::int64_t>(batch) * batch_size; }
  std::int64_t End(std::size_t batch) const { return std::min(Begin(batch) + batch_size, data.size()); }
  std::string Describe(std::size_t batch) const {
    return fmt::format("batch {} (samples {} … {})", batch, Begin(batch), End(batch) - 1);
  }
};

namespace {

/// Before the loss is settled, which needs a sample.
void Check(const Dataset& data, std::int64_t batch_size) {
  if (batch_size < 1) throw Error(fmt::format("batch_size is {}, must be at least 1", batch_size));
  if (data.size() < 1) throw Error("the loss needs at least one sample");
}

}  // namespace

LossFunction::LossFunction(Network network, Dataset data, Loss loss, std::int64_t batch_size, double temperature) {
  Check(data, batch_size);
  const Criterion criterion = ResolveLoss(network, data, loss, temperature);
  *this = LossFunction(std::move(network), std::move(data), criterion, batch_size);
}

LossFunction::LossFunction(Network network, Dataset data, const Criterion& criterion, std::int64_t batch_size) {
  Check(data, batch_size);
  const at::Device device(network.device());
  Impl impl{std::move(network), std::move(data), criterion, batch_size, device, {}};
  batches_ = static_cast<std::size_t>((impl.data.size() + batch_size - 1) / batch_size);
  if (!criterion.ComparesWithLabels()) {
    const at::NoGradGuard no_gradient;
    for (std::size_t batch = 0; batch < batches_; ++batch) {
      const Batch samples = impl.data.Get(impl.Begin(batch), impl.End(batch), device);
      impl.float_logits.push_back(impl.network.Forward(samples.inputs));
      if (!impl.float_logits.back().isfinite().all().item<bool>()) {
        throw Error(fmt::format("the network's output is not finite in {}", impl.Describe(batch)));
      }
    }
  }
  impl_ = std::make_shared<const Impl>(std::move(impl));
}

std::size_t LossFunction::batches() const { return batches_; }

std::int64_t LossFunction::samples(std::size_t batch) const {
  return impl_->End(first_ + batch) - impl_->Begin(first_ + batch);
}

double LossFunction::weight(std::size_t batch) const {
  const std::int64_t all = impl_->End(first_ + batches_ - 1) - impl_->Begin(first_);
  return static_cast<double>(samples(batch)) / static_cast<double>(all);
}

Loss LossFunction::loss() const { return impl_->criterion.loss; }

const Network& LossFunction::network() const { return impl_->network; }

LossFunction LossFunction::OnlyBatch(std::size_t batch) const {
  LossFunction only = *this;
  only.first_ = first_ + batch;
  only.batches_ = 1;
  return only;
}

at::Tensor LossFunction::operator()(std::size_t batch, const std::vector<at::Tensor>& parameters, Probe* probe) const {
  const std::size_t index = first_ + batch;
  const Batch samples = impl_->data.Get(impl_->Begin(index), impl_->End(index), impl_->device);
  const at::Tensor logits = impl_->network.Forward(samples.inputs, parameters, probe);
  const at::Tensor float_logits = impl_->float_logits.empty() ? at::Tensor() : impl_->float_logits[index];
  const at::Tensor loss = LossValue(impl_->criterion, logits, float_logits, samples.labels);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    throw Error(
        fmt::format("the loss of {} is {}, not finite: look for NaN or Inf in its samples and in the network's output",
                    impl_->Describe(index), value));
  }
  return loss;
}

}  // namespace bitplan
