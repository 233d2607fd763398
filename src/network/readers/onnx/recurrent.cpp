// LSTM, GRU, RNN.
#include <ATen/ATen.h>

#include "readers/onnx/node.h"
#include "readers/onnx/recurrent_steps.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;

/// An operator of ATen, and from which of ONNX's gates each of its gates is.
struct Recurrence {
  const char* op;
  std::vector<std::int64_t> gates;  ///< iofc to ifgo, zrh to rzn
  std::vector<std::string> activations;
};

class RecurrentReader {
 public:
  RecurrentReader(const OnnxNode& node, Recurrence kind)
      : node_(node), builder_(node.builder()), kind_(std::move(kind)) {
    const auto hidden = builder_.FixedSize(node.Input(2), 2);
    if (!hidden || node.Int("hidden_size", *hidden) != *hidden)
      node.Refuse("its hidden_size is not that of its weights");
    hidden_ = *hidden;
    const std::string direction = node.Text("direction", "forward");
    directions_ = direction == "bidirectional" ? std::vector<std::string>{"forward", "reverse"}
                                               : std::vector<std::string>{direction};
    batch_first_ = node.Int("layout", 0) != 0;
  }

  Results Read() {
    Value* const input = batch_first_ ? Turned(node_.Input(0)) : node_.Input(0);  // [steps, N, features]
    std::vector<Value*> states{State(input, 5)};
    if (IsLstm()) states.push_back(State(input, 6));
    std::vector<Value*> results =
        IsOfAten(input) ? OfAten(input, states) : ReadRecurrentSteps(node_, {hidden_, directions_, input, states});
    if (batch_first_) {
      results[0] = builder_.Call("aten::permute", {results[0], std::vector<std::int64_t>{2, 0, 1, 3}});
      for (std::size_t i = 1; i < results.size(); ++i) results[i] = Turned(results[i]);
    }
    return {results.begin(), results.end()};
  }

 private:
  bool IsLstm() const { return kind_.gates.size() == 4; }
  Value* Turned(Value* value) { return builder_.Call("aten::transpose", {value, 0, 1}); }

  /// Whether ATen's operator computes the same.
  bool IsOfAten(Value* input) const {
    if (node_.Has(7) || node_.Number("clip", 0) > 0 || node_.Int("input_forget", 0) != 0) return false;
    if (kind_.gates.size() == 3 && node_.Int("linear_before_reset", 0) == 0) return false;
    if (node_.Has(4)) {
      const auto steps = builder_.FixedSize(input, 0);
      const auto lengths = builder_.ConstantOf(node_.Input(4));
      if (!steps || !lengths || !lengths->toTensor().eq(*steps).all().item<bool>()) return false;
    }
    const auto found = node_.node().attributes.find("activations");
    if (found == node_.node().attributes.end()) return true;
    const auto* const given = std::get_if<std::vector<std::string>>(&found->second);
    if (!given) node_.Refuse("its attribute 'activations' is of another type than the operator has");
    for (std::size_t i = 0; i < given->size(); ++i)
      if ((*given)[i] != kind_.activations[i % kind_.activations.size()]) return false;
    return true;
  }

  /// [steps, directions, N, hidden], then the states at the end.
  std::vector<Value*> OfAten(Value* input, const std::vector<Value*>& states) {
    const std::vector<std::int64_t> steps{0};
    const bool reverse = directions_[0] == "reverse";
    if (reverse) input = builder_.Call("aten::flip", {input, steps});
    Value* const state = IsLstm() ? builder_.Tensors(states) : states[0];
    auto results = builder_.CallForAll(
        kind_.op, {input, state, builder_.Tensors(Weights()), true, 1, 0.0, false, directions_.size() == 2, false});
    Value* output = builder_.Call("aten::unflatten", {results[0], 2, std::vector<std::int64_t>{Directions(), hidden_}});
    output = builder_.Call("aten::transpose", {output, 1, 2});
    results[0] = reverse ? builder_.Call("aten::flip", {output, steps}) : output;
    return results;
  }

  std::int64_t Directions() const { return static_cast<std::int64_t>(directions_.size()); }

  Value* State(Value* input, std::size_t index) {
    if (node_.Has(index)) return batch_first_ ? Turned(node_.Input(index)) : node_.Input(index);
    Value* const sizes =
        builder_.Integers({builder_.Constant(Directions()), builder_.Size(input, 1), builder_.Constant(hidden_)});
    return builder_.Call("aten::zeros", {sizes}, {{"dtype", builder_.Type(input)}, {"device", builder_.device()}});
  }

  /// Of a direction, the gates in ATen's order, of rows from `first` gates on.
  Value* Gates(Value* weights, std::int64_t direction, std::int64_t first) {
    Value* const own = OfDirection(builder_, weights, direction);
    const auto take = [&](std::int64_t gate) {
      return builder_.Call("aten::narrow", {own, 0, (first + gate) * hidden_, hidden_});
    };
    if (kind_.gates.size() == 1) return take(0);
    std::vector<Value*> parts;
    for (const std::int64_t gate : kind_.gates) parts.push_back(take(gate));
    return builder_.Call("aten::cat", {builder_.Tensors(parts), 0});
  }

  std::vector<Value*> Weights() {
    std::vector<Value*> weights;
    const auto gates = static_cast<std::int64_t>(kind_.gates.size());
    for (std::int64_t direction = 0; direction < Directions(); ++direction) {
      weights.push_back(Gates(node_.Input(1), direction, 0));
      weights.push_back(Gates(node_.Input(2), direction, 0));
      for (const std::int64_t first : {std::int64_t{0}, gates})
        weights.push_back(node_.Has(3) ? Gates(node_.Input(3), direction, first)
                                       : builder_.Constant(at::zeros({gates * hidden_})));
    }
    return weights;
  }

  const OnnxNode& node_;
  OnnxBuilder& builder_;
  Recurrence kind_;
  std::int64_t hidden_ = 0;
  std::vector<std::string> directions_;
  bool batch_first_ = false;
};

}  // namespace

void AddRecurrent(OnnxOperators& all) {
  all["LSTM"] = [](const OnnxNode& node) {
    return RecurrentReader(node, {"aten::lstm", {0, 2, 3, 1}, {"Sigmoid", "Tanh", "Tanh"}}).Read();
  };
  all["GRU"] = [](const OnnxNode& node) {
    return RecurrentReader(node, {"aten::gru", {1, 0, 2}, {"Sigmoid", "Tanh"}}).Read();
  };
  all["RNN"] = [](const OnnxNode& node) {
    const auto found = node.node().attributes.find("activations");
    const auto* const given =
        found == node.node().attributes.end() ? nullptr : std::get_if<std::vector<std::string>>(&found->second);
    const bool relu = given && !given->empty() && given->front() == "Relu";
    return RecurrentReader(node, {relu ? "aten::rnn_relu" : "aten::rnn_tanh", {0}, {relu ? "Relu" : "Tanh"}}).Read();
  };
}

}  // namespace bitplan::network
