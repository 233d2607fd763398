#pragma once

#include <string_view>

namespace bitplan {

/// What the numbers of a network's output are, by which outputs are compared. A prediction is what has one label: of
/// classes a position, with all numbers along the axis of the classes; otherwise every single number.
enum class OutputKind {
  Classes,  ///< logits of a softmax along one axis
  Binary,   ///< each is the logit of a yes or no
  Values,   ///< numbers as they are: of a regressor, an image, a map
  Several,  ///< those of several outputs, each of one of these kinds: a prediction is all of a sample's
};

constexpr std::string_view ToString(OutputKind kind) {
  constexpr std::string_view kNames[] = {"classes", "binary", "values", "several"};
  return kNames[static_cast<int>(kind)];
}

/// Whether a prediction of this kind says what it decides for: a class, or yes and no.
constexpr bool Decides(OutputKind kind) { return kind == OutputKind::Classes || kind == OutputKind::Binary; }

}  // namespace bitplan
