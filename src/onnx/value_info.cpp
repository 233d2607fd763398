#include "value_info.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "names.h"
#include "tuning.h"

namespace bitplan::onnx {
namespace {

Dimension ReadDimension(const proto::TensorShapeProto::Dimension& dimension) {
  if (dimension.has_dim_value() && dimension.dim_value() != -1) {  // which some exporters write for "any"
    if (dimension.dim_value() < 0) throw Error(fmt::format("a size of {}", dimension.dim_value()));
    return dimension.dim_value();
  }
  if (dimension.dim_param().empty()) return std::monostate{};
  CheckName("a dimension", dimension.dim_param());
  return dimension.dim_param();
}

void ReadType(const proto::TypeProto& type, ValueInfo& read) {
  if (type.value_case() == proto::TypeProto::VALUE_NOT_SET) return;
  if (!type.has_tensor_type()) throw Error("a sequence, optional, map or sparse tensor; tensors are read alone");
  read.type = static_cast<ElementType>(type.tensor_type().elem_type());
  if (read.type == ElementType::String) throw Error("it holds strings; numbers are read alone");
  if (read.type != ElementType::Undefined && BytesOf(read.type) == 0)
    throw Error(fmt::format("its elements are of {}", NameOf(read.type)));
  if (!type.tensor_type().has_shape()) return;
  const auto& dimensions = type.tensor_type().shape().dim();
  if (dimensions.size() > tuning::kMostAxes)
    throw Error(fmt::format("it has {} axes; at most {} are read", dimensions.size(), tuning::kMostAxes));
  read.shape.emplace();
  for (const auto& dimension : dimensions) read.shape->push_back(ReadDimension(dimension));
}

}  // namespace

ValueInfo ReadValueInfo(const proto::ValueInfoProto& info) {
  ValueInfo read;
  read.name = info.name();
  try {
    ReadType(info.type(), read);
  } catch (const Error& reason) {
    throw Error(fmt::format("value {}: {}", Quoted(info.name()), reason.what()));
  }
  return read;
}

}  // namespace bitplan::onnx
