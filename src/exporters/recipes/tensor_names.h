#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "bitplan/network.h"

namespace bitplan::exporters {

/// A tensor of an ONNX file, and where it has a weight's axes.
struct NamedWeight {
  std::string name;
  int channel_axis = 0;
  bool is_turned = false;  ///< its axes are in another order than the network's
};

/// What recipes by ONNX's tensors call them: as the file has them that the network was read from, else as the model
/// calls its parameters and inputs.
class TensorNames {
 public:
  /// `tool` is named in refusals. `network` outlives it.
  TensorNames(const Network& network, std::string_view tool);
  ~TensorNames();
  TensorNames(const TensorNames&) = delete;
  TensorNames& operator=(const TensorNames&) = delete;

  /// Throws Error naming the layer where several tensors are its weight, or a part of one.
  NamedWeight WeightOf(std::size_t layer) const;

  /// What the layer reads. Throws Error naming it where the name is not known.
  std::string InputOf(std::size_t layer) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace bitplan::exporters
