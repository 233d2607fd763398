#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>

namespace bitplan {

/// A number for each sample, by a model file of one's own: a loss or a metric that no name of ours stands for. A value:
/// copies share everything.
class SampleFunction {
 public:
  /// Reads a model file, as Network::Load does, whose forward takes a network's output [N, …] and, unless it is its
  /// only input, the labels [N, …], and gives a number for each sample: [N], or [N, 1, …]. Throws Error as
  /// Network::Load does, and when it takes more.
  static SampleFunction Load(const std::filesystem::path& file, const std::string& device = "cpu");

  /// Float64 [N], differentiable in `output` as often as its operators are. It is computed in float64 where its
  /// operators allow that, else in float32. `labels`: undefined where there are none. Throws Error, naming the file: it
  /// does not take such tensors, wants labels where there are none, gives something else than a finite number for each
  /// sample.
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& labels) const;

  std::string name() const;           ///< the file's name without its ending
  const std::string& sha256() const;  ///< of the file

 private:
  struct Impl;
  explicit SampleFunction(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace bitplan
