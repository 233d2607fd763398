#include <fmt/format.h>

#include <array>
#include <string_view>

#include "onnx/model.h"

namespace bitplan::onnx {
namespace {

struct TypeRow {
  std::string_view name;
  std::size_t bytes;
};

/// By the type's number.
constexpr std::array kTypes{
    TypeRow{"undefined", 0},      TypeRow{"float", 4},        TypeRow{"uint8", 1},          TypeRow{"int8", 1},
    TypeRow{"uint16", 2},         TypeRow{"int16", 2},        TypeRow{"int32", 4},          TypeRow{"int64", 8},
    TypeRow{"string", 0},         TypeRow{"bool", 1},         TypeRow{"float16", 2},        TypeRow{"double", 8},
    TypeRow{"uint32", 4},         TypeRow{"uint64", 8},       TypeRow{"complex64", 8},      TypeRow{"complex128", 16},
    TypeRow{"bfloat16", 2},       TypeRow{"float8e4m3fn", 1}, TypeRow{"float8e4m3fnuz", 1}, TypeRow{"float8e5m2", 1},
    TypeRow{"float8e5m2fnuz", 1}, TypeRow{"uint4", 1},        TypeRow{"int4", 1},           TypeRow{"float4e2m1", 1},
    TypeRow{"float8e8m0", 1},     TypeRow{"uint2", 1},        TypeRow{"int2", 1},
};

const TypeRow* RowOf(ElementType type) {
  const auto number = static_cast<std::int32_t>(type);
  return number >= 0 && static_cast<std::size_t>(number) < kTypes.size() ? &kTypes[static_cast<std::size_t>(number)]
                                                                         : nullptr;
}

}  // namespace

std::string NameOf(ElementType type) {
  const TypeRow* row = RowOf(type);
  return row ? std::string(row->name) : fmt::format("type {}", static_cast<std::int32_t>(type));
}

std::size_t BytesOf(ElementType type) {
  const TypeRow* row = RowOf(type);
  return row ? row->bytes : 0;
}

}  // namespace bitplan::onnx
