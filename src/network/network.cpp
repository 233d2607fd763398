#include "bitplan/network.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "network/batching.h"
#include "network/impl.h"
#include "network/torch_error.h"
#include "output.h"
#include "text/shortened.h"

namespace bitplan {

namespace {

void CheckCounts(const LoweredGraph& lowered, const std::vector<at::Tensor>& inputs,
                 const std::vector<at::Tensor>& parameters) {
  if (inputs.size() != lowered.arguments.size())
    throw Error(fmt::format("the network takes {} input tensor(s) ({}), not {}", lowered.arguments.size(),
                            fmt::join(lowered.arguments, ", "), inputs.size()));
  if (parameters.size() != lowered.parameters.size())
    throw Error(fmt::format("the network has {} parameters, not {}", lowered.parameters.size(), parameters.size()));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].defined()) throw Error(fmt::format("input '{}' is an undefined tensor", lowered.arguments[i]));
}

/// What to do about a type that an operator does not take, where that is why a run failed: networks read numbers as
/// float32 and indices, as of tokens, as int64, and which an input is only its operators tell.
std::string TypeAdvice(const LoweredGraph& lowered, const std::vector<at::Tensor>& inputs, const std::string& reason) {
  constexpr std::array kSigns = {"dtype", "scalar type", "Input type", "data type", "tensors used as indices"};
  const auto names = [&](std::string_view sign) { return reason.find(sign) != std::string::npos; };
  if (std::none_of(kSigns.begin(), kSigns.end(), names)) return "";
  const bool integers =
      std::any_of(inputs.begin(), inputs.end(), [](const at::Tensor& input) { return !input.is_floating_point(); });
  std::vector<std::string> named;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].is_floating_point() != integers) named.push_back("'" + lowered.arguments[i] + "'");
  return fmt::format("; the network may want {1} in {0} where the data holds {2}: save it as {1}",
                     text::Shortened(named), integers ? "float32" : "int64", integers ? "int64" : "float32");
}

std::string Shapes(const std::vector<at::Tensor>& tensors) {
  std::vector<std::string> shapes;
  for (const at::Tensor& tensor : tensors) shapes.push_back(fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")));
  return text::Shortened(shapes);
}

}  // namespace

const std::vector<Layer>& Network::layers() const { return impl_->map.layers; }
const std::vector<Site>& Network::sites() const { return impl_->map.sites; }
const std::vector<Parameter>& Network::parameters() const { return impl_->lowered.parameters; }
const std::vector<FloatOperator>& Network::left_in_float() const { return impl_->map.left_in_float; }
const std::vector<std::string>& Network::input_names() const { return impl_->lowered.arguments; }
const std::string& Network::source() const { return impl_->source; }
const std::string& Network::sha256() const { return impl_->sha256; }
const std::string& Network::weights_sha256() const { return impl_->weights_sha256; }
const std::string& Network::device() const { return impl_->options.device; }
bool Network::batch_norm_folded() const { return impl_->options.fold_batch_norm; }
bool Network::has_operand_sites() const { return impl_->options.operand_sites; }
const std::vector<std::string>& Network::remarks() const { return impl_->lowered.remarks; }
const std::map<std::string, std::string>& Network::input_values() const { return impl_->options.input_values; }
std::optional<std::int64_t> Network::class_axis() const { return impl_->options.class_axis; }
const std::optional<SampleFunction>& Network::loss_module() const { return impl_->loss_module; }
const std::optional<SampleFunction>& Network::metric_module() const { return impl_->metric_module; }
const NetworkOptions& Network::options() const { return impl_->options; }
const LoweredGraph& Network::lowered() const { return impl_->lowered; }

std::vector<at::Tensor> Network::ParameterValues() const {
  std::vector<at::Tensor> values;
  for (const Parameter& parameter : parameters()) values.push_back(parameter.value);
  return values;
}

Network Network::WithParameters(const std::vector<at::Tensor>& values) const {
  if (values.size() != parameters().size())
    throw Error(fmt::format("the network has {} parameters, not {}", parameters().size(), values.size()));
  auto impl = std::make_shared<Impl>(*impl_);  // the graph stays shared: it is never changed
  for (std::size_t i = 0; i < values.size(); ++i) {
    Parameter& parameter = impl->lowered.parameters[i];
    if (!values[i].defined() || values[i].sizes() != parameter.value.sizes())
      throw Error(fmt::format("parameter '{}': expected a tensor of shape [{}]", parameter.name,
                              fmt::join(parameter.value.sizes(), ", ")));
    parameter.value = values[i].detach().to(parameter.value.options());
  }
  return Network(std::move(impl));
}

