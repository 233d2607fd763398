#include "network_like_problems.h"

#include <fmt/format.h>

#include <cmath>
#include <random>
#include <string>

namespace {

using bitplan::LogitLoss;
using bitplan::LogitTerm;
using bitplan::Problem;

constexpr int kLayers = 20;
constexpr int kBits[] = {2, 3, 4, 6, 8};

/// Of a layer of ResNet-20 on 32 × 32 images.
struct Layer {
  double weights, macs, inputs;
};

Layer LayerOf(int number) {
  const int stage = std::min((number - 1) / 6, 2);
  const double width = 16 << stage, side = 32 >> stage;
  if (number == 0) return {432, 432 * 1024, 3072};
  if (number == kLayers - 1) return {640, 640, 64};
  return {9 * width * width, 9 * width * width * side * side, width * side * side};
}

/// Groups, costs and budgets: average weight bits, and with inputs bit operations and the inputs' bytes.
Problem WithoutShifts(bool inputs, double bits) {
  Problem problem;
  double weights = 0, macs = 0, bytes = 0;
  for (int l = 0; l < kLayers; ++l) {
    weights += LayerOf(l).weights;
    macs += LayerOf(l).macs;
    bytes += LayerOf(l).inputs / 8;
  }
  for (int l = 0; l < kLayers; ++l) {
    const Layer layer = LayerOf(l);
    auto& group = problem.groups.emplace_back();
    group.name = fmt::format("layer{}", l);
    for (const int w : kBits)
      for (const int a : kBits) {
        if (!inputs && a != 8) continue;
        bitplan::Choice choice{fmt::format("w{}a{}", w, a), 0, {{"average_bits", w * layer.weights / weights}}};
        if (inputs) choice.costs["bops"] = w * a * layer.macs;
        if (inputs) choice.costs["input_bytes"] = a * layer.inputs / 8;
        group.choices.push_back(choice);
      }
  }
  problem.budgets["average_bits"] = bits;
  if (inputs) problem.budgets["bops"] = 1.1 * bits * bits * macs;
  if (inputs) problem.budgets["input_bytes"] = 1.05 * bits * bytes;
  return problem;
}

/// Errors fall by 4^−bits in square. Each layer's has a direction of its own and a part in a few directions that all
/// layers share; those of a layer's widths are alike in part.
LogitTerm Shifts(bool inputs, std::size_t samples, LogitLoss loss) {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal;
  LogitTerm term{.loss = loss, .temperature = 4, .samples = samples, .classes = 10, .logits = {}, .shifts = {}};
  const std::size_t size = samples * term.classes;
  const auto draw = [&](float deviation) {
    std::vector<float> values(size);
    for (float& value : values) value = deviation * normal(random);
    return values;
  };
  if (loss == LogitLoss::Divergence) term.logits = draw(4);
  const std::vector<std::vector<float>> shared{draw(1), draw(1), draw(1)};
  for (int l = 0; l < kLayers; ++l) {
    const float strength = std::exp(0.8F * normal(random));
    const auto error_of = [&](int bits) {
      std::vector<float> error = draw(1);
      for (const auto& direction : shared) {
        const float part = 0.5F * normal(random);
        for (std::size_t i = 0; i < size; ++i) error[i] += part * direction[i];
      }
      for (float& value : error) value *= 4 * strength * std::exp2(static_cast<float>(-bits));
      return error;
    };
    std::vector<std::vector<float>> of_weights, of_inputs;
    for (const int bits : kBits) {
      of_weights.push_back(error_of(bits));
      of_inputs.push_back(error_of(bits));
    }
    for (const auto& weights : of_weights)
      for (const auto& input : of_inputs) {
        if (!inputs && &input != &of_inputs.back()) continue;
        for (std::size_t i = 0; i < size; ++i) term.shifts.push_back(weights[i] + (inputs ? input[i] : 0.0F));
      }
  }
  return term;
}

}  // namespace

std::vector<Problem> NetworkLikeProblems() {
  std::vector<Problem> problems;
  for (const bool inputs : {false, true})
    for (const LogitLoss loss : {LogitLoss::SquaredShift, LogitLoss::Divergence})
      for (const double bits : {3.0, 4.0}) {
        Problem problem = WithoutShifts(inputs, bits);
        problem.name = fmt::format("20 x {}, {}, {} bits", problem.groups[0].choices.size(),
                                   loss == LogitLoss::Divergence ? "divergence" : "squared shift", bits);
        problem.joint = Shifts(inputs, inputs ? 256 : 512, loss);
        problems.push_back(std::move(problem));
      }
  return problems;
}
