// Operators of higher order: those that run subgraphs of a program.
#include <algorithm>
#include <vector>

#include "readers/exported/nodes.h"
#include "readers/exported/refusal.h"

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

void ExportedNodes::InsertCond(const Json& graph, const Json& node, Scope& scope) {
  const Json& inputs = node.at("inputs");
  const Json& outputs = node.at("outputs");
  Value* condition = arguments_.Make(inputs.at(0).at("arg"), nullptr, scope);
  if (condition->type()->kind() == c10::TypeKind::TensorType) condition = graph_.insert(c10::aten::Bool, {condition});
  const std::vector<Value*> operands = arguments_.Items(inputs.at(3).at("arg"), scope);
  Node* const branch = graph_.insertNode(graph_.create(c10::prim::If, {condition}, outputs.size()));
  for (const std::size_t side : {1, 2}) {
    const Json& body = inputs.at(side).at("arg").at("as_graph").at("graph");
    const WithInsertPoint inside(branch->addBlock());
    Scope own;
    for (std::size_t i = 0; i < operands.size(); ++i) Bind(body, body.at("inputs").at(i), operands[i], own);
    Insert(body, own);
    if (body.at("outputs").size() != outputs.size()) RefuseNode(node, "its branches make different numbers of results");
    for (const Json& output : body.at("outputs"))
      branch->blocks()[side - 1]->registerOutput(arguments_.Make(output, nullptr, own));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    branch->outputs()[i]->setType(
        c10::unifyTypes(branch->blocks()[0]->outputs()[i]->type(), branch->blocks()[1]->outputs()[i]->type())
            .value_or(c10::AnyType::get()));
    Bind(graph, outputs[i], branch->outputs()[i], scope);
  }
}

/// torch.sym_ite: one of two numbers.
void ExportedNodes::InsertChoice(const Json& graph, const Json& node, Scope& scope) {
  const Json& inputs = node.at("inputs");
  std::vector<Value*> values;
  for (const std::size_t i : {0, 1, 2}) values.push_back(arguments_.Make(inputs.at(i).at("arg"), nullptr, scope));
  Node* const branch = graph_.insertNode(graph_.create(c10::prim::If, {values[0]}, 1));
  for (const std::size_t side : {1, 2}) branch->addBlock()->registerOutput(values[side]);
  branch->output()->setType(c10::unifyTypes(values[1]->type(), values[2]->type()).value_or(c10::AnyType::get()));
  Bind(graph, node.at("outputs").at(0), branch->output(), scope);
}

/// A subgraph that is run once, as it stands: under another gradient mode, or shared by several modules.
void ExportedNodes::InsertInlined(const Json& graph, const Json& node, Scope& scope) {
  const Json* body = nullptr;
  Scope own;
  std::size_t taken = 0;
  for (const Json& input : node.at("inputs")) {
    const auto [kind, value] = Untag(input.at("arg"));
    if (kind == "as_graph") {
      body = &value.at("graph");
    } else if (body && kind != "as_string") {  // what comes before are settings, and a text is the subgraph's name
      Bind(*body, body->at("inputs").at(taken++), arguments_.Make(input.at("arg"), nullptr, scope), own);
    }
  }
  if (!body) RefuseNode(node, "it has no subgraph");
  Insert(*body, own);
  const Json& outputs = node.at("outputs");
  const bool listed = outputs.size() == 1 && outputs[0].contains("as_tensors");
  for (std::size_t i = 0; i < body->at("outputs").size(); ++i) {
    Value* const made = arguments_.Make(body->at("outputs")[i], nullptr, own);
    Bind(graph, listed ? Json{{"as_tensor", outputs[0]["as_tensors"].at(i)}} : outputs.at(i), made, scope);
  }
}

}  // namespace bitplan::network
