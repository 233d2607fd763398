#include "message.h"

#include <fmt/format.h>

#include <limits>

#include "bitplan/error.h"
#include "functions.h"
#include "mapped_file.h"
#include "message_check.h"
#include "tuning.h"
#include "unknown_fields.h"

namespace bitplan::onnx {
namespace {

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

}  // namespace

std::shared_ptr<Message> ParseFile(const std::filesystem::path& file) {
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
  CheckModel(message->model);
  return message;
}

}  // namespace bitplan::onnx
