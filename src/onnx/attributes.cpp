#include "attributes.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "names.h"
#include "unknown_fields.h"

namespace bitplan::onnx {
namespace {

using proto::AttributeProto;

std::string TextOf(const AttributeProto& attribute, const std::string& text) {
  CheckName(fmt::format("attribute {}", Quoted(attribute.name())), text);
  return text;
}

AttributeValue ReadValue(const AttributeProto& attribute, TensorReader& tensors) {
  switch (attribute.type()) {
    case AttributeProto::INT:
      return attribute.i();
    case AttributeProto::FLOAT:
      return attribute.f();
    case AttributeProto::STRING:
      return TextOf(attribute, attribute.s());
    case AttributeProto::TENSOR:
      return tensors.Read(attribute.t());
    case AttributeProto::INTS:
      return std::vector<std::int64_t>(attribute.ints().begin(), attribute.ints().end());
    case AttributeProto::FLOATS:
      return std::vector<float>(attribute.floats().begin(), attribute.floats().end());
    case AttributeProto::STRINGS: {
      std::vector<std::string> texts;
      for (const std::string& text : attribute.strings()) texts.push_back(TextOf(attribute, text));
      return texts;
    }
    case AttributeProto::SPARSE_TENSOR:
    case AttributeProto::SPARSE_TENSORS:
      throw Error("sparse tensors are not read");
    case AttributeProto::UNDEFINED:
      throw Error("it has no type");
    default:
      throw Error("of tensors, graphs and types only single tensors and graphs are read");
  }
}

}  // namespace

AttributeValue ReadAttribute(const AttributeProto& attribute, TensorReader& tensors) {
  try {
    return ReadValue(attribute, tensors);
  } catch (const Error& reason) {
    throw Error(fmt::format("attribute {}: {}", Quoted(attribute.name()), reason.what()));
  }
}

Tensor ReadConstant(const std::string& name, const AttributeProto& attribute, TensorReader& tensors) {
  const AttributeValue value = ReadAttribute(attribute, tensors);
  if (const auto* tensor = std::get_if<Tensor>(&value); tensor && name == "value") return *tensor;
  if (const auto* number = std::get_if<float>(&value); number && name == "value_float") return ScalarOf(*number);
  if (const auto* number = std::get_if<std::int64_t>(&value); number && name == "value_int") return ScalarOf(*number);
  if (const auto* numbers = std::get_if<std::vector<float>>(&value); numbers && name == "value_floats")
    return TensorOf(*numbers);
  if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&value); numbers && name == "value_ints")
    return TensorOf(*numbers);
  throw Error(fmt::format(
      "attribute {}: expected value, value_float, value_floats, value_int or value_ints, of its type", Quoted(name)));
}

std::size_t SizeOf(const AttributeProto& attribute) {
  std::size_t size = sizeof(AttributeValue) + attribute.name().size() + attribute.s().size();
  size += static_cast<std::size_t>(attribute.ints_size()) * sizeof(std::int64_t);
  size += static_cast<std::size_t>(attribute.floats_size()) * sizeof(float);
  for (const std::string& text : attribute.strings()) size += sizeof(std::string) + text.size();
  return size;
}

std::vector<std::string> ModulesOf(const proto::NodeProto& node) {
  std::vector<std::string> modules;
  const std::string text = MetadataOf(node, "pkg.torch.onnx.name_scopes").value_or("");
  for (auto begin = text.find_first_of("'\""); begin != text.npos; begin = text.find_first_of("'\"", begin)) {
    const auto end = text.find(text[begin], begin + 1);
    if (end == text.npos) break;
    CheckName("a module", modules.emplace_back(text.substr(begin + 1, end - begin - 1)));
    begin = end + 1;
  }
  return modules;
}

}  // namespace bitplan::onnx
