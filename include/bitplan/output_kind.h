#pragma once

#include <string_view>

namespace bitplan {

/// What the numbers of a network's output are, by which outputs are compared. A prediction is what has one label: of
/// classes a position, with all numbers along the axis of the classes; otherwise every single number.
enum class OutputKind {
  Classes,  ///< logits of a softmax along one axis
  Binary,   ///< each is the logit of a yes or no
  Values,   ///< numbers as they are: of a regressor, an image, a map
};

constexpr std::string_view ToString(OutputKind kind) {
  return kind == OutputKind::Classes ? "classes" : kind == OutputKind::Binary ? "binary" : "values";
}

}  // namespace bitplan
