#include "bitplan/sample_function.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <string_view>
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

/// As an argument of a forward is written.
std::string AsArgument(std::string output) {
  std::ranges::replace(output, '.', '_');
  return output;
}

/// What a function made for one output calls its labels by: no output by its place.
bool IsOfLabels(const std::string& argument) {
  constexpr std::array<std::string_view, 5> kNames = {"labels", "label", "targets", "target", "y"};
  return std::ranges::find(kNames, argument) != kNames.end();
}

/// Which outputs a function's arguments are, by name or else in order; what is beyond them is the labels'.
std::vector<std::size_t> OutputsTaken(const std::vector<std::string>& arguments, const std::vector<std::string>& names,
                                      std::size_t outputs) {
  std::vector<std::size_t> by_name;
  for (const std::string& argument : arguments) {
    const auto found = std::ranges::find(names, argument, AsArgument);
    if (found == names.end()) break;
    by_name.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  if (!by_name.empty() && by_name.size() + 1 >= arguments.size()) return by_name;
  if (arguments.size() < outputs) return {};
  if (outputs > 1 && arguments.size() == outputs && IsOfLabels(arguments.back())) return {};
  for (std::size_t i = 0; i < arguments.size(); ++i) {  // some by name, which is not their place
    const auto found = std::ranges::find(names, arguments[i], AsArgument);
    if (found != names.end() && found != names.begin() + static_cast<std::ptrdiff_t>(i)) return {};
  }
  std::vector<std::size_t> in_order(outputs);
  std::iota(in_order.begin(), in_order.end(), 0);
  return in_order;
}

std::string Expected(const std::vector<std::string>& names) {
  if (names.empty()) return "a network's output and the labels";
  return fmt::format("the network's {} outputs ({}), or some of them by name, and the labels", names.size(),
                     fmt::join(names, ", "));
}

}  // namespace

SampleFunction SampleFunction::Load(const std::filesystem::path& file, const std::string& device) {
  NetworkOptions options;
  options.device = device;
  options.fold_batch_norm = false;
  const Network network = Network::Load(file, options);
  return SampleFunction(std::make_shared<const Impl>(Impl{network, InDouble(network)}));
}

at::Tensor SampleFunction::operator()(const at::Tensor& output, const at::Tensor& labels) const {
  return (*this)({output}, {}, labels);
}

at::Tensor SampleFunction::operator()(const std::vector<at::Tensor>& outputs, const std::vector<std::string>& names,
                                      const at::Tensor& labels) const {
  const std::vector<std::string>& wanted = impl_->network.input_names();
  const std::vector<std::size_t> taken = OutputsTaken(wanted, names, outputs.size());
  if (taken.empty() || wanted.size() > taken.size() + 1)
    throw Error(fmt::format("{} takes {} tensors ({}); expected {}", impl_->Described(), wanted.size(),
                            fmt::join(wanted, ", "), Expected(names)));
  std::vector<at::Tensor> inputs;
  std::vector<std::string> shapes;
  for (const std::size_t index : taken) {
    inputs.push_back(outputs[index]);
    shapes.push_back(fmt::format("[{}]", fmt::join(outputs[index].sizes(), ", ")));
  }
  std::string given = fmt::format("{} {}", taken.size() == 1 ? "an output" : "outputs", fmt::join(shapes, ", "));
  if (wanted.size() > taken.size()) {
    if (!labels.defined())
      throw Error(
          fmt::format("{} takes labels ('{}'), and the data has none", impl_->Described(), wanted[taken.size()]));
    inputs.push_back(labels.to(outputs.front().device()));
  }
  if (labels.defined()) given += fmt::format(" and labels [{}]", fmt::join(labels.sizes(), ", "));
  return Judge(inputs, given, outputs.front().size(0));
}

at::Tensor SampleFunction::Judge(const std::vector<at::Tensor>& inputs, const std::string& given,
                                 std::int64_t samples) const {
  at::Tensor values;
  try {
    values = impl_->Run(inputs);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}; it is given {} and must give a number for each sample, [{}]", impl_->Described(),
                            error.what(), given, samples));
  }
  if (values.numel() != samples || values.is_complex())
    throw Error(
        fmt::format("{} gives a tensor [{}] for {} samples; expected a number for each (a mean over all axes "
                    "but the first)",
                    impl_->Described(), fmt::join(values.sizes(), ", "), samples));
  values = values.reshape({samples}).to(at::kDouble);
  if (!values.isfinite().all().item<bool>())
    throw Error(fmt::format("{} gives a number that is not finite", impl_->Described()));
  return values;
}

std::string SampleFunction::name() const { return std::filesystem::path(impl_->network.source()).stem().string(); }

const std::string& SampleFunction::sha256() const { return impl_->network.sha256(); }

}  // namespace bitplan
