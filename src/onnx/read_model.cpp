#include <fmt/format.h>

#include <limits>
#include <memory>

#include "bitplan/error.h"
#include "functions.h"
#include "graph_reader.h"
#include "mapped_file.h"
#include "message.h"
#include "message_check.h"
#include "names.h"
#include "onnx/model.h"
#include "protobuf.h"
#include "tensors.h"
#include "tuning.h"
#include "unknown_fields.h"

namespace bitplan::onnx {
namespace {

std::shared_ptr<const Message> Parse(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  if (bytes.empty()) throw Error("it is empty");
  if (bytes.size() > std::numeric_limits<int>::max())
    throw Error("larger than 2 GiB, where ONNX files end; larger models have their tensors in external data");
  CheckMessages(*proto::ModelProto::descriptor(), bytes);
  auto message = std::make_shared<Message>();
  message->bytes = bytes.size();
  if (!message->model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw Error("damaged, or not an ONNX model");
  for (const auto& function : message->model.functions()) message->defaults.emplace(&function, DefaultsOf(function));
  return message;
}

void CheckModel(const proto::ModelProto& model) {
  if (!model.has_graph()) throw Error("it has no graph; an ONNX model has one");
  const std::int64_t version = model.ir_version();
  if (version < tuning::kFirstIrVersion || version > tuning::kLastIrVersion)
    throw Error(fmt::format("version {} of ONNX's representation; those from {} to {} are read", version,
                            tuning::kFirstIrVersion, tuning::kLastIrVersion));
  const std::int64_t opset = OpsetOf(model.opset_import());
  if (opset == 0) throw Error("it names no operator set of ONNX");
  CheckOpset(opset);
  if (model.training_info_size() > 0) throw Error("it holds the steps of a training; give the model for inference");
}

Model Convert(const std::shared_ptr<const Message>& message, const std::filesystem::path& file) {
  const proto::ModelProto& given = message->model;
  CheckModel(given);
  CheckName("a producer", given.producer_name());
  CheckName("a producer", given.producer_version());
  TensorReader tensors(message, file);
  Model model;
  model.opset = OpsetOf(given.opset_import());
  model.ir_version = given.ir_version();
  model.producer = given.producer_name();
  if (!given.producer_version().empty()) model.producer += " " + given.producer_version();
  model.graph = GraphReader(*message, tensors).Read();
  return model;
}

}  // namespace

bool IsModel(std::string_view head) {
  // The version of ONNX's representation, followed by the producer's name or version, a domain, the model's version, a
  // text, the graph, operator sets or properties.
  constexpr std::string_view kNext = "\x12\x1a\x22\x28\x32\x3a\x42\x72";
  return head.size() > 2 && head[0] == '\x08' && head[1] > 0 && head[1] < 32 && kNext.find(head[2]) != kNext.npos;
}

Model ReadModel(const std::filesystem::path& file) {
  try {
    return Convert(Parse(file), file);
  } catch (const Error& reason) {
    throw Error(fmt::format("{}: {}", file.string(), reason.what()));
  }
}

}  // namespace bitplan::onnx
