#include "fisher/fisher.h"

#include <ATen/ATen.h>

#include <map>
#include <set>

#include "curvature/variable_slots.h"
#include "fisher/input_fisher.h"

namespace bitplan::hessian {

namespace {

void AddToWeights(const Network& network, const quantize::QuantizedWeights& weights, const AnalyzeOptions& options,
                  const GaussNewton& matrix, std::vector<LayerSensitivity>& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const at::Tensor weight = network.Weight(network.layers()[i]);
    std::vector<Perturbation*> choices;
    std::vector<at::Tensor> squares;
    for (Perturbation& choice : layers[i].weight_choices) {
      if (choice.bits == 32) continue;
      choices.push_back(&choice);
      squares.push_back((weights.At(i, choice.bits).value - weight).square());
    }
    if (choices.empty()) continue;
    const std::vector<Estimate> forms = matrix.DiagonalForms(i, at::stack(squares));
    for (std::size_t k = 0; k < choices.size(); ++k)
      choices[k]->figures[Measure::Fisher] = {forms[k].value / 2, forms[k].standard_error / 2};
    Report(options.progress, "weight fisher", static_cast<std::int64_t>(i + 1),
           static_cast<std::int64_t>(layers.size()));
  }
}

void AddToInputs(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                 std::vector<LayerSensitivity>& layers) {
  std::map<int, std::set<int>> tied;  // sites of each group
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (const int site : InputSites(network.layers()[i])) tied[layers[i].tied_group].insert(site);
  std::set<int> seen;
  std::vector<InputChoice> choices;
  std::vector<Perturbation*> owners;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const int group = layers[i].tied_group;
    const bool first = group < 0 || seen.insert(group).second;
    const std::vector<int> own = InputSites(network.layers()[i]);
    for (Perturbation& choice : layers[i].activation_choices) {
      if (choice.bits == 32) continue;
      choice.figures[Measure::Fisher] = {};
      if (!first) continue;
      const std::vector<int> sites = group < 0 ? own : std::vector<int>(tied[group].begin(), tied[group].end());
      choices.push_back({sites, options.activation_format.WithBits(choice.bits)});
      owners.push_back(&choice);
    }
  }
  if (choices.empty()) return;
  const std::vector<Estimate> figures = InputFisher(network, data, choices, options);
  for (std::size_t k = 0; k < owners.size(); ++k) owners[k]->figures[Measure::Fisher] = figures[k];
}

}  // namespace

void AddFisher(const Network& network, const Dataset& data, const quantize::QuantizedWeights& weights,
               const AnalyzeOptions& options, const GaussNewton& matrix, std::vector<LayerSensitivity>& layers) {
  AddToWeights(network, weights, options, matrix, layers);
  AddToInputs(network, data, options, layers);
}

}  // namespace bitplan::hessian
