#include "readers/onnx/recurrent_steps.h"

#include <ATen/ATen.h>

#include <functional>
#include <map>

#include "readers/onnx/loop.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Function = std::function<Value*(Value*)>;

/// The node's activations, in order, with their alpha and beta.
class Activations {
 public:
  Activations(const OnnxNode& node, std::vector<std::string> names) : node_(node), builder_(node.builder()) {
    const auto found = node.node().attributes.find("activations");
    if (found != node.node().attributes.end()) {
      const auto* const given = std::get_if<std::vector<std::string>>(&found->second);
      if (!given || given->size() != names.size()) node.Refuse("it has other numbers of activations than of gates");
      names = *given;
    }
    alphas_ = node.Numbers("activation_alpha");
    betas_ = node.Numbers("activation_beta");
    for (const std::string& name : names) all_.push_back(Named(name));
  }

  const std::vector<Function>& all() const { return all_; }

 private:
  static double Next(std::vector<double>& numbers, double otherwise) {
    if (numbers.empty()) return otherwise;
    const double first = numbers.front();
    numbers.erase(numbers.begin());
    return first;
  }

  Function Plain(const char* op) const {
    OnnxBuilder* const builder = &builder_;
    return [builder, op](Value* x) { return builder->Call(op, {x}); };
  }

  /// α·x + β, between 0 and 1 where it is `bounded`.
  Function Line(double alpha, double beta, bool bounded) const {
    OnnxBuilder* const builder = &builder_;
    return [=](Value* x) {
      Value* const line = builder->Call("aten::add", {builder->Call("aten::mul", {x, alpha}), beta});
      return bounded ? builder->Call("aten::clamp", {line, 0, 1}) : line;
    };
  }

  Function Named(const std::string& name) {
    static const std::map<std::string, const char*> plain{
        {"Sigmoid", "aten::sigmoid"}, {"Tanh", "aten::tanh"}, {"Relu", "aten::relu"}, {"Softplus", "aten::softplus"}};
    if (const auto found = plain.find(name); found != plain.end()) return Plain(found->second);
    OnnxBuilder* const builder = &builder_;
    if (name == "Affine" || name == "HardSigmoid") {
      const bool bounded = name == "HardSigmoid";
      const double alpha = Next(alphas_, bounded ? 0.2 : 1), beta = Next(betas_, bounded ? 0.5 : 0);
      return Line(alpha, beta, bounded);
    }
    if (name == "ScaledTanh") {
      const double alpha = Next(alphas_, 1), beta = Next(betas_, 1);
      return [=](Value* x) {
        return builder->Call("aten::mul",
                             {builder->Call("aten::tanh", {builder->Call("aten::mul", {x, beta})}), alpha});
      };
    }
    if (name == "LeakyRelu" || name == "Elu") {
      const double alpha = Next(alphas_, name == "Elu" ? 1 : 0.01);
      const char* const op = name == "Elu" ? "aten::elu" : "aten::leaky_relu";
      return [=](Value* x) { return builder->Call(op, {x, alpha}); };
    }
    node_.Refuse("activation '" + name + "' is not read there");
  }

  const OnnxNode& node_;
  OnnxBuilder& builder_;
  std::vector<double> alphas_, betas_;
  std::vector<Function> all_;
};

/// One direction of a node.
class Direction {
 public:
  Direction(const OnnxNode& node, const RecurrentSteps& steps, std::size_t index, std::vector<Function> activations)
      : node_(node),
        builder_(node.builder()),
        steps_(steps),
        index_(static_cast<std::int64_t>(index)),
        reverse_(steps.directions[index] == "reverse"),
        activations_(std::move(activations)) {
    gates_ = node.node().op == "LSTM" ? 4 : node.node().op == "GRU" ? 3 : 1;
    recurrent_ = Own(node.Input(2));
    if (node.Has(3)) bias_ = Own(node.Input(3));
    Value* const bias = bias_ ? Rows(bias_, 0, gates_) : builder_.Constant(c10::IValue());
    products_ = builder_.Call("aten::linear", {steps.input, Own(node.Input(1)), bias});  // of all steps at once
    count_ = builder_.Size(steps.input, 0);
    if (node.Has(7)) peephole_ = Own(node.Input(7));
    if (node.Has(4)) lengths_ = builder_.Call("aten::unsqueeze", {node.Input(4), -1});
  }

  /// [steps, N, hidden], then the states.
  std::vector<Value*> Insert() {
    std::vector<Value*> states;
    for (Value* const state : steps_.states) states.push_back(Own(state));
    const auto results = InsertLoop(builder_, count_, builder_.Constant(true), states,
                                    [&](Value* trip, const std::vector<Value*>& taken) { return Step(trip, taken); });
    Value* output = results.back();
    if (reverse_) output = Call("aten::flip", {output, std::vector<std::int64_t>{0}});
    std::vector<Value*> all{output};
    all.insert(all.end(), results.begin(), results.end() - 1);
    return all;
  }

 private:
  Value* Call(const char* op, const OnnxBuilder::Arguments& arguments) { return builder_.Call(op, arguments); }
  Value* Own(Value* all) { return OfDirection(builder_, all, index_); }
  /// Of so many gates from one on.
  Value* Rows(Value* all, std::int64_t first, std::int64_t count) {
    return Call("aten::narrow", {all, 0, first * steps_.hidden, count * steps_.hidden});
  }
  Value* Columns(Value* all, std::int64_t first, std::int64_t count = 1) {
    return Call("aten::narrow", {all, 1, first * steps_.hidden, count * steps_.hidden});
  }

