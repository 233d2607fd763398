#include <fmt/format.h>

#include <memory>

#include "bitplan/error.h"
#include "functions.h"
#include "graph_reader.h"
#include "message.h"
#include "names.h"
#include "onnx/model.h"
#include "tensors.h"

namespace bitplan::onnx {
namespace {

Model Convert(const std::shared_ptr<const Message>& message, const std::filesystem::path& file, Operators operators) {
  const proto::ModelProto& given = message->model;
  CheckName("a producer", given.producer_name());
  CheckName("a producer", given.producer_version());
  TensorReader tensors(message, file);
  Model model;
  model.opset = OpsetOf(given.opset_import());
  model.ir_version = given.ir_version();
  model.producer = given.producer_name();
  if (!given.producer_version().empty()) model.producer += " " + given.producer_version();
  model.graph = GraphReader(*message, tensors, operators).Read();
  return model;
}

}  // namespace

bool IsModel(std::string_view head) {
  // The version of ONNX's representation, followed by the producer's name or version, a domain, the model's version, a
  // text, the graph, operator sets or properties.
  constexpr std::string_view kNext = "\x12\x1a\x22\x28\x32\x3a\x42\x72";
  return head.size() > 2 && head[0] == '\x08' && head[1] > 0 && head[1] < 32 && kNext.find(head[2]) != kNext.npos;
}

Model ReadModel(const std::filesystem::path& file, Operators operators) {
  try {
    return Convert(ParseFile(file), file, operators);
  } catch (const Error& reason) {
    throw Error(fmt::format("{}: {}", file.string(), reason.what()));
  }
}

}  // namespace bitplan::onnx