std::vector<NamedOutput> Network::Outputs(const std::vector<at::Tensor>& inputs) const {
  if (!impl_->TakesSeveral()) return {};
  const at::NoGradGuard no_gradient;
  const network::Batches batches = impl_->batching->Divide(*impl_, inputs);
  const auto results = impl_->Run(impl_->program, batches, inputs, ParameterValues(), impl_->Handle(nullptr));
  const std::size_t position = results.front().size() - 1;
  impl_->Output(results, position, batches);  // refuses what is no output
  return network::DescribeOutputs(results.front()[position], impl_->output);
}

at::Tensor Network::Forward(const std::vector<at::Tensor>& inputs) const { return Forward(inputs, ParameterValues()); }

at::Tensor Network::Forward(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
                            Probe* probe) const {
  return impl_->Run(inputs, parameters, impl_->Handle(probe));
}

c10::intrusive_ptr<network::ProbeHandle> Network::Impl::Handle(Probe* probe) const {
  auto handle = c10::make_intrusive<network::ProbeHandle>();
  if (probe)
    handle->visit = [this, probe](std::int64_t tap, const at::Tensor& value) {
      return probe->Visit(lowered.tap_sites[static_cast<std::size_t>(tap)], value);
    };
  return handle;
}

at::Tensor Network::Impl::Run(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
                              c10::intrusive_ptr<network::ProbeHandle> probe) const {
  const network::Batches batches = batching->Divide(*this, inputs);
  const auto results = Run(program, batches, inputs, parameters, probe);
  return Output(results, results.front().size() - 1, batches);
}

std::vector<torch::jit::Stack> Network::Impl::Run(const network::Program& part, const network::Batches& batches,
                                                  const std::vector<at::Tensor>& inputs,
                                                  const std::vector<at::Tensor>& parameters,
                                                  const c10::intrusive_ptr<network::ProbeHandle>& probe,
                                                  const MoreInputs& more) const {
  CheckCounts(lowered, inputs, parameters);
  std::vector<torch::jit::Stack> stacks(batches.count());
  for (std::size_t batch = 0; batch < stacks.size(); ++batch) {
    torch::jit::Stack& stack = stacks[batch];
    for (const at::Tensor& input : batches.Inputs(inputs, batch))
      stack.emplace_back(input.is_floating_point() ? input.to(device, arithmetic) : input.to(device));
    for (const at::Tensor& parameter : parameters) stack.emplace_back(parameter);
    for (const std::size_t index : lowered.written_inputs) stack[index] = stack[index].toTensor().clone();
    stack.emplace_back(probe);
    if (!more) continue;
    const std::vector<c10::IValue> further = more(batch);
    stack.insert(stack.end(), further.begin(), further.end());
  }
  try {
    if (batches.AsGiven())
      part.Run(stacks.front());
    else
      part.RunTogether(stacks, network::BatchMeeting(batches));
  } catch (const std::exception& error) {
    if (probe->error) std::rethrow_exception(probe->error);
    if (dynamic_cast<const Error*>(&error) == nullptr && !network::IsOfModel(error)) throw;
    const std::string reason = network::TorchReason(error);
    network::RefuseNetwork(error, fmt::format("the network cannot be run on inputs of shape {}: {}{}", Shapes(inputs),
                                              reason, TypeAdvice(lowered, inputs, reason)));
  }
  return stacks;
}

bool Network::Impl::TakesSeveral() const { return network::SelectsSeveral(output); }

at::Tensor Network::Impl::Output(const std::vector<torch::jit::Stack>& results, std::size_t position,
                                 const network::Batches& batches) const {
  std::vector<at::Tensor> outputs;
  for (const torch::jit::Stack& result : results) {
    const auto samples = batches.samples >= 0 ? std::optional(batches.size) : std::nullopt;
    outputs.push_back(TakesSeveral() ? network::SideBySide(result[position], output, samples)
                                     : network::SelectOutput(result[position], output));
    if (samples) network::CheckSampleAxis(outputs.back(), *samples);
  }
  return batches.AsGiven() ? outputs.front() : batches.Join(outputs);
}

}  // namespace bitplan