  /// What the state adds to those gates.
  Value* Recurrent(Value* state, std::int64_t first, std::int64_t count) {
    Value* const bias = bias_ ? Rows(bias_, gates_ + first, count) : builder_.Constant(c10::IValue());
    return Call("aten::linear", {state, Rows(recurrent_, first, count), bias});
  }

  Value* Clipped(Value* sum) {
    const double clip = node_.Number("clip", 0);
    return clip > 0 ? Call("aten::clamp", {sum, -clip, clip}) : sum;
  }

  Value* Activated(std::size_t activation, Value* sum) { return activations_[activation](Clipped(sum)); }

  OnnxIteration Step(Value* trip, const std::vector<Value*>& states) {
    Value* at = trip;
    if (reverse_) at = Call("aten::sub", {Call("aten::sub", {count_, 1}), trip});
    Value* const products = Call("aten::select", {products_, 0, at});
    std::vector<Value*> next = gates_ == 4   ? Lstm(products, states)
                               : gates_ == 3 ? Gru(products, states)
                                             : Rnn(products, states);
    Value* output = next[0];
    if (lengths_) {
      Value* const runs = Call("aten::gt", {lengths_, at});
      output = Call("aten::where", {runs, output, Call("aten::zeros_like", {output})});
      for (std::size_t i = 0; i < next.size(); ++i) next[i] = Call("aten::where", {runs, next[i], states[i]});
    }
    return {nullptr, next, {output}};
  }

  std::vector<Value*> Rnn(Value* products, const std::vector<Value*>& states) {
    return {Activated(0, Call("aten::add", {products, Recurrent(states[0], 0, 1)}))};
  }

  /// Gates z, r, h; the reset before the product with the hidden state or after it.
  std::vector<Value*> Gru(Value* products, const std::vector<Value*>& states) {
    Value* const state = states[0];
    Value* const gates = Activated(0, Call("aten::add", {Columns(products, 0, 2), Recurrent(state, 0, 2)}));
    Value *const update = Columns(gates, 0), *const reset = Columns(gates, 1);
    Value* const recurrent = node_.Int("linear_before_reset", 0) != 0
                                 ? Call("aten::mul", {reset, Recurrent(state, 2, 1)})
                                 : Recurrent(Call("aten::mul", {reset, state}), 2, 1);
    Value* const fresh = Activated(1, Call("aten::add", {Columns(products, 2), recurrent}));
    return {Call("aten::lerp", {fresh, state, update})};
  }

  /// Gates i, o, f, c; with peepholes i, o, f see the cell, too.
  std::vector<Value*> Lstm(Value* products, const std::vector<Value*>& states) {
    Value *const state = states[0], *const cell = states[1];
    Value* const sums = Call("aten::add", {products, Recurrent(state, 0, 4)});
    const auto gate = [&](std::int64_t index, Value* seen) {
      Value* const sum = Columns(sums, index);
      if (!peephole_) return Activated(0, sum);
      return Activated(0, Call("aten::add", {sum, Call("aten::mul", {Rows(peephole_, index, 1), seen})}));
    };
    Value* const input = gate(0, cell);
    Value* const forget = node_.Int("input_forget", 0) != 0 ? Call("aten::rsub", {input, 1}) : gate(2, cell);
    Value* const fresh = Activated(1, Columns(sums, 3));
    Value* const next = Call("aten::add", {Call("aten::mul", {forget, cell}), Call("aten::mul", {input, fresh})});
    return {Call("aten::mul", {gate(1, next), activations_[2](next)}), next};
  }

  const OnnxNode& node_;
  OnnxBuilder& builder_;
  const RecurrentSteps& steps_;
  std::int64_t index_;
  bool reverse_;
  std::vector<Function> activations_;
  std::int64_t gates_ = 1;
  Value *recurrent_ = nullptr, *bias_ = nullptr, *products_ = nullptr, *count_ = nullptr, *peephole_ = nullptr,
        *lengths_ = nullptr;
};

std::vector<std::string> DefaultActivations(const std::string& op) {
  if (op == "LSTM") return {"Sigmoid", "Tanh", "Tanh"};
  if (op == "GRU") return {"Sigmoid", "Tanh"};
  return {"Tanh"};
}

}  // namespace

Value* OfDirection(OnnxBuilder& builder, Value* all, std::int64_t direction) {
  const torch::jit::Node* const node = all->node();
  const bool stacked = node->kind() == c10::aten::stack && node->input(0)->node()->kind() == c10::prim::ListConstruct;
  if (stacked && builder.ConstantOf(node->input(1)) == c10::IValue(0))
    return node->input(0)->node()->input(static_cast<std::size_t>(direction));
  return builder.Call("aten::select", {all, 0, direction});
}

std::vector<Value*> ReadRecurrentSteps(const OnnxNode& node, const RecurrentSteps& steps) {
  OnnxBuilder& builder = node.builder();
  const std::vector<std::string> defaults = DefaultActivations(node.node().op);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < steps.directions.size(); ++i) names.insert(names.end(), defaults.begin(), defaults.end());
  const Activations activations(node, names);
  std::vector<std::vector<Value*>> parts(1 + steps.states.size());
  for (std::size_t i = 0; i < steps.directions.size(); ++i) {
    const auto first = activations.all().begin() + static_cast<std::ptrdiff_t>(i * defaults.size());
    const std::vector<Function> own(first, first + static_cast<std::ptrdiff_t>(defaults.size()));
    const auto results = Direction(node, steps, i, own).Insert();
    for (std::size_t k = 0; k < parts.size(); ++k) parts[k].push_back(results[k]);
  }
  std::vector<Value*> all;
  for (std::size_t k = 0; k < parts.size(); ++k)
    all.push_back(builder.Call("aten::stack", {builder.Tensors(parts[k]), k == 0 ? 1 : 0}));
  return all;
}

}  // namespace bitplan::network
