#include "bitplan/sample_function.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/network.h"
#include "network/baked_batch.h"
#include "network/batching.h"
#include "network/impl.h"

namespace bitplan {

struct SampleFunction::Impl {
  Network network, in_double;  ///< the same, computing in float32 and in float64

  std::string Described() const { return fmt::format("'{}'", network.source()); }

  /// In float64, unless an operator wants all its operands in one type and the model has made one of them itself.
  at::Tensor Run(const std::vector<at::Tensor>& inputs) const {
    try {
      return in_double.Forward(inputs);
    } catch (const Error&) {
      return network.Forward(inputs);
    }
  }
};

namespace {

Network InDouble(const Network& network) {
  auto impl = std::make_shared<Network::Impl>(network.impl());
  impl->arithmetic = at::kDouble;
  for (Parameter& parameter : impl->lowered.parameters)
    if (parameter.value.is_floating_point()) parameter.value = parameter.value.to(at::kDouble);
  impl->batching = std::make_shared<network::Batching>(impl->program, network::FindBakedBatch(impl->lowered), true);
  return Network(std::move(impl));
}

}  // namespace

SampleFunction SampleFunction::Load(const std::filesystem::path& file, const std::string& device) {
  NetworkOptions options;
  options.device = device;
  options.fold_batch_norm = false;
  const Network network = Network::Load(file, options);
  if (network.input_names().empty() || network.input_names().size() > 2)
    throw Error(fmt::format("'{}' takes {} tensors ({}); expected a network's output and the labels", file.string(),
                            network.input_names().size(), fmt::join(network.input_names(), ", ")));
  return SampleFunction(std::make_shared<const Impl>(Impl{network, InDouble(network)}));
}

at::Tensor SampleFunction::operator()(const at::Tensor& output, const at::Tensor& labels) const {
  std::vector<at::Tensor> inputs{output};
  if (impl_->network.input_names().size() == 2) {
    if (!labels.defined())
      throw Error(fmt::format("{} takes labels ('{}'), and the data has none", impl_->Described(),
                              impl_->network.input_names()[1]));
    inputs.push_back(labels.to(output.device()));
  }
  at::Tensor values;
  try {
    values = impl_->Run(inputs);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}; it is given an output [{}]{} and must give a number for each sample, [{}]",
                            impl_->Described(), error.what(), fmt::join(output.sizes(), ", "),
                            labels.defined() ? fmt::format(" and labels [{}]", fmt::join(labels.sizes(), ", ")) : "",
                            output.size(0)));
  }
  if (values.numel() != output.size(0) || values.is_complex())
    throw Error(
        fmt::format("{} gives a tensor [{}] for {} samples; expected a number for each (a mean over all axes "
                    "but the first)",
                    impl_->Described(), fmt::join(values.sizes(), ", "), output.size(0)));
  values = values.reshape({output.size(0)}).to(at::kDouble);
  if (!values.isfinite().all().item<bool>())
    throw Error(fmt::format("{} gives a number that is not finite", impl_->Described()));
  return values;
}

std::string SampleFunction::name() const { return std::filesystem::path(impl_->network.source()).stem().string(); }

const std::string& SampleFunction::sha256() const { return impl_->network.sha256(); }

}  // namespace bitplan
