#include "operands.h"

#include <fmt/format.h>
#include <torch/csrc/jit/ir/alias_analysis.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "graph_observer.h"
#include "network/operator_traits.h"

namespace bitplan {

namespace {

using torch::jit::Node;
using torch::jit::Value;

bool IsInPlace(const Node* node) { return network::OperatorName(node).ends_with('_'); }

std::string WithoutUnderscore(std::string name) {
  if (name.ends_with('_')) name.pop_back();
  return name;
}

/// A place where a node reads a tensor.
struct Reading {
  Node* node = nullptr;
  int operand = -1;

  Value* value() const { return node->inputs()[static_cast<std::size_t>(operand)]; }
};

class OperandFinder {
 public:
  OperandFinder(LoweredGraph& lowered, network::LayerMap& map)
      : lowered_(lowered), map_(map), activations_(network::Activations(lowered, map)), aliases_(lowered.graph) {}

  void Find() {
    for (Node* node : network::AllNodes(lowered_.graph->block())) {
      if (!node->kind().is_aten() || map_.layer_of_node.contains(node)) continue;
      const std::string op(network::TargetOperator(network::OperatorName(node)));
      if (!op.empty()) Visit(node, op);
    }
  }

 private:
  void Visit(Node* node, const std::string& op) {
    const std::vector<Reading> readings = ReadingsOf(node, op);
    const bool of_two = op == "add" || op == "mul" || op == "matmul";
    const auto carried = std::count_if(readings.begin(), readings.end(),
                                       [&](const Reading& each) { return activations_.contains(each.value()); });
    if (carried < (of_two ? 2 : 1)) return;
    const std::string name = fmt::format("{}_{}", op, counts_[op]++);
    map_.operand_operators[node] = {op, name};
    for (std::size_t i = 0; i < readings.size(); ++i)
      if (activations_.contains(readings[i].value()))
        AddSite(readings[i], fmt::format("{}.{}", name, i), op == "softmax");
  }

  /// The tensors that an operator of this name computes with, activations or not: of those of one operand the first.
  static std::vector<Reading> ReadingsOf(Node* node, const std::string& op) {
    std::vector<Reading> readings;
    const bool of_one = op != "add" && op != "mul" && op != "matmul" && op != "cat";
    for (std::size_t i = 0; i < (of_one ? 1 : node->inputs().size()); ++i) {
      Node* const maker = node->inputs()[i]->node();
      if (maker->kind() == c10::prim::ListConstruct && maker->output()->uses().size() == 1) {
        for (std::size_t item = 0; item < maker->inputs().size(); ++item)
          if (network::IsTensorValue(maker->inputs()[item])) readings.push_back({maker, static_cast<int>(item)});
      } else if (network::IsTensorValue(node->inputs()[i])) {
        readings.push_back({node, static_cast<int>(i)});
      }
    }
    return readings;
  }

  void AddSite(const Reading& reading, const std::string& name, bool may_be_masked) {
    std::vector<Reading> places = may_be_masked ? BeforeMask(reading) : std::vector<Reading>{};
    if (places.empty()) places = {reading};
    for (const Reading& place : places)
      if (IsInPlace(place.node) && place.operand == 0 && IsReadAfter(place)) return;
    map_.sites.push_back({Site::Kind::Operand, name});
    for (const Reading& place : places)
      map_.taps.push_back({place.node, place.operand, static_cast<int>(map_.sites.size()) - 1});
  }

