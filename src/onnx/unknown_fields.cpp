#include "unknown_fields.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "names.h"

namespace bitplan::onnx {
namespace {

using google::protobuf::Message;
using google::protobuf::UnknownField;

constexpr int kNodeOverload = 8;
constexpr int kNodeMetadata = 9;

constexpr int kFunctionOverload = 13;

/// What the field holds as strings, bytes or messages, in the file's order.
std::vector<std::string> Contents(const Message& message, int number) {
  const auto& fields = message.GetReflection()->GetUnknownFields(message);
  std::vector<std::string> contents;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() == number && field.type() == UnknownField::TYPE_LENGTH_DELIMITED)
      contents.push_back(field.length_delimited());
  }
  return contents;
}

std::string LastOf(const Message& message, int number) {
  const auto contents = Contents(message, number);
  return contents.empty() ? "" : contents.back();
}

}  // namespace

std::string OverloadOf(const proto::NodeProto& node) { return LastOf(node, kNodeOverload); }
std::string OverloadOf(const proto::FunctionProto& function) { return LastOf(function, kFunctionOverload); }

std::vector<proto::AttributeProto> DefaultsOf(const proto::FunctionProto& function) {
  std::vector<proto::AttributeProto> defaults;
  for (const std::string& bytes : Contents(function, kFunctionDefaults))
    if (!defaults.emplace_back().ParseFromString(bytes))
      throw Error(fmt::format("damaged: a default attribute of function {}", Quoted(function.name())));
  return defaults;
}

std::optional<std::string> MetadataOf(const proto::NodeProto& node, const std::string& key) {
  for (const std::string& bytes : Contents(node, kNodeMetadata)) {
    proto::StringStringEntryProto entry;
    if (entry.ParseFromString(bytes) && entry.key() == key) return entry.value();
  }
  return std::nullopt;
}

}  // namespace bitplan::onnx
