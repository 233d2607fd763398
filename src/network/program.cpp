#include "network/program.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "graph_copy.h"
#include "network/lowered_graph.h"
#include "network/operator_arguments.h"
#include "network/probe_operator.h"
#include "recurrent_state.h"

namespace bitplan::network {

using torch::jit::Code;
using torch::jit::Node;
using torch::jit::Stack;
using torch::jit::Value;

namespace {

bool NormalizesByBatch(const Node* node) {
  return node->kind() == c10::aten::batch_norm && BoolArgument(node, "training") == true;
}

bool IsMeeting(const Node* node) {
  return (node->kind() == TapSymbol() || NormalizesByBatch(node)) &&
         Subject(node)->node()->kind() != c10::prim::Constant;
}

/// What is kept between two stages, by number.
using Slot = std::size_t;

/// What lies between two meetings, and the meeting behind it.
struct Stage {
  Code code;
  std::vector<Slot> inputs, outputs;
  const Node* meeting = nullptr;                               // null: the graph returns
  std::vector<Slot> operands;                                  // of the meeting, constants aside
  std::vector<std::pair<std::size_t, c10::IValue>> constants;  // of the meeting, by position
  Slot result = 0;
  std::vector<Slot> dead;  // nothing reads them after the meeting
};

}  // namespace

struct Program::Stages {
  std::once_flag made;
  std::vector<Stage> all;
  std::vector<Slot> inputs, outputs;  // of the graph
  std::size_t slots = 0;
};

namespace {

/// Divides a graph into stages.
class StageMaker {
 public:
  explicit StageMaker(torch::jit::Graph& graph) : top_(graph) {}

  std::vector<Stage> Make() {
    std::vector<Stage> stages;
    std::vector<Node*> between;
    for (std::size_t i = 0; i < top_.nodes().size(); ++i) {
      Node* const node = top_.nodes()[i];
      if (IsMeeting(node)) {
        stages.push_back(StageOf(between, i));
        AddMeeting(stages.back(), node);
        between.clear();
      } else if (node->kind() != c10::prim::Constant) {
        between.push_back(node);
      }
    }
    stages.push_back(StageOf(between, top_.nodes().size()));
    AddDead(stages);
    return stages;
  }

  Slot SlotOf(const Value* value) { return slots_.try_emplace(value, slots_.size()).first->second; }
  std::size_t slots() const { return slots_.size(); }

 private:
  /// What `nodes` make is kept where something at position `end` or later reads it.
  Stage StageOf(const std::vector<Node*>& nodes, std::size_t end) {
    Stage stage;
    GraphCopy copy;
    for (Node* node : nodes) copy.Add(node);
    for (Node* node : nodes)
      for (Value* value : node->outputs()) {
        if (LastReader(value) < end) continue;
        copy.graph()->registerOutput(copy.Find(value));
        stage.outputs.push_back(SlotOf(value));
      }
    for (const Value* value : copy.inputs()) stage.inputs.push_back(SlotOf(value));
    stage.code = Code(copy.graph(), "stage");
    return stage;
  }

  void AddMeeting(Stage& stage, const Node* node) {
    stage.meeting = node;
    for (std::size_t i = 0; i < node->inputs().size(); ++i) {
      const Value* const operand = node->inputs()[i];
      if (const auto constant = torch::jit::toIValue(operand))
        stage.constants.emplace_back(i, *constant);
      else
        stage.operands.push_back(SlotOf(operand));
    }
    stage.result = SlotOf(node->output());
  }

  /// Position of the last node that reads `value`; 0 for none.
  std::size_t LastReader(const Value* value) const {
    std::size_t last = 0;
    for (const torch::jit::Use& use : value->uses()) last = std::max(last, top_.PositionOf(use.user));
    return last;
  }

  void AddDead(std::vector<Stage>& stages) const {
    for (const auto& [value, slot] : slots_) {
      const std::size_t last = LastReader(value);
      for (Stage& stage : stages) {
        if (!stage.meeting || top_.PositionOf(stage.meeting) < last) continue;
        stage.dead.push_back(slot);
        break;
      }
    }
  }

  TopLevel top_;
  std::map<const Value*, Slot> slots_;
};

}  // namespace

Program::Program(const std::shared_ptr<torch::jit::Graph>& graph, const std::string& name)
    : graph_(WithCheckedStates(graph)), code_(graph_, name), stages_(std::make_shared<Stages>()) {}

void Program::Run(Stack& stack) const { torch::jit::InterpreterState(code_).run(stack); }

const Program::Stages& Program::stages() const {
  std::call_once(stages_->made, [this] {
    StageMaker maker(*graph_);
    stages_->all = maker.Make();
    for (const Value* input : graph_->inputs()) stages_->inputs.push_back(maker.SlotOf(input));
    for (const Value* output : graph_->outputs()) stages_->outputs.push_back(maker.SlotOf(output));
    stages_->slots = maker.slots();
  });
  return *stages_;
}

namespace {

using Memory = std::vector<c10::IValue>;  // by slot

void RunStage(const Stage& stage, Memory& memory) {
  Stack stack;
  for (const Slot slot : stage.inputs) stack.push_back(memory[slot]);
  torch::jit::InterpreterState(stage.code).run(stack);
  for (std::size_t i = 0; i < stage.outputs.size(); ++i) memory[stage.outputs[i]] = std::move(stack[i]);
}

void Meet(const Stage& stage, const Program::Meeting& meeting, std::vector<Memory>& memories) {
  std::vector<at::Tensor> values;
  for (const Memory& memory : memories) values.push_back(memory[stage.operands.front()].toTensor());
  Stack operands;
  for (const Slot slot : stage.operands) operands.push_back(memories.front()[slot]);
  for (const auto& [position, constant] : stage.constants)
    operands.insert(operands.begin() + static_cast<std::ptrdiff_t>(position), constant);
  operands.erase(operands.begin());
  const std::vector<at::Tensor> results = meeting(stage.meeting, values, operands);
  for (std::size_t i = 0; i < memories.size(); ++i) memories[i][stage.result] = results[i];
}

}  // namespace

void Program::RunTogether(std::vector<Stack>& stacks, const Meeting& meeting) const {
  const Stages& parts = stages();
  std::vector<Memory> memories(stacks.size(), Memory(parts.slots));
  for (std::size_t k = 0; k < stacks.size(); ++k)
    for (std::size_t i = 0; i < parts.inputs.size(); ++i) memories[k][parts.inputs[i]] = std::move(stacks[k][i]);
  for (const Stage& stage : parts.all) {
    for (Memory& memory : memories) RunStage(stage, memory);
    if (!stage.meeting) break;
    Meet(stage, meeting, memories);
    for (Memory& memory : memories)
      for (const Slot slot : stage.dead) memory[slot] = {};
  }
  for (std::size_t k = 0; k < stacks.size(); ++k) {
    stacks[k].clear();
    for (const Slot slot : parts.outputs) stacks[k].push_back(memories[k][slot]);
  }
}

}  // namespace bitplan::network
