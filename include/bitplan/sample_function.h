#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace bitplan {

/// A number for each sample, by a model file of one's own: a loss or a metric that no name of ours stands for. A value:
/// copies share everything.
class SampleFunction {
 public:
  /// Reads a model file, as Network::Load does, whose forward takes a network's output [N, …] and, unless it is its
  /// only input, the labels [N, …], and gives a number for each sample: [N], or [N, 1, …]. Of a network with several
  /// outputs it takes these, then the labels where it has an argument more: by the arguments' names where all of them,
  /// but for the last, are names of outputs (a dot is an underscore), which it may then take in any order and leave
  /// out; else one after the other. Throws Error as Network::Load does.
  static SampleFunction Load(const std::filesystem::path& file, const std::string& device = "cpu");

  /// Float64 [N], differentiable in `output` as often as its operators are. It is computed in float64 where its
  /// operators allow that, else in float32. `labels`: undefined where there are none. Throws Error, naming the file: it
  /// does not take such tensors or so many, wants labels where there are none, gives something else than a finite
  /// number for each sample.
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& labels) const;

  /// The same of several outputs [N, …], and their names.
  at::Tensor operator()(const std::vector<at::Tensor>& outputs, const std::vector<std::string>& names,
                        const at::Tensor& labels) const;

  std::string name() const;           ///< the file's name without its ending
  const std::string& sha256() const;  ///< of the file

 private:
  struct Impl;
  at::Tensor Judge(const std::vector<at::Tensor>& inputs, const std::string& given, std::int64_t samples) const;
  explicit SampleFunction(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace bitplan
