#include "shifts/alternatives.h"

#include <map>

namespace bitplan::hessian {

Alternatives::Alternatives(const ChoiceSpace& space, const std::vector<LayerSensitivity>& layers) {
  std::map<int, std::vector<int>> tied;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (layers[i].tied_group >= 0) tied[layers[i].tied_group].push_back(static_cast<int>(i));
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto layer = static_cast<int>(i);
    const std::vector<int> readers =
        layers[i].tied_group >= 0 ? tied.at(layers[i].tied_group) : std::vector<int>{layer};
    for (const bool activation : {false, true}) {
      const std::vector<Perturbation>& offered = activation ? layers[i].activation_choices : layers[i].weight_choices;
      const Format& format = activation ? space.activation_format : space.weight_format;
      for (std::size_t k = 0; k < offered.size(); ++k) {
        if (offered[k].bits == 32) continue;
        const std::size_t row = row_count++;
        if (activation && readers.front() != layer) continue;
        choices.push_back(
            {activation ? readers : std::vector<int>{layer}, activation, format.WithBits(offered[k].bits)});
        owners.push_back({i, k});
        rows.push_back(row);
      }
    }
  }
}

Perturbation& Alternatives::Figures(std::vector<LayerSensitivity>& layers, std::size_t i) const {
  LayerSensitivity& layer = layers[owners[i].layer];
  return (choices[i].activation ? layer.activation_choices : layer.weight_choices)[owners[i].choice];
}

}  // namespace bitplan::hessian
