#include "refused_operators.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

#include "bitplan/error.h"
#include "names.h"

namespace bitplan::onnx {
namespace {

const std::set<std::string_view> kQuantized{"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
                                            "QLinearConv",    "QLinearMatMul",    "ConvInteger",
                                            "MatMulInteger"};

const std::set<std::string_view> kNoTensors{
    "SequenceAt",         "SequenceConstruct",  "SequenceEmpty",    "SequenceErase",      "SequenceInsert",
    "SequenceLength",     "SequenceMap",        "SplitToSequence",  "ConcatFromSequence", "Optional",
    "OptionalGetElement", "OptionalHasElement", "StringNormalizer", "StringConcat",       "StringSplit",
    "RegexFullMatch",     "TfIdfVectorizer",    "ImageDecoder"};

}  // namespace

bool IsDefaultDomain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

void CheckOperator(const proto::NodeProto& node, Operators operators) {
  const std::string& op = node.op_type();
  if (op.empty()) throw Error("it has no operator");
  if (!IsDefaultDomain(node.domain()))
    throw Error(
        fmt::format("operator {} of domain {}, which the model does not define; operators of ONNX itself are read",
                    Quoted(op), Quoted(node.domain())));
  if (operators == Operators::Float && kQuantized.contains(op))
    throw Error(fmt::format("{}: the model is already quantized; give the float model that it was made from", op));
  if (kNoTensors.contains(op)) throw Error(fmt::format("{}: sequences, optionals and strings are not read", op));
}

}  // namespace bitplan::onnx
