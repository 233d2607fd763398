#include "functions.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "names.h"
#include "refused_operators.h"
#include "tuning.h"
#include "unknown_fields.h"

namespace bitplan::onnx {
namespace {

std::string DomainOf(const std::string& domain) { return IsDefaultDomain(domain) ? "" : domain; }

}  // namespace

std::string Frame::Resolve(const std::string& name) const {
  if (name.empty()) return name;
  const auto found = names.find(name);
  return found != names.end() ? found->second : prefix + name;
}

BoundAttribute Frame::Find(const proto::AttributeProto& attribute) const {
  if (attribute.ref_attr_name().empty()) return {&attribute, this};
  const auto found = attributes.find(attribute.ref_attr_name());
  return found == attributes.end() ? BoundAttribute{} : found->second;
}

FunctionTable::FunctionTable(const proto::ModelProto& model) {
  if (model.functions().empty()) return;
  AddNames(model.graph().node());
  for (const auto& function : model.functions()) {
    const Key key{DomainOf(function.domain()), function.name(), OverloadOf(function)};
    if (!functions_.emplace(key, &function).second)
      throw Error(fmt::format("two functions {} of domain {}", Quoted(function.name()), Quoted(function.domain())));
    AddNames(function.node());
  }
}

void FunctionTable::AddNames(const google::protobuf::RepeatedPtrField<proto::NodeProto>& nodes) {
  for (const auto& node : nodes) {
    names_.insert(node.name());
    names_.insert(node.output().begin(), node.output().end());
    names_.insert(node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute()) AddNames(attribute.g().node());
  }
}

const proto::FunctionProto* FunctionTable::Find(const proto::NodeProto& node) const {
  if (functions_.empty()) return nullptr;
  const auto found = functions_.find({DomainOf(node.domain()), node.op_type(), OverloadOf(node)});
  return found == functions_.end() ? nullptr : found->second;
}

bool FunctionTable::IsTaken(const std::string& prefix) const {
  const auto after = names_.lower_bound(prefix);
  return after != names_.end() && after->starts_with(prefix);
}

std::string FunctionTable::UniquePrefix(const std::string& outer, const std::string& call) {
  std::string own = call + "/";
  for (int count = 2; IsTaken(own) || !prefixes_.insert(outer + own).second; ++count)
    own = fmt::format("{}_{}/", call, count);
  return outer + own;
}

std::int64_t OpsetOf(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto>& imports) {
  std::int64_t opset = 0;
  for (const auto& import : imports) {
    if (!IsDefaultDomain(import.domain())) continue;
    if (opset != 0 && opset != import.version())
      throw Error(fmt::format("it has two operator sets of ONNX, {} and {}", opset, import.version()));
    opset = import.version();
  }
  return opset;
}

void CheckOpset(std::int64_t opset) {
  if (opset < tuning::kFirstOpset || opset > tuning::kLastOpset)
    throw Error(fmt::format("operator set {} of ONNX; those from {} to {} are read (onnx.version_converter changes it)",
                            opset, tuning::kFirstOpset, tuning::kLastOpset));
}

}  // namespace bitplan::onnx
