#include "readers/onnx_model.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "naming_file.h"
#include "network/device.h"
#include "onnx/model.h"
#include "plain_graph.h"
#include "readers/onnx/program.h"

namespace bitplan::network {

bool OnnxReader::Recognizes(const ModelContent& content) const { return onnx::IsModel(content.head()); }

LoweredGraph OnnxReader::Read(const ModelContent& content, const NetworkOptions& options) const {
  const onnx::Model model = onnx::ReadModel(content.file());
  return NamingFile(content.file(), [&] {
    if (!options.input_values.empty())
      throw Error(fmt::format("it has no input '{}' that takes a number: all inputs of an ONNX model are tensors",
                              options.input_values.begin()->first));
    LoweredGraph lowered = OnnxProgramGraph(model, FindDevice(options.device));
    lowered.RemoveUnusedParameters();
    Simplify(lowered);
    LiftConstants(lowered);
    MakePlain(lowered);
    return lowered;
  });
}

std::int64_t OnnxReader::TensorBytes(const ModelContent& content) const {
  std::int64_t bytes = 0;
  for (const onnx::Tensor& tensor : onnx::ReadModel(content.file()).graph.initializers)
    bytes += static_cast<std::int64_t>(tensor.bytes.size());
  return bytes;
}

}  // namespace bitplan::network
