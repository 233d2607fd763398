// From a model file to a network that runs.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/network.h"
#include "fixed_weights.h"
#include "float_types.h"
#include "naming_file.h"
#include "network/baked_batch.h"
#include "network/batch_norm.h"
#include "network/batching.h"
#include "network/device.h"
#include "network/impl.h"
#include "network/weights_sha256.h"
#include "operands.h"
#include "output.h"
#include "readers/model_reader.h"
#include "written_inputs.h"

namespace bitplan {

namespace {

constexpr std::uint32_t kInfinity = 0x7F800000;  // of float32

/// What layers and batch norms compute with. Other parameters may hold −inf, as masks do.
std::set<std::size_t> MustBeFinite(const LoweredGraph& lowered, const std::vector<Layer>& layers) {
  std::set<std::size_t> indices;
  for (const Layer& layer : layers)
    for (const int index : {layer.weight, layer.bias})
      if (index >= 0) indices.insert(static_cast<std::size_t>(index));
  for (const torch::jit::Node* node : network::AllNodes(lowered.graph->block()))
    if (node->kind() == c10::aten::batch_norm)
      for (const torch::jit::Value* operand : node->inputs())
        if (const auto index = lowered.ParameterOf(operand)) indices.insert(*index);
  return indices;
}

/// The largest of a tensor's magnitudes, as bits of float32, which rise with it: above kInfinity of NaN. One pass,
/// where operators take several.
std::uint32_t LargestMagnitude(const at::Tensor& tensor) {
  if (!tensor.is_floating_point()) return 0;
  if (tensor.scalar_type() != at::kFloat) {
    if (tensor.isnan().any().item<bool>()) return kInfinity + 1;
    return tensor.isinf().any().item<bool>() ? kInfinity : 0;
  }
  constexpr std::uint32_t kWithoutSign = 0x7FFFFFFF;
  const at::Tensor values = tensor.detach().to(at::kCPU).contiguous();
  const float* const begin = values.const_data_ptr<float>();
  std::uint32_t largest = 0;
  for (const float* value = begin; value != begin + values.numel(); ++value)
    largest = std::max(largest, std::bit_cast<std::uint32_t>(*value) & kWithoutSign);
  return largest;
}

void CheckFinite(const LoweredGraph& lowered, const std::vector<Layer>& layers) {
  const std::set<std::size_t> finite = MustBeFinite(lowered, layers);
  for (std::size_t i = 0; i < lowered.parameters.size(); ++i) {
    const Parameter& parameter = lowered.parameters[i];
    const std::uint32_t largest = LargestMagnitude(parameter.value);
    if (largest > kInfinity)
      throw Error(
          fmt::format("parameter '{}' holds NaN; the model file is damaged or its training diverged", parameter.name));
    if (largest == kInfinity && finite.contains(i))
      throw Error(fmt::format("parameter '{}' holds an infinite value; its training diverged", parameter.name));
  }
}

/// From the layers on: sites, taps and what runs the graph.
void PrepareRuns(Network::Impl& impl) {
  if (impl.options.operand_sites) network::FindOperands(impl.lowered, impl.map);
  impl.lowered.written_inputs = network::WrittenInputs(impl.lowered);
  network::InsertTaps(impl.lowered, impl.map.taps);
  impl.program = network::Program(impl.lowered.graph, "forward");
  impl.batching = std::make_shared<network::Batching>(impl.program, network::FindBakedBatch(impl.lowered),
                                                      impl.options.samples_first);
}

void FoldNorms(Network::Impl& impl) {
  network::FoldBatchNorm(impl.lowered);
  impl.map = network::FindLayers(impl.lowered);
}

/// What a network makes of a graph as it was read.
void Settle(Network::Impl& impl) {
  impl.options.input_values = impl.lowered.input_values;
  impl.weights_sha256 = network::WeightsSha256(impl.lowered.parameters);
  impl.output = network::NarrowOutput(impl.lowered, impl.options.output);
  network::ComputeInFloat(impl.lowered);
  network::FixWeights(impl.lowered);
  impl.map = network::FindLayers(impl.lowered);
  CheckFinite(impl.lowered, impl.map.layers);  // before folding, which would spread what is not finite
  if (impl.options.fold_batch_norm) FoldNorms(impl);
  PrepareRuns(impl);
}

}  // namespace

Network Network::Load(const std::filesystem::path& file, const NetworkOptions& options) {
  auto impl = std::make_shared<Impl>();
  impl->source = file.string();
  impl->sha256 = FileSha256(file);  // also says plainly when there is no such file
  impl->options = options;
  impl->device = network::FindDevice(options.device);
  if (!options.loss_module.empty()) impl->loss_module = SampleFunction::Load(options.loss_module, options.device);
  if (!options.metric_module.empty()) impl->metric_module = SampleFunction::Load(options.metric_module, options.device);
  impl->lowered = network::ReadModel(file, options);
  network::NamingFile(file, [&] { Settle(*impl); });
  return Network(std::move(impl));
}

Network Network::WithBatchNormFolded() const {
  if (batch_norm_folded()) return *this;
  auto impl = std::make_shared<Impl>(*impl_);
  impl->lowered.graph = impl_->lowered.graph->copy();
  impl->options.fold_batch_norm = true;
  network::RemoveTaps(impl->lowered);
  FoldNorms(*impl);
  PrepareRuns(*impl);
  return Network(std::move(impl));
}

}  // namespace bitplan
