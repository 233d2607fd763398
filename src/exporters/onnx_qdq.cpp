#include "onnx_qdq.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "onnx/model.h"
#include "onnx/model_editor.h"
#include "onnx_flavor.h"
#include "onnx_patch.h"
#include "onnx_transfer.h"

namespace bitplan::exporters {

namespace {

void RequireOnnx(const std::filesystem::path& file) {
  constexpr std::size_t kHead = 3;
  std::string head(kHead, '\0');
  std::ifstream(file, std::ios::binary).read(head.data(), kHead);
  if (!onnx::IsModel(head))
    throw Error(fmt::format("{} is no ONNX file: onnx-qdq patches one; give that of the same network with --from",
                            file.string()));
}

/// Parameters that the plan left in other values than the file's.
std::set<std::size_t> ChangedIn(const QuantizedNetwork& quantized) {
  const Network& network = quantized.network();
  const bool rescaled = quantized.plan().corrections.rescaling != Rescaling::None;
  const Network original = rescaled ? Network::Load(network.source(), network.options()) : network;
  std::set<std::size_t> changed;
  for (std::size_t i = 0; i < network.parameters().size(); ++i)
    if (!at::equal(quantized.parameters()[i].cpu(), original.parameters()[i].value.cpu())) changed.insert(i);
  return changed;
}

PlannedTensors OwnTensors(const QuantizedNetwork& quantized) {
  return {quantized.weights(), quantized.parameters(), ChangedIn(quantized), quantized.inputs(), quantized.shifts()};
}

/// The network of another file, loaded as that one was.
Network LoadLike(const Network& network, const std::filesystem::path& file) {
  NetworkOptions options = network.options();
  options.input_values.clear();
  return Network::Load(file, options);
}

}  // namespace

std::vector<std::string> OnnxQdq::flavors() const {
  std::vector<std::string> names;
  for (const OnnxFlavor& flavor : OnnxFlavors()) names.push_back(flavor.name);
  return names;
}

ExporterTraits OnnxQdq::Traits(std::string_view flavor) const { return FlavorNamed(flavor).traits; }

void OnnxQdq::Write(const QuantizedNetwork& quantized, const ExportOptions& options, const ByteSink& sink) const {
  const Network& network = quantized.network();
  const std::filesystem::path file = options.from.empty() ? std::filesystem::path(network.source()) : options.from;
  RequireOnnx(file);
  const bool is_own = FileSha256(file) == network.sha256();
  const Network patched = is_own ? network : LoadLike(network, file);
  const PlannedTensors planned = is_own ? OwnTensors(quantized) : TransferTo(patched, quantized);
  const onnx::Model model = onnx::ReadModel(file);
  onnx::ModelEditor editor(file);
  PatchModel(patched, planned, FlavorNamed(options.flavor), model, editor);
  editor.SetMetadata("bitplan.plan", ToJson(quantized.plan()));
  sink(editor.Finish());
}

std::vector<std::string> OnnxQdq::Remarks(const Network& network, const Plan& plan,
                                          const ExportOptions& options) const {
  if (FlavorNamed(options.flavor).name != "onnxruntime") return {};
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const std::string& op = network.layers()[i].op;
    const int bits = plan.layers[i].weight.bits;
    if ((op == "matmul" || op == "linear" || op == "addmm") && bits <= 8)
      return {
          "ONNX Runtime rounds what products with weights of 8 bits or less read to 8 bits (MatMulNBits), unless a "
          "session is made with session.qdq_matmulnbits_accuracy_level = 1"};
  }
  return {};
}

}  // namespace bitplan::exporters
