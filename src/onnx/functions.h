#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "protobuf.h"

namespace bitplan::onnx {

struct Frame;

/// An attribute that a call gives to a function; names in its graph are of the frame that it was written in.
struct BoundAttribute {
  const proto::AttributeProto* attribute = nullptr;
  const Frame* frame = nullptr;
};

/// What the names in a body mean: the model's own graph, or one call of a function.
struct Frame {
  bool of_function = false;
  std::string prefix;  // of what the body names itself
  std::int64_t opset = 0;
  std::unordered_map<std::string, std::string> names;  // of the function's inputs and outputs: the call's
  std::map<std::string, BoundAttribute> attributes;

  /// The name in the model; "" of what the call left out.
  std::string Resolve(const std::string& name) const;

  /// What a reference to one of the call's attributes stands for; null where the call has none.
  BoundAttribute Find(const proto::AttributeProto& attribute) const;
};

/// The functions that a model defines.
class FunctionTable {
 public:
  /// Throws Error: two of the same name. Outlived by the model.
  explicit FunctionTable(const proto::ModelProto& model);

  /// Null where the node is no call of one.
  const proto::FunctionProto* Find(const proto::NodeProto& node) const;

  /// What the names of a call's body begin with, "CALL/", so that they are no others.
  std::string UniquePrefix(const std::string& outer, const std::string& call);

 private:
  void AddNames(const google::protobuf::RepeatedPtrField<proto::NodeProto>& nodes);
  bool IsTaken(const std::string& prefix) const;

  using Key = std::tuple<std::string, std::string, std::string>;  // domain, name, overload
  std::map<Key, const proto::FunctionProto*> functions_;
  std::set<std::string> names_;     // of every value and node in the file
  std::set<std::string> prefixes_;  // given
};

/// The version of ONNX's own operators among those that a model or function names; 0 where it is not there.
std::int64_t OpsetOf(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto>& imports);

/// Throws Error where it is not one of those that are read.
void CheckOpset(std::int64_t opset);

}  // namespace bitplan::onnx
