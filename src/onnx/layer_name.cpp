#include "onnx/layer_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace bitplan::onnx {
namespace {

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char letter) { return letter >= '0' && letter <= '9'; });
}

std::string_view WithoutPrefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string_view WithoutSuffix(std::string_view text, std::string_view suffix) {
  return text.size() > suffix.size() && text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

/// "Conv" of "Conv_12" and "Conv__12".
std::string_view WithoutNumber(std::string_view text) {
  const auto last = text.find_last_not_of("0123456789");
  if (last == text.npos || last + 1 == text.size() || text[last] != '_') return text;
  text = text.substr(0, last);
  return text.ends_with('_') ? text.substr(0, text.size() - 1) : text;
}

/// Names that exporters give to what they computed or renamed: numbers, a prefix with a number, names of values.
bool IsMadeUp(std::string_view name) {
  if (name.empty() || name.starts_with('/') || name.starts_with("onnx::")) return true;
  if (IsDigits(name)) return true;
  const std::string_view stem = WithoutNumber(name);
  constexpr std::array<std::string_view, 12> kStems{
      "val",       "_val",  "const",           "constant", "Constant", "const_fold_opt",
      "Parameter", "value", "new_initializer", "tensor",   "t",        "transpose"};
  return std::find(kStems.begin(), kStems.end(), stem) != kStems.end();
}

/// The path with dots: of TensorFlow's, and of scopes that repeat themselves ("layer1/layer1.0" is layer1.0).
std::string Dotted(std::string_view path) {
  std::string dotted, last;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    const std::string part(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty()) continue;
    if (!last.empty() && part.starts_with(last + ".") && dotted.ends_with(last))
      dotted.resize(dotted.size() - last.size());
    else if (!dotted.empty())
      dotted += '.';
    dotted += part;
    last = part;
  }
  return dotted;
}

constexpr std::string_view kGraphOfKeras = "StatefulPartitionedCall/";

/// What a parameter belongs to: its name without what says that it is a weight.
std::string OwnerOf(std::string_view weight) {
  for (const std::string_view suffix : {":0", "/ReadVariableOp", "/Read"}) weight = WithoutSuffix(weight, suffix);
  weight = WithoutPrefix(weight, kGraphOfKeras);
  for (const std::string_view suffix :
       {".weight", "_weight", "/weight", ".kernel", "/kernel", ".W", "_W", "_w_0", "_w"}) {
    const std::string_view owner = WithoutSuffix(weight, suffix);
    if (owner.size() != weight.size()) return Dotted(owner);
  }
  const auto slash = weight.rfind('/');  // "model/conv2d/Conv2D", the operator that read it
  if (slash != weight.npos && slash + 1 < weight.size() && std::isupper(static_cast<unsigned char>(weight[slash + 1])))
    weight = weight.substr(0, slash);
  return Dotted(weight);
}

/// What has a bias of this name; empty where the name does not say.
std::string OwnerOfBias(std::string_view bias) {
  const std::string_view owner = WithoutSuffix(bias, ".bias");
  return IsMadeUp(bias) || owner.size() == bias.size() ? "" : Dotted(owner);
}

/// The last module of the operator's path, "layer1.0" of "", "layer1", "layer1.0", "conv2d".
std::string ModuleOf(const Node& node) { return node.modules.size() < 2 ? "" : node.modules[node.modules.size() - 2]; }

/// The node's name without its last part, which is the operator's; empty where it has no path.
std::string PathOf(std::string_view name) {
  name = WithoutPrefix(name, kGraphOfKeras);
  const auto slash = name.rfind('/');
  return slash == name.npos ? "" : Dotted(name.substr(0, slash));
}

}  // namespace

std::string LayerName(const std::string& weight, const Node& node, const std::string& bias) {
  const std::string module = ModuleOf(node);
  const bool made_up = IsMadeUp(weight) || (!module.empty() && weight.find('.') == weight.npos);
  if (!made_up) return OwnerOf(weight);
  const std::string place = module.empty() ? PathOf(node.name) : module;
  const std::string owner = OwnerOfBias(bias);
  const bool is_linear =
      node.op == "MatMul" || node.op == "Gemm";  // that of a convolution may be of a folded batch norm
  if (!owner.empty() && (is_linear || place.empty() || owner.starts_with(place + "."))) return owner;
  return place.empty() ? std::string(WithoutPrefix(node.name, "/")) : place;
}

}  // namespace bitplan::onnx
