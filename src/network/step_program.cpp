#include "network/step_program.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/custom_class.h>
#include <torch/library.h>

#include <exception>
#include <map>

#include "bitplan/error.h"
#include "network/impl.h"
#include "network/probe_operator.h"
#include "network/torch_error.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// What the step operators of one run call; travels through the graph as an input, so that runs share nothing.
struct StepHandle : torch::CustomClassHolder {
  const std::vector<Step>* steps = nullptr;
  const std::vector<StepOfSeveral>* steps_of_several = nullptr;
  StepNotes* notes = nullptr;
  c10::intrusive_ptr<ProbeHandle> probe;  // keeps what a step throws that is not LibTorch's word on the model
};

template <typename Steps>
auto Run(const Steps& steps, const std::vector<at::Tensor>& operands, const StepHandle& handle, std::int64_t number) {
  try {
    return steps[static_cast<std::size_t>(number)](operands, *handle.notes);
  } catch (const std::exception& error) {
    if (!IsOfModel(error)) handle.probe->error = std::current_exception();
    throw;
  }
}

at::Tensor RunStep(const std::vector<at::Tensor>& operands, const c10::intrusive_ptr<StepHandle>& handle,
                   std::int64_t number) {
  return Run(*handle->steps, operands, *handle, number);
}

std::vector<at::Tensor> RunStepOfSeveral(const std::vector<at::Tensor>& operands,
                                         const c10::intrusive_ptr<StepHandle>& handle, std::int64_t number) {
  return Run(*handle->steps_of_several, operands, *handle, number);
}

TORCH_LIBRARY_FRAGMENT(bitplan, library) {
  library.class_<StepHandle>("Steps");
  library.def("step(Tensor[] operands, __torch__.torch.classes.bitplan.Steps steps, int number) -> Tensor", RunStep);
  library.def("step_of_several(Tensor[] operands, __torch__.torch.classes.bitplan.Steps steps, int number) -> Tensor[]",
              RunStepOfSeveral);
}

c10::Symbol StepSymbol() {
  static const auto symbol = c10::Symbol::fromQualString("bitplan::step");
  return symbol;
}

}  // namespace

StepProgram::StepProgram(const Network& network) : network_(network), graph_(network.lowered().graph->copy()) {
  std::map<std::int64_t, Value*> taps;
  for (Node* node : AllNodes(graph_->block()))
    if (node->kind() == TapSymbol()) taps[TapNumber(node)] = node->output();
  const LayerMap& map = network.impl().map;
  for (std::size_t layer = 0; layer < map.layers.size(); ++layer)
    for (std::size_t use = 0; use < map.layers[layer].uses.size(); ++use) {
      const UseTaps& of_use = map.use_taps[layer][use];
      const auto input = taps.find(of_use.input), result = taps.find(of_use.output);
      if (input == taps.end() || result == taps.end()) continue;
      layers_.push_back({static_cast<int>(layer), use, map.taps[static_cast<std::size_t>(of_use.output)].node,
                         input->second, result->second});
    }
  handle_ = graph_->addInput("steps");
  handle_->setType(c10::getCustomClassType<c10::intrusive_ptr<StepHandle>>());
}

std::optional<int> StepProgram::SiteOf(const Node* node) const {
  if (node->kind() != TapSymbol()) return std::nullopt;
  return network_.lowered().tap_sites[static_cast<std::size_t>(TapNumber(node))];
}

Node* StepProgram::InsertNode(c10::Symbol kind, const std::vector<Value*>& operands, std::size_t number) {
  Node* const list = graph_->insertNode(graph_->createList(c10::TensorType::get(), operands));
  Value* const constant = graph_->insertConstant(static_cast<std::int64_t>(number));
  return graph_->insertNode(graph_->create(kind, {list->output(), handle_, constant}));
}

Value* StepProgram::Insert(const std::vector<Value*>& operands, Step step) {
  Node* const node = InsertNode(StepSymbol(), operands, steps_.size());
  steps_.push_back(std::move(step));
  node->output()->setType(c10::TensorType::get());
  return node->output();
}

std::vector<Value*> StepProgram::InsertSeveral(const std::vector<Value*>& operands, StepOfSeveral step,
                                               std::size_t count) {
  static const auto symbol = c10::Symbol::fromQualString("bitplan::step_of_several");
  Node* const node = InsertNode(symbol, operands, steps_of_several_.size());
  steps_of_several_.push_back(std::move(step));
  node->output()->setType(c10::ListType::ofTensors());
  const auto results = graph_->insertNode(graph_->createListUnpack(node->output(), count))->outputs();
  return {results.begin(), results.end()};
}

bool StepProgram::IsStep(const Node* node) { return node->kind() == StepSymbol(); }

void StepProgram::Compile() {
  torch::jit::EliminateDeadCode(graph_);
  program_ = Program(graph_, "steps");
}

at::Tensor StepProgram::Run(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
                            Probe* probe, StepNotes& notes) const {
  const Network::Impl& network = network_.impl();
  auto handle = c10::make_intrusive<StepHandle>();
  handle->steps = &steps_;
  handle->steps_of_several = &steps_of_several_;
  handle->notes = &notes;
  handle->probe = network.Handle(probe);
  const Batches batches = network.batching->Divide(network, inputs);
  const auto results = network.Run(program_, batches, inputs, parameters, handle->probe, [&](std::size_t /*batch*/) {
    return std::vector<c10::IValue>{c10::IValue(handle)};
  });
  return network.Output(results, results.front().size() - 1, batches);
}

}  // namespace bitplan::network
