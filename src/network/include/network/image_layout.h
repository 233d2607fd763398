#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "bitplan/network.h"

namespace bitplan::network {

/// Images are laid out channels last before a network is run on them, unless it cannot be run so (it may ask for views
/// that need another order): convolutions are faster then, and hand the layout on.
class ImageLayout {
 public:
  /// Tries it on one sample.
  ImageLayout(const Network& network, const std::vector<at::Tensor>& one_sample);

  std::vector<at::Tensor> operator()(std::vector<at::Tensor> inputs) const;

 private:
  bool channels_last_ = false;
};

}  // namespace bitplan::network
