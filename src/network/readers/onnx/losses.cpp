// NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss.
#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;

constexpr std::int64_t kNoReduction = 0, kMean = 1, kSum = 2;  // of at::Reduction

std::int64_t Reduction(const OnnxNode& node) {
  const std::string text = node.Text("reduction", "mean");
  if (text == "none") return kNoReduction;
  if (text == "mean") return kMean;
  if (text == "sum") return kSum;
  node.Refuse("the reduction '" + text + "' is not known");
}

Value* LikelihoodLoss(const OnnxNode& node, Value* log_probabilities) {
  OnnxBuilder& builder = node.builder();
  Value* target = node.Input(1);
  if (builder.Type(target) != at::kLong) target = builder.Call("aten::to", {target, at::kLong, false, false});
  return builder.Call("aten::nll_loss_nd", {log_probabilities, target, node.InputOrNone(2), Reduction(node),
                                            node.Int("ignore_index", -100)});
}

Results CrossEntropy(const OnnxNode& node) {
  Value* const log_probabilities = node.builder().Call("aten::log_softmax", {node.Input(0), 1, c10::IValue()});
  return {LikelihoodLoss(node, log_probabilities), log_probabilities};
}

}  // namespace

void AddLosses(OnnxOperators& all) {
  all["NegativeLogLikelihoodLoss"] = [](const OnnxNode& node) -> Results {
    return {LikelihoodLoss(node, node.Input(0))};
  };
  all["SoftmaxCrossEntropyLoss"] = CrossEntropy;
}

}  // namespace bitplan::network
