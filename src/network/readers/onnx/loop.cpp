#include "readers/onnx/loop.h"

#include <ATen/ATen.h>

#include <array>
#include <optional>

#include "bitplan/error.h"

namespace bitplan::network {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

namespace {

using Examples = std::optional<OnnxBuilder::Examples>;

/// Examples of a size that changes from iteration to iteration, and of how many iterations there are.
constexpr std::array<std::int64_t, 2> kOpenExtent{64, 192}, kOpenIterations{5, 11};

/// Sizes that an iteration changes are not fixed; returns whether there are any that were. Throws Error where the
/// number of axes changes.
bool OpenChangedSizes(Examples& before, const Examples& after) {
  if (!before || !after) return false;
  const at::Tensor was = (*before)[0].toTensor(), is = (*after)[0].toTensor();
  if (was.dim() != is.dim()) throw Error("a value changes its number of axes from iteration to iteration");
  bool opened = false;
  std::array<std::vector<std::int64_t>, 2> sizes{was.sizes().vec(), (*before)[1].toTensor().sizes().vec()};
  for (std::size_t axis = 0; axis < sizes[0].size(); ++axis) {
    if (sizes[0][axis] != sizes[1][axis] || is.size(static_cast<std::int64_t>(axis)) == sizes[0][axis]) continue;
    opened = true;
    for (const std::size_t side : {0, 1}) sizes[side][axis] = kOpenExtent[side];
  }
  for (const std::size_t side : {0, 1}) (*before)[side] = at::empty(sizes[side], was.options());
  return opened;
}

class LoopInserter {
 public:
  LoopInserter(OnnxBuilder& builder, const std::vector<Value*>& inputs, const OnnxStep& step)
      : builder_(builder), inputs_(inputs), step_(step) {
    for (std::size_t i = 2; i < inputs.size(); ++i) examples_.push_back(builder.ExamplesOf(inputs[i]));
  }

  /// Where an iteration turns out to change a size, the loop is inserted again for any such size.
  std::vector<Value*> Insert() {
    while (true) {
      Node* const loop = builder_.graph().insertNode(builder_.graph().create(c10::prim::Loop, inputs_, 0));
      const OnnxIteration made = InsertBody(loop);
      bool again = false;
      for (std::size_t i = 0; i < examples_.size(); ++i)
        again |= OpenChangedSizes(examples_[i], builder_.ExamplesOf(made.carried[i]));
      if (!again) return Outputs(loop, made);
      builder_.Discard(loop);
    }
  }

 private:
  static Value* AddTensorInput(Block* block) { return block->addInput()->setType(c10::TensorType::get()); }

  OnnxIteration InsertBody(Node* loop) {
    Block* const block = loop->addBlock();
    const WithInsertPoint inside(block);
    Value* const trip = block->addInput("trip")->setType(c10::IntType::get());
    builder_.SetExamples(trip, {0, 1});
    std::vector<Value*> taken;
    for (const Examples& examples : examples_) {
      taken.push_back(AddTensorInput(block));
      if (examples) builder_.SetExamples(taken.back(), *examples);
    }
    OnnxIteration made = step_(trip, taken);
    block->registerOutput(made.goes_on ? made.goes_on : builder_.Constant(true));
    for (Value* const value : made.carried) block->registerOutput(value);
    return made;
  }

  std::vector<Value*> Outputs(Node* loop, const OnnxIteration& made) {
    std::vector<Value*> all;
    for (const Examples& examples : examples_) {
      all.push_back(loop->addOutput()->setType(c10::TensorType::get()));
      if (examples) builder_.SetExamples(all.back(), *examples);
    }
    for (Value* const each : made.collected) all.push_back(Collect(loop, each));
    return all;
  }

  /// Stacks a tensor of each iteration: joins them to one without elements, in place of which aten::cat takes any.
  Value* Collect(Node* loop, Value* each) {
    Block* const block = loop->blocks()[0];
    {
      const WithInsertPoint inside(block);
      Value* const before = AddTensorInput(block);
      Value* const row = builder_.Call("aten::unsqueeze", {each, 0});
      block->registerOutput(builder_.Call("aten::cat", {builder_.Tensors({before, row}), 0}));
    }
    const WithInsertPoint outside(loop);
    loop->addInput(builder_.Constant(at::zeros({0}, builder_.Type(each))));
    Value* const output = loop->addOutput()->setType(c10::TensorType::get());
    if (const auto examples = builder_.ExamplesOf(each)) {
      OnnxBuilder::Examples stacked;
      for (const std::size_t side : {0, 1}) {
        const at::Tensor example = (*examples)[side].toTensor();
        std::vector<std::int64_t> sizes = example.sizes().vec();
        sizes.insert(sizes.begin(), kOpenIterations[side]);
        stacked[side] = at::empty(sizes, example.options());
      }
      builder_.SetExamples(output, stacked);
    }
    return output;
  }

  OnnxBuilder& builder_;
  const std::vector<Value*>& inputs_;
  const OnnxStep& step_;
  std::vector<Examples> examples_;  // of what is carried
};

}  // namespace

std::vector<Value*> InsertLoop(OnnxBuilder& builder, Value* trips, Value* condition, const std::vector<Value*>& carried,
                               const OnnxStep& step) {
  std::vector<Value*> inputs{trips, condition};
  inputs.insert(inputs.end(), carried.begin(), carried.end());
  return LoopInserter(builder, inputs, step).Insert();
}

}  // namespace bitplan::network
