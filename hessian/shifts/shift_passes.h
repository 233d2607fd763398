#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "gauss_newton/gradient_pass.h"
#include "network/image_layout.h"
#include "network/tails.h"
#include "quantize/single_choices.h"

namespace bitplan::hessian {

struct ShiftPassOptions {
  Delta delta = Delta::Measured;
  std::int64_t memory_bytes = std::int64_t{2} << 30;
  ProgressCallback progress;
};

/// Called with every choice's shift of some samples; `logits` and `shift` are [samples, output…], float32 on the CPU.
using ShiftConsumer = std::function<void(const at::Tensor& logits, std::size_t choice, const at::Tensor& shift)>;

/// What every choice, made alone, adds to the network's output: δz of the loss model (docs/architecture.md).
/// Measured: a partial forward from the choice's layer on, with what comes before it kept. Linear: J δ, from one
/// backward pass for every element of a sample's output and local products; a choice whose layers have no such product
/// is measured.
class ShiftPasses {
 public:
  /// `choices` must outlive this. Throws Error when the memory limit is below what one sample takes (named).
  ShiftPasses(const Network& network, const Dataset& data, const quantize::SingleChoices& choices,
              const ShiftPassOptions& options);

  std::int64_t chunk() const { return chunk_; }  ///< samples that the memory limit allows at a time
  const at::Tensor& output_of_one() const {
    return output_of_one_;
  }  ///< [1, output…]: the float network's for the first sample

  /// Of samples begin … end − 1, at most chunk() of them. Throws Error when an output is not finite, naming the layer.
  void Run(std::int64_t begin, std::int64_t end, const ShiftConsumer& use) const;

 private:
  /// Those of `measured` and `linear` choices.
  void RunSome(std::int64_t begin, std::int64_t end, const std::vector<std::size_t>& measured,
               const std::vector<std::size_t>& linear, const ShiftConsumer& use) const;

  Network network_;
  Dataset data_;
  const quantize::SingleChoices& choices_;
  ShiftPassOptions options_;
  network::ImageLayout layout_;
  network::Tails tails_;
  std::optional<GradientPass> pass_;  // where some choice is linear
  std::vector<std::size_t> measured_, linear_;
  at::Tensor output_of_one_;
  std::int64_t chunk_ = 1;
};

}  // namespace bitplan::hessian
