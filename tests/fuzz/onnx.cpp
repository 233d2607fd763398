// Any bytes as an ONNX file: read or refused with an Error, nothing else; what is read keeps what Graph says of itself.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <variant>

#include "bitplan/error.h"
#include "onnx/layer_name.h"
#include "onnx/model.h"

namespace {

using namespace bitplan::onnx;

void Require(bool condition) {
  if (!condition) std::abort();
}

/// Returns a sum of the bytes, so that all of them are read.
unsigned CheckTensor(const Tensor& tensor) {
  std::size_t count = 1;
  for (const std::int64_t size : tensor.shape) count *= static_cast<std::size_t>(size);
  Require(tensor.bytes.size() == count * BytesOf(tensor.type));
  unsigned sum = 0;
  for (const std::byte byte : tensor.bytes) sum += std::to_integer<unsigned>(byte);
  return sum;
}

void CheckGraph(const Graph& graph, std::set<std::string> names) {
  const auto define = [&](const std::string& name) { Require(!name.empty() && names.insert(name).second); };
  unsigned sum = 0;
  for (const Tensor& tensor : graph.initializers) {
    define(tensor.name);
    sum += CheckTensor(tensor);
  }
  for (const ValueInfo& input : graph.inputs) define(input.name);
  for (const Node& node : graph.nodes) {
    for (const std::string& input : node.inputs) {
      Require(input.empty() || names.contains(input));
      Require(!LayerName(input, node).empty());
    }
    for (const auto& [name, value] : node.attributes) {
      if (const auto* inner = std::get_if<std::shared_ptr<const Graph>>(&value)) CheckGraph(**inner, names);
      if (const auto* tensor = std::get_if<Tensor>(&value)) sum += CheckTensor(*tensor);
    }
    for (const std::string& output : node.outputs)
      if (!output.empty()) define(output);
  }
  for (const ValueInfo& output : graph.outputs) Require(names.contains(output.name));
  volatile unsigned kept = sum;
  static_cast<void>(kept);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("bitplan-fuzz-" + std::to_string(getpid()) + ".onnx");
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    CheckGraph(ReadModel(file).graph, {});
  } catch (const bitplan::Error&) {  // bad input, said so
  }
  std::filesystem::remove(file);
  return 0;
}
