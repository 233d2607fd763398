#include "fast_program.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dynamic_lstm.h"
#include "fast_product.h"
#include "network/operator_arguments.h"
#include "network/probe_operator.h"
#include "network/strides.h"

namespace bitplan::fast {

namespace {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

/// The operators that read a value's elements.
std::vector<Node*> ReadersOf(const Value* value) {
  std::vector<Node*> readers;
  for (const torch::jit::Use& use : value->uses())
    if (!network::AsksForFact(use.user)) readers.push_back(use.user);
  return readers;
}

/// A layer's operator and what a kernel takes over of what follows it.
struct Fusion {
  std::vector<Value*> values;  ///< what the operators make that it takes over, the last being what all of it makes
  Node* addition = nullptr;    ///< the one that it takes over; null: none
  std::size_t other = 0;       ///< which of the addition's operands is not the product
  Epilogue epilogue;           ///< of an addition: `output` are the bytes made beside the numbers

  Value* Result() const { return values.back(); }
};

/// Walks a network's graph once and puts kernels in the place of the layers that have one.
class Walk {
 public:
  Walk(const Network& network, const QuantizedState& state, const FastOptions& options)
      : network_(network),
        state_(state),
        options_(options),
        made_{network::StepProgram(network), {}, {}},
        graph_(made_.program.graph()),
        in_order_(network::DependsOnStrides(*graph_)) {}

  FastProgram Make() {
    FindProducts();
    AskBeforeTaps();
    const torch::jit::AliasDb aliases(graph_);
    std::vector<std::pair<const network::LayerOperator*, Fusion>> fusions;
    for (const auto& [use, product] : products_) fusions.emplace_back(use, FusionOf(*use, aliases));
    for (const auto& [use, fusion] : fusions) Put(products_.at(use), *use, fusion);
    if (options_.dynamic) PutDynamicLstms(network_, state_, made_.program, fast_uses_);
    NoteLayers();
    made_.program.Compile();
    return std::move(made_);
  }

 private:
  using Product = std::shared_ptr<const FastProduct>;

  void FindProducts() {
    for (const network::LayerOperator& use : made_.program.layers()) {
      auto product = FastProduct::Of(network_, state_, use, options_.dynamic);
      if (const auto* const reason = std::get_if<std::string>(&product)) {
        reasons_[use.layer] = *reason;
        continue;
      }
      ++fast_uses_[use.layer];
      readers_[OperatorOf(use)] = &use;
      products_.emplace(&use, std::make_shared<const FastProduct>(std::get<FastProduct>(std::move(product))));
    }
  }

  /// What asks for the shape or type of a kernel's tapped input finds them before the tap, so that the tap can go.
  void AskBeforeTaps() {
    for (const auto& [node, use] : readers_)
      for (const torch::jit::Use& each : std::vector<torch::jit::Use>(use->input->uses()))
        if (network::AsksForFact(each.user)) each.user->replaceInput(each.offset, network::Tapped(use->input->node()));
  }

  /// In the program's graph: what the result's tap reads.
  static Node* OperatorOf(const network::LayerOperator& use) { return network::Tapped(use.result->node())->node(); }

  /// The only reader of a value that nothing writes to, where it is of that kind and in the same block.
  static Node* OnlyReader(Value* value, const torch::jit::AliasDb& aliases) {
    const std::vector<Node*> readers = ReadersOf(value);
    if (readers.size() != 1 || aliases.hasWriters(value)) return nullptr;
    Node* const reader = readers[0];
    return reader->owningBlock() == value->node()->owningBlock() ? reader : nullptr;
  }

  Fusion FusionOf(const network::LayerOperator& use, const torch::jit::AliasDb& aliases) {
    Fusion fusion;
    fusion.values.push_back(use.result);
    if (aliases.hasWriters(network::Tapped(use.result->node()))) return fusion;
    TakeAddition(fusion, aliases);
    TakeActivation(fusion, aliases);
    fusion.epilogue.output = BytesRead(fusion.Result(), /*by_all=*/!fusion.addition, aliases);
    return fusion;
  }

