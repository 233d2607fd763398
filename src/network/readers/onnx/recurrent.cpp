// LSTM, GRU, RNN.
#include <ATen/ATen.h>

#include <algorithm>

#include "readers/onnx/node.h"

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
    hidden_ = node.Int("hidden_size", 0);
    const std::string direction = node.Text("direction", "forward");
    directions_ = direction == "bidirectional" ? 2 : 1;
    reverse_ = direction == "reverse";
    CheckOptions();
  }

  Results Read() {
    Value* input = node_.Input(0);  // [steps, N, features]
    if (reverse_) input = builder_.Call("aten::flip", {input, std::vector<std::int64_t>{0}});
    std::vector<Value*> states{State(input, 5)};
    const bool is_lstm = kind_.gates.size() == 4;
    if (is_lstm) states.push_back(State(input, 6));
    Value* const state = is_lstm ? builder_.Tensors(states) : states[0];
    auto results = builder_.CallForAll(
        kind_.op, {input, state, builder_.Tensors(Weights()), true, 1, 0.0, false, directions_ == 2, false});
    Value* output = builder_.Call("aten::unflatten", {results[0], 2, std::vector<std::int64_t>{directions_, hidden_}});
    output = builder_.Call("aten::transpose", {output, 1, 2});
    if (reverse_) output = builder_.Call("aten::flip", {output, std::vector<std::int64_t>{0}});
    Results all{output};
    for (std::size_t i = 1; i < results.size(); ++i) all.emplace_back(results[i]);
    return all;
  }

 private:
  void CheckOptions() const {
    if (node_.Has(7)) node_.Refuse("peepholes are not read");
    if (node_.HasAttribute("clip") || node_.Int("input_forget", 0) != 0 || node_.Int("layout", 0) != 0)
      node_.Refuse("clip, input_forget and layout are not read");
    if (kind_.gates.size() == 3 && node_.Int("linear_before_reset", 0) == 0)
      node_.Refuse("linear_before_reset = 0, which PyTorch's GRU does not compute, is not read");
    CheckActivations();
    CheckLengths();
  }

  void CheckActivations() const {
    const auto found = node_.node().attributes.find("activations");
    if (found == node_.node().attributes.end()) return;
    const auto& given = std::get<std::vector<std::string>>(found->second);
    for (std::size_t i = 0; i < given.size(); ++i)
      if (given[i] != kind_.activations[i % kind_.activations.size()])
        node_.Refuse("activation '" + given[i] + "' is not read there");
  }

  /// All steps of all samples, or nothing known.
  void CheckLengths() const {
    if (!node_.Has(4)) return;
    const auto steps = builder_.FixedSize(node_.Input(0), 0);
    const at::Tensor lengths = node_.Constant(4);
    if (!steps || !lengths.eq(*steps).all().item<bool>()) node_.Refuse("sequences of different lengths are not read");
  }

  Value* State(Value* input, std::size_t index) {
    if (node_.Has(index)) return node_.Input(index);
    Value* const sizes =
        builder_.Integers({builder_.Constant(directions_), builder_.Size(input, 1), builder_.Constant(hidden_)});
    return builder_.Call("aten::zeros", {sizes}, {{"dtype", builder_.Type(input)}, {"device", builder_.device()}});
  }

  /// Of a direction, the gates in ATen's order, of rows from `first` gates on.
  Value* Gates(Value* weights, std::int64_t direction, std::int64_t first) {
    Value* const own = builder_.Call("aten::select", {weights, 0, direction});
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
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
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
  std::int64_t hidden_ = 0, directions_ = 1;
  bool reverse_ = false;
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
    const bool relu =
        found != node.node().attributes.end() && std::get<std::vector<std::string>>(found->second).at(0) == "Relu";
    return RecurrentReader(node, {relu ? "aten::rnn_relu" : "aten::rnn_tanh", {0}, {relu ? "Relu" : "Tanh"}}).Read();
  };
}

}  // namespace bitplan::network
