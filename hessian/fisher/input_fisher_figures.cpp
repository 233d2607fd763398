#include "fisher/input_fisher_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "curvature/variable_slots.h"
#include "shifts/shift_figures.h"

namespace bitplan::hessian {

InputFisherFigures::Choices InputFisherFigures::FindChoices() const {
  std::vector<LayerSensitivity>& layers = context_.result.layers;
  std::map<int, std::set<int>> tied;  // sites of each group
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (const int site : InputSites(context_.network.layers()[i])) tied[layers[i].tied_group].insert(site);
  std::set<int> seen;
  Choices choices;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const int group = layers[i].tied_group;
    const bool first = group < 0 || seen.insert(group).second;
    if (!first) continue;
    const std::vector<int> sites =
        group < 0 ? InputSites(context_.network.layers()[i]) : std::vector<int>(tied[group].begin(), tied[group].end());
    for (Perturbation& choice : layers[i].activation_choices) {
      if (choice.bits == 32) continue;
      choices.inputs.push_back({sites, context_.groundwork.choices().activation_format.WithBits(choice.bits)});
      choices.figures.push_back(&choice);
    }
  }
  return choices;
}

const InputFisherPasses& InputFisherFigures::Passes() {
  if (!passes_) {
    std::vector<InputChoice> inputs = FindChoices().inputs;
    const bool ranges =
        std::any_of(inputs.begin(), inputs.end(), [](const InputChoice& choice) { return choice.format.HasScale(); });
    passes_.emplace(context_.network, context_.data, std::move(inputs),
                    ranges ? &context_.groundwork.Statistics() : nullptr, options_);
  }
  return *passes_;
}

/// In the record of each its number of samples, and these.
const std::vector<std::vector<std::int64_t>>& InputFisherFigures::Chunks() {
  if (chunks_) return *chunks_;
  chunks_.emplace();
  if (FindChoices().inputs.empty()) return *chunks_;
  const std::vector<std::int64_t> numbers = context_.records.Common("chunks of input fisher", 1, [&] {
    std::vector<std::int64_t> list;
    for (const std::vector<std::int64_t>& chunk : Passes().chunks()) {
      list.push_back(std::ssize(chunk));
      list.insert(list.end(), chunk.begin(), chunk.end());
    }
    return list;
  });
  for (auto at = numbers.begin(); at != numbers.end(); at += *at + 1) chunks_->emplace_back(at + 1, at + 1 + *at);
  return *chunks_;
}

std::vector<double> InputFisherFigures::Numbers(std::size_t chunk) {
  const std::vector<std::int64_t>& samples = Chunks()[chunk];
  return context_.records.Get<double>(
      fmt::format("{}, chunk {}", name(), chunk), FindChoices().inputs.size() * samples.size(), [&] {
        std::vector<double> numbers = Passes().Run(samples);
        Report(options_.progress, name(), static_cast<std::int64_t>(chunk + 1), std::ssize(Chunks()));
        return numbers;
      });
}

void InputFisherFigures::Finish() {
  for (LayerSensitivity& layer : context_.result.layers)
    for (Perturbation& choice : layer.activation_choices)
      if (choice.bits < 32) choice.figures[Measure::Fisher] = {};
  const std::vector<Perturbation*> figures = FindChoices().figures;
  std::vector<std::vector<double>> of_samples(figures.size(),
                                              std::vector<double>(static_cast<std::size_t>(context_.data.size())));
  for (std::size_t c = 0; c < Chunks().size(); ++c) {
    const std::vector<double> numbers = Numbers(c);
    auto next = numbers.begin();
    for (std::vector<double>& of_choice : of_samples)
      for (const std::int64_t sample : Chunks()[c]) of_choice[static_cast<std::size_t>(sample)] += *next++;
  }
  for (std::size_t k = 0; k < figures.size(); ++k) figures[k]->figures[Measure::Fisher] = MeanOfSamples(of_samples[k]);
}

}  // namespace bitplan::hessian