  static void TakeActivation(Fusion& fusion, const torch::jit::AliasDb& aliases) {
    Node* const node = OnlyReader(fusion.Result(), aliases);
    if (!node) return;
    if (node->kind() == c10::aten::relu) {
      fusion.epilogue.bounds.least = 0;
    } else if (node->kind() == c10::aten::hardtanh || node->kind() == c10::aten::relu6) {
      const auto bound = [&](const char* name, double of_relu6) -> std::optional<double> {
        return node->kind() == c10::aten::relu6 ? of_relu6 : network::NumberArgument(node, name);
      };
      const auto low = bound("min_val", 0), high = bound("max_val", 6);
      if (!low || !high || !HasKernel({static_cast<float>(*low), static_cast<float>(*high)})) return;
      fusion.epilogue.bounds = {static_cast<float>(*low), static_cast<float>(*high)};
    } else {
      return;
    }
    fusion.values.push_back(node->output());
  }

  /// An addition to a tensor of the same shape, which the kernel does on the way.
  void TakeAddition(Fusion& fusion, const torch::jit::AliasDb& aliases) {
    Node* const node = OnlyReader(fusion.Result(), aliases);
    if (!node || node->kind() != c10::aten::add || node->inputs().size() != 3) return;
    if (network::NumberArgument(node, "alpha") != 1) return;
    fusion.other =
        *network::ArgumentPosition(node, network::Argument(node, "self") == fusion.Result() ? "other" : "self");
    const Value* const other = node->inputs()[fusion.other];
    if (other == fusion.Result() || !other->type()->isSubtypeOf(*c10::TensorType::get())) return;
    if (!taken_.insert(node).second) return;  // by the kernel that makes the other operand
    fusion.addition = node;
    fusion.values.push_back(node->output());
  }

  bool OnlyKernelsRead(const Value* tapped) const {
    const std::vector<Node*> nodes = ReadersOf(tapped);
    return std::all_of(nodes.begin(), nodes.end(), [&](const Node* node) {
      const auto reader = readers_.find(node);
      return reader != readers_.end() && reader->second->input == tapped && products_.at(reader->second)->input();
    });
  }

  /// The grid on which kernels read a value behind a tap; nothing where two taps have two.
  std::optional<ByteGrid> BytesBehindTap(const Node* reader) const {
    const auto site = made_.program.SiteOf(reader);
    if (!site || !state_.inputs.contains(*site) || !OnlyKernelsRead(reader->output()) ||
        !HasByteGrid(state_.inputs.at(*site)))
      return std::nullopt;
    return ByteGridOf(state_.inputs.at(*site));
  }

  /// The one grid on which kernels read a value; `by_all`: and nothing else does, and every byte is on it.
  std::optional<ByteGrid> BytesRead(const Value* value, bool by_all, const torch::jit::AliasDb& aliases) const {
    std::optional<ByteGrid> grid;
    if (aliases.hasWriters(value)) return std::nullopt;
    for (const Node* reader : ReadersOf(value)) {
      const auto read = BytesBehindTap(reader);
      if (by_all && !(read && read->IsWhole())) return std::nullopt;
      if (read && grid && *grid != *read) return std::nullopt;
      if (read) grid = read;
    }
    return grid;
  }

  /// The bytes behind a tap: an earlier kernel's own, or made of the numbers before it.
  Value* BytesBehind(Value* tapped, const ByteGrid& grid) {
    const auto [found, first] = bytes_.try_emplace(tapped, nullptr);
    if (!first) return found->second;
    Node* const tap = tapped->node();
    const WithInsertPoint before(tap);
    return found->second = made_.program.Insert(
               {network::Tapped(tap)},
               [grid](const auto& operands, network::StepNotes& /*notes*/) { return Bytes(operands[0], grid); });
  }

  void Put(const Product& product, const network::LayerOperator& use, const Fusion& fusion) {
    Value* const read =
        product->input() ? BytesBehind(use.input, *product->input()) : network::Tapped(use.input->node());
    PutShape(product, read, fusion);
    const WithInsertPoint before(fusion.addition ? fusion.addition : fusion.Result()->node());
    const std::vector<Value*> made =
        fusion.addition ? PutAddition(product, read, fusion) : PutProduct(product, read, fusion.epilogue);
    if (fusion.epilogue.output)
      for (Node* reader : ReadersOf(fusion.Result()))
        if (BytesBehindTap(reader)) bytes_[reader->output()] = made.back();
    if (fusion.addition)
      fusion.addition->output()->replaceAllUsesWith(
          made.front());  // for who asks for its shape, and the activation, which goes
    fusion.Result()->replaceAllUsesWith(made.front());
  }