  /// Where the scores of a softmax are read by what hides some of them (with −inf, or a number as low): masks come from
  /// elsewhere than activations. Nothing without a mask.
  std::vector<Reading> BeforeMask(const Reading& reading) const {
    Node* const maker = reading.value()->node();
    if (reading.value()->uses().size() != 1) return {};
    if (maker->kind() == c10::prim::If) {
      std::vector<Reading> places;
      for (torch::jit::Block* block : maker->blocks()) {
        const std::vector<Reading> inside =
            BeforeMask({block->return_node(), static_cast<int>(reading.value()->offset())});
        if (inside.empty()) return {};
        places.insert(places.end(), inside.begin(), inside.end());
      }
      const bool same = std::all_of(places.begin(), places.end(),
                                    [&](const Reading& each) { return each.value() == places[0].value(); });
      return same ? places : std::vector<Reading>{};
    }
    const std::string op = WithoutUnderscore(network::OperatorName(maker));
    if (op != "add" && op != "sub" && op != "masked_fill" && op != "where") return {};
    std::vector<Reading> scores;
    bool masks = false;
    for (std::size_t i = 0; i < maker->inputs().size(); ++i) {
      if (!network::IsTensorValue(maker->inputs()[i])) continue;
      if (activations_.contains(maker->inputs()[i]))
        scores.push_back({maker, static_cast<int>(i)});
      else
        masks = true;
    }
    if (!masks || scores.size() != 1) return {};
    const std::vector<Reading> earlier = BeforeMask(scores[0]);  // of several masks the first
    return earlier.empty() ? scores : earlier;
  }

  /// Whether something that may lie in the same memory is read once the operator has written there, its own result
  /// aside.
  bool IsReadAfter(const Reading& written) const {
    const auto is_read = [&](const Value* value) {
      if (!network::IsTensorValue(value) || !aliases_.mayAlias(value, written.value())) return false;
      return std::any_of(value->uses().begin(), value->uses().end(), [&](const torch::jit::Use& use) {
        return use.user != written.node && use.user->isAfter(written.node);
      });
    };
    for (const Value* input : lowered_.graph->inputs())
      if (is_read(input)) return true;
    for (const Node* node : network::AllNodes(lowered_.graph->block())) {
      if (node == written.node || !node->isBefore(written.node)) continue;
      for (const Value* output : node->outputs())
        if (is_read(output)) return true;
    }
    return false;
  }

  LoweredGraph& lowered_;
  network::LayerMap& map_;
  std::set<const Value*> activations_;
  torch::jit::AliasDb aliases_;
  std::map<std::string, int> counts_;
};

}  // namespace

const std::vector<std::string>& OperandOperators() {
  static const std::vector<std::string> names = [] {
    std::set<std::string> all;
    for (const network::OperatorRow& row : network::KnownOperators())
      if (!row.target_name.empty()) all.emplace(row.target_name);
    return std::vector<std::string>(all.begin(), all.end());
  }();
  return names;
}

}  // namespace bitplan

namespace bitplan::network {

bool HoldsTensors(const Value* value) {
  return IsTensorValue(value) || value->type()->isSubtypeOf(*c10::ListType::ofTensors()) ||
         value->type()->kind() == c10::TypeKind::TupleType || value->type()->kind() == c10::TypeKind::OptionalType;
}

std::set<const Value*> Activations(const LoweredGraph& lowered, const LayerMap& map) {
  std::set<const Value*> found;
  const auto hand_on = [&](const Value* from, const Value* to) {
    if (found.contains(from) && HoldsTensors(to)) found.insert(to);
  };
  const std::vector<Node*> nodes = AllNodes(lowered.graph->block());
  for (std::size_t before = nodes.size() + 1; before != found.size();) {  // again for what loops carry on
    before = found.size();
    for (const Node* node : nodes) {
      if (node->kind() == c10::prim::If) {
        for (const torch::jit::Block* block : node->blocks())
          for (std::size_t i = 0; i < node->outputs().size(); ++i) hand_on(block->outputs()[i], node->outputs()[i]);
      } else if (node->kind() == c10::prim::Loop) {
        const torch::jit::Block* const body = node->blocks()[0];
        for (std::size_t i = 0; i < node->outputs().size(); ++i) {
          hand_on(node->inputs()[2 + i], body->inputs()[1 + i]);
          hand_on(body->outputs()[1 + i], body->inputs()[1 + i]);
          hand_on(body->outputs()[1 + i], node->outputs()[i]);
          hand_on(node->inputs()[2 + i], node->outputs()[i]);
        }
      } else {
        for (const Value* output : node->outputs()) {
          if (map.layer_of_node.contains(node) && HoldsTensors(output)) found.insert(output);
          for (const Value* input : node->inputs()) hand_on(input, output);
        }
      }
    }
  }
  return found;
}

void FindOperands(LoweredGraph& lowered, LayerMap& map) { OperandFinder(lowered, map).Find(); }

}  // namespace bitplan::network
