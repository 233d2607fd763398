#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protobuf.h"

namespace bitplan::onnx {

// Fields that ONNX got after the headers that this is built with (1.12): protobuf keeps them by their numbers.

/// NodeProto.overload and FunctionProto.overload: which of several functions of a name.
std::string OverloadOf(const proto::NodeProto& node);
std::string OverloadOf(const proto::FunctionProto& function);

/// FunctionProto.attribute_proto, by its number.
inline constexpr int kFunctionDefaults = 11;

/// Those attributes, that have a default. Throws Error where one is damaged.
std::vector<proto::AttributeProto> DefaultsOf(const proto::FunctionProto& function);

/// NodeProto.metadata_props.
std::optional<std::string> MetadataOf(const proto::NodeProto& node, const std::string& key);

}  // namespace bitplan::onnx