  /// For those who only ask for the shape or the type of a product that is no longer made: a tensor of one element that
  /// seems to be it. An activation keeps the shape; an addition may not, and its sum is there to be asked.
  void PutShape(const Product& product, Value* read, const Fusion& fusion) {
    const WithInsertPoint before(fusion.values.front()->node());
    Value* stand_in = nullptr;
    for (Value* value : fusion.values) {
      if (value->node() == fusion.addition) break;
      for (const torch::jit::Use& use : std::vector<torch::jit::Use>(value->uses())) {
        if (!network::AsksForFact(use.user)) continue;
        if (!stand_in)
          stand_in = made_.program.Insert({read}, [product](const auto& operands, network::StepNotes& /*notes*/) {
            return at::zeros({1}).expand(product->ResultShape(operands[0].sizes()));
          });
        use.user->replaceInput(use.offset, stand_in);
      }
    }
  }

  std::vector<Value*> PutProduct(const Product& product, Value* read, const Epilogue& epilogue) {
    return {made_.program.Insert(
        {read}, [product, epilogue, laid_out = Layout(epilogue)](const auto& operands, network::StepNotes& /*notes*/) {
          return laid_out((*product)(operands[0], epilogue));
        })};
  }

  /// What puts a kernel's numbers, which lie channels last, in the order that the network's own operators leave, where
  /// others hang on that. Bytes are for kernels alone.
  std::function<at::Tensor(const at::Tensor&)> Layout(const Epilogue& epilogue) const {
    return [in_order = in_order_ && !epilogue.output](const at::Tensor& result) {
      return in_order ? result.contiguous() : result;
    };
  }

  /// The sum and, where they are wanted, its bytes.
  std::vector<Value*> PutAddition(const Product& product, Value* read, const Fusion& fusion) {
    Value* const other = fusion.addition->inputs()[fusion.other];  // as earlier kernels have left it
    const auto step = [product, epilogue = fusion.epilogue, laid_out = Layout({})](
                          const std::vector<at::Tensor>& operands,
                          network::StepNotes& /*notes*/) -> std::vector<at::Tensor> {
      at::Tensor sum = (*product)(operands[0], {});
      const at::Tensor& added = operands[1];
      if (added.scalar_type() == at::kFloat && added.sizes() == sum.sizes()) {
        at::Tensor bytes = AddAndClamp(sum, added, epilogue.bounds, epilogue.output);
        return epilogue.output ? std::vector<at::Tensor>{laid_out(sum), bytes} : std::vector<at::Tensor>{laid_out(sum)};
      }
      sum = (sum + added).clamp(epilogue.bounds.least, epilogue.bounds.most);
      return epilogue.output ? std::vector<at::Tensor>{laid_out(sum), Bytes(sum, *epilogue.output)}
                             : std::vector<at::Tensor>{laid_out(sum)};
    };
    return made_.program.InsertSeveral({read, other}, step, fusion.epilogue.output ? 2 : 1);
  }

  void NoteLayers() {
    for (std::size_t i = 0; i < network_.layers().size(); ++i) {
      const Layer& layer = network_.layers()[i];
      const auto uses = fast_uses_.find(static_cast<int>(i));
      made_.fast_layers.push_back(uses != fast_uses_.end() && uses->second == layer.uses.size());
      if (made_.fast_layers.back()) continue;
      const auto reason = reasons_.find(static_cast<int>(i));
      made_.in_float.push_back(
          {layer.op, layer.name, reason != reasons_.end() ? reason->second : "no 8-bit kernel computes it"});
    }
  }

  const Network& network_;
  const QuantizedState& state_;
  const FastOptions& options_;
  FastProgram made_;
  std::shared_ptr<torch::jit::Graph> graph_;
  bool in_order_;  // an operator depends on how tensors lie in memory
  std::map<const network::LayerOperator*, Product>
      products_;  // in order of execution, as they lie in the program's list
  std::map<const Node*, const network::LayerOperator*> readers_;  // by operator, those with a kernel
  std::set<const Node*> taken_;                                   // additions
  std::map<Value*, Value*> bytes_;                                // by tapped value
  std::map<int, std::size_t> fast_uses_;                          // by layer
  std::map<int, std::string> reasons_;                            // by layer, why it stays in float
};

}  // namespace

FastProgram MakeFastProgram(const Network& network, const QuantizedState& state, const FastOptions& options) {
  return Walk(network, state, options).Make();
}

}  // namespace bitplan::fast
