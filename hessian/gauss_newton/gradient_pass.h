#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <set>
#include <vector>

#include "bitplan/gauss_newton.h"
#include "bitplan/network.h"
#include "gauss_newton/layer_rows.h"
#include "network/image_layout.h"
#include "network/layer_product.h"

namespace bitplan::hessian {

/// Gradients of the network's output at the outputs of all layers at once: one forward pass over some samples, and one
/// backward pass for each row. Images pass in channels-last order where the network takes that.
class GradientPass {
 public:
  /// `layers`: indices in Network::layers(). `samples`: two samples, by which the axes that hold the samples are found,
  /// or the only one. In bfloat16 are the products of layers and matrices (LibTorch's autocast), and what passes
  /// between them.
  GradientPass(const Network& network, const std::vector<int>& layers, const std::vector<at::Tensor>& samples,
               Arithmetic arithmetic = Arithmetic::Float32);

  /// The same in another arithmetic.
  GradientPass In(Arithmetic arithmetic) const;

  /// The network's output in float32, without gradients.
  at::Tensor Outputs(const std::vector<at::Tensor>& inputs) const;

  /// Whether some tensor holds its samples in a way that cannot be told apart: then a pass is over one sample.
  bool OneSampleOnly() const { return one_sample_only_; }

  /// For each layer in `wanted` (positions in `layers`) its runs, none where it was not reached. `rows` is [R, n,
  /// output…].
  std::vector<std::vector<UseRun>> Run(const std::vector<at::Tensor>& inputs, const at::Tensor& rows,
                                       const std::vector<std::size_t>& wanted) const;

  /// Of all layers.
  std::vector<std::vector<UseRun>> Run(const std::vector<at::Tensor>& inputs, const at::Tensor& rows) const;

  /// Whether all of a layer's uses can be written as products.
  bool HasProducts(std::size_t i) const { return !uses_[i].empty(); }

  /// Gradients [1, R, weight…] in the weights of the layers without products, for one sample; in their order.
  std::vector<at::Tensor> GradientsOfOne(const std::vector<at::Tensor>& inputs, const at::Tensor& rows) const;

  /// The layers that have none: their gradients come from GradientsOfOne.
  const std::vector<std::size_t>& without_products() const { return without_products_; }

 private:
  class Recorder;
  struct Axes {
    std::int64_t x = -1, y = -1;
  };

  /// Finds the axes, and what has to be copied.
  void Prepare(const std::vector<at::Tensor>& samples);

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, Probe* probe) const;

  Network network_;
  std::vector<int> layers_;
  network::ImageLayout layout_;
  std::vector<std::vector<network::LayerProduct>> uses_;  // of each layer; empty where one of them has none
  std::vector<std::size_t> without_products_;
  std::vector<std::vector<Axes>> axes_;  // of each layer and use
  std::set<int> copied_sites_;           // layer inputs that something writes to after they were read
  bool one_sample_only_ = false;
  Arithmetic arithmetic_;
};

}  // namespace bitplan::hessian
