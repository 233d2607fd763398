#pragma once

#include <cstddef>
#include <vector>

#include "bitplan/sensitivity.h"
#include "groundwork.h"
#include "quantize/single_choices.h"

namespace bitplan::hessian {

/// The choices of an analysis, each to be made alone; those of 32 bits change nothing and are left out.
struct Alternatives {
  /// Which figure a choice is: of the first layer's input where several read it.
  struct Owner {
    std::size_t layer = 0;
    std::size_t choice = 0;  ///< position in the layer's weight_choices or activation_choices
  };

  std::vector<quantize::SingleChoice> choices;
  std::vector<Owner> owners;      ///< of each
  std::vector<std::size_t> rows;  ///< of each, its place in Contributions and OutputShifts
  std::size_t row_count = 0;      ///< of these: rows of inputs that an earlier layer's choice quantizes stay empty

  Alternatives(const ChoiceSpace& space, const std::vector<LayerSensitivity>& layers);

  Perturbation& Figures(std::vector<LayerSensitivity>& layers, std::size_t i) const;
};

}  // namespace bitplan::hessian
