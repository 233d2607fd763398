#include "weight_errors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "layer_facts.h"
#include "quantize/squared_norm.h"

namespace bitplan::hessian {

std::vector<double> WeightErrors::Errors(std::size_t layer) {
  const std::vector<int>& widths = context_.groundwork.choices().weight_widths;
  const std::string record = fmt::format("weight errors of layer {}", layer);
  return context_.records.Get<double>(record, 1 + widths.size(), [&] {
    const at::Tensor weight = context_.network.Weight(context_.network.layers()[layer]);
    std::vector<double> numbers{quantize::SquaredNorm(weight)};
    for (const int bits : widths)
      numbers.push_back(quantize::SquaredNorm(context_.groundwork.Weights().At(layer, bits).value - weight));
    return numbers;
  });
}

void WeightErrors::Finish() {
  for (std::size_t i = 0; i < context_.result.layers.size(); ++i) {
    const std::vector<double> numbers = Errors(i);
    std::vector<Perturbation>& choices = context_.result.layers[i].weight_choices;
    for (std::size_t k = 0; k < choices.size(); ++k)
      choices[k] = MakePerturbation(choices[k].bits, numbers[k + 1], numbers.front());
  }
}

}  // namespace bitplan::hessian
