// Arithmetic, comparisons and logic, element by element.
#include <utility>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;

OnnxOperator Unary(const char* op) {
  return [op](const OnnxNode& node) -> Results { return {node.builder().Call(op, {node.Input(0)})}; };
}

OnnxOperator Binary(const char* op) {
  return [op](const OnnxNode& node) -> Results { return {node.builder().Call(op, {node.Input(0), node.Input(1)})}; };
}

Value* Accumulate(const OnnxNode& node, const char* op) {
  Value* result = node.Input(0);
  for (std::size_t i = 1; i < node.inputs(); ++i) result = node.builder().Call(op, {result, node.Input(i)});
  return result;
}

OnnxOperator OfAny(const char* op) {
  return [op](const OnnxNode& node) -> Results { return {Accumulate(node, op)}; };
}

Results Mean(const OnnxNode& node) {
  return {node.builder().Call("aten::div", {Accumulate(node, "aten::add"), static_cast<double>(node.inputs())})};
}

bool IsFloating(const OnnxNode& node) { return at::isFloatingType(node.builder().Type(node.Input(0))); }

Results Divide(const OnnxNode& node) {
  if (IsFloating(node)) return Binary("aten::div")(node);
  return {node.builder().Call("aten::div", {node.Input(0), node.Input(1)}, {{"rounding_mode", "trunc"}})};
}

Results Power(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const at::ScalarType type = builder.Type(node.Input(0));
  Value* exponent = node.Input(1);
  const auto constant = builder.ConstantOf(exponent);
  if (constant && constant->toTensor().numel() == 1 && at::isFloatingType(type) &&
      builder.Rank(exponent) <= builder.Rank(node.Input(0)))
    return {builder.Call("aten::pow", {node.Input(0), constant->toTensor().cpu().item()})};
  Value* const result = builder.Call("aten::pow", {node.Input(0), exponent});
  return {builder.Type(result) == type ? result : builder.Call("aten::to", {result, type, false, false})};
}

Results IsInfinite(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const bool positive = node.Int("detect_positive", 1) != 0, negative = node.Int("detect_negative", 1) != 0;
  if (positive && negative) return Unary("aten::isinf")(node);
  if (positive) return Unary("aten::isposinf")(node);
  if (negative) return Unary("aten::isneginf")(node);
  return {builder.Call("aten::zeros_like", {node.Input(0)}, {{"dtype", at::kBool}})};
}

Results Modulo(const OnnxNode& node) {
  return Binary(node.Int("fmod", 0) != 0 ? "aten::fmod" : "aten::remainder")(node);
}

Results Shift(const OnnxNode& node) {
  return Binary(node.Text("direction", "") == "LEFT" ? "aten::bitwise_left_shift" : "aten::bitwise_right_shift")(node);
}

}  // namespace

void AddElementwise(OnnxOperators& all) {
  constexpr std::pair<const char*, const char*> kUnary[] = {{"Relu", "aten::relu"},
                                                            {"Sigmoid", "aten::sigmoid"},
                                                            {"Tanh", "aten::tanh"},
                                                            {"Erf", "aten::erf"},
                                                            {"Exp", "aten::exp"},
                                                            {"Log", "aten::log"},
                                                            {"Sqrt", "aten::sqrt"},
                                                            {"Abs", "aten::abs"},
                                                            {"Neg", "aten::neg"},
                                                            {"Floor", "aten::floor"},
                                                            {"Ceil", "aten::ceil"},
                                                            {"Round", "aten::round"},
                                                            {"Sign", "aten::sign"},
                                                            {"Reciprocal", "aten::reciprocal"},
                                                            {"Sin", "aten::sin"},
                                                            {"Cos", "aten::cos"},
                                                            {"Tan", "aten::tan"},
                                                            {"Asin", "aten::asin"},
                                                            {"Acos", "aten::acos"},
                                                            {"Atan", "aten::atan"},
                                                            {"Sinh", "aten::sinh"},
                                                            {"Cosh", "aten::cosh"},
                                                            {"Asinh", "aten::asinh"},
                                                            {"Acosh", "aten::acosh"},
                                                            {"Atanh", "aten::atanh"},
                                                            {"Softplus", "aten::softplus"},
                                                            {"HardSwish", "aten::hardswish"},
                                                            {"Mish", "aten::mish"},
                                                            {"IsNaN", "aten::isnan"},
                                                            {"Not", "aten::logical_not"},
                                                            {"BitwiseNot", "aten::bitwise_not"}};
  for (const auto& [name, op] : kUnary) all[name] = Unary(op);
  constexpr std::pair<const char*, const char*> kBinary[] = {{"Add", "aten::add"},
                                                             {"Sub", "aten::sub"},
                                                             {"Mul", "aten::mul"},
                                                             {"Equal", "aten::eq"},
                                                             {"Less", "aten::lt"},
                                                             {"Greater", "aten::gt"},
                                                             {"LessOrEqual", "aten::le"},
                                                             {"GreaterOrEqual", "aten::ge"},
                                                             {"And", "aten::logical_and"},
                                                             {"Or", "aten::logical_or"},
                                                             {"Xor", "aten::logical_xor"},
                                                             {"BitwiseAnd", "aten::bitwise_and"},
                                                             {"BitwiseOr", "aten::bitwise_or"},
                                                             {"BitwiseXor", "aten::bitwise_xor"}};
  for (const auto& [name, op] : kBinary) all[name] = Binary(op);
  all["Sum"] = OfAny("aten::add");
  all["Max"] = OfAny("aten::maximum");
  all["Min"] = OfAny("aten::minimum");
  all["Mean"] = Mean;
  all["Div"] = Divide;
  all["Pow"] = Power;
  all["Mod"] = Modulo;
  all["BitShift"] = Shift;
  all["IsInf"] = IsInfinite;
  all["Where"] = [](const OnnxNode& node) -> Results {
    return {node.builder().Call("aten::where", {node.Input(0), node.Input(1), node.Input(2)})};
  };
  all["Softsign"] = [](const OnnxNode& node) -> Results {
    OnnxBuilder& builder = node.builder();
    Value* const size = builder.Call("aten::add", {builder.Call("aten::abs", {node.Input(0)}), 1});
    return {builder.Call("aten::div", {node.Input(0), size})};
  };
}

}  // namespace bitplan::network
