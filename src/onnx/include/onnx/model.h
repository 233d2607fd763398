#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// An ONNX file as plain values, without a type of protobuf or LibTorch: LibTorch's include folder has headers of
/// another protobuf, so that no file may see both.
namespace bitplan::onnx {

/// Numbers of TensorProto.DataType.
enum class ElementType : std::int32_t {
  Undefined = 0,
  Float = 1,
  Uint8 = 2,
  Int8 = 3,
  Uint16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  Uint32 = 12,
  Uint64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  Bfloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  Uint4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  Uint2 = 25,
  Int2 = 26,
};

/// "float", "int64", "float8e4m3fn"; "type 99" of a number that ONNX does not have.
std::string NameOf(ElementType type);

/// Bytes of an element in a Tensor: 1 of types of four or two bits, too; 0 of String and types that ONNX does not have.
std::size_t BytesOf(ElementType type);

/// What of the file a tensor is from.
enum class Source {
  Initializer,  ///< of a graph, `index` counts its initializers
  Constant,     ///< a Constant node, `index` counts the graph's nodes
  Attribute,    ///< of a node
};

/// Row-major values, little-endian, side by side. Those of two or four bits take a byte each, int4 and int2 as int8,
/// the others as their bits.
struct Tensor {
  std::string name;
  ElementType type = ElementType::Undefined;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;     ///< exactly the shape's product times BytesOf(type); not aligned
  std::shared_ptr<const void> storage;  ///< keeps `bytes` alive: the file's message, a mapped file, or decoded values
  Source source = Source::Attribute;
  std::int64_t index = -1;  ///< where it stands in its graph of the file; -1 where it is of a function's body
};

struct Graph;

/// INT, FLOAT, STRING, TENSOR, GRAPH, INTS, FLOATS, STRINGS.
using AttributeValue = std::variant<std::int64_t, float, std::string, Tensor, std::shared_ptr<const Graph>,
                                    std::vector<std::int64_t>, std::vector<float>, std::vector<std::string>>;

/// An operator of the default domain. Constant is none of them: those are tensors of the graph.
struct Node {
  std::string
      name;  ///< of the file, made unique in the model; "OP_INDEX" where the file has none; "CALL/NAME" in functions
  std::string file_name;  ///< as the file has it, perhaps empty
  std::string op;
  std::int64_t opset = 0;  ///< whose definition of the operator holds; the model's, but for functions with their own
  std::vector<std::string> inputs;   ///< "" where an optional input is left out; may end early
  std::vector<std::string> outputs;  ///< likewise
  std::map<std::string, AttributeValue> attributes;
  std::vector<std::string>
      modules;              ///< torch.export's path to the operator: "", "layer1", "layer1.0", "conv2d"; else empty
  std::int64_t index = -1;  ///< where it stands in its graph of the file; -1 where it is of a function's body
};

/// A number, a name ("batch"), or nothing known.
using Dimension = std::variant<std::monostate, std::int64_t, std::string>;

struct ValueInfo {
  std::string name;
  ElementType type = ElementType::Undefined;
  std::optional<std::vector<Dimension>> shape;
};

/// Every name that is used is defined, once, before its use: by an input, a tensor, or a node above, or in a graph
/// around this one, whose names it never takes for its own.
struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<Tensor> initializers;  ///< and what Constant nodes hold
  std::vector<ValueInfo> inputs;     ///< without those that are initializers, too
  std::vector<ValueInfo> outputs;
  std::vector<ValueInfo> values;  ///< what the file says of values between
};

struct Model {
  std::int64_t opset = 0;       ///< of the default domain, 7 … 28
  std::int64_t ir_version = 0;  ///< 3 … 14
  std::string producer;         ///< "pytorch 2.13.0"
  Graph graph;                  ///< functions inlined
};

/// Whether a file begins as ONNX files do; the first 3 bytes suffice.
bool IsModel(std::string_view head);

/// What a model may be made of.
enum class Operators {
  Float,
  Quantized,  ///< also those of quantized models: QuantizeLinear, DequantizeLinear, QLinearConv, …
};

/// Throws Error naming file and node: not a regular file, damaged, larger than 2 GiB, nested too deep, tensors that do
/// not have the bytes of their shape, external data not in the model's folder, values used before they are defined or
/// defined twice, versions beyond those above, operators of other domains, quantized models unless `operators` says so,
/// sparse tensors, strings, sequences, optionals, training. External data stay in their file, which must not change
/// while a tensor of the model is in use.
Model ReadModel(const std::filesystem::path& file, Operators operators = Operators::Float);

}  // namespace bitplan::onnx
