#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bitplan {

/// What every sample has in one tensor.
struct SampleForm {
  std::string where;  ///< for messages: "train.npz: array x"
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;  ///< of one sample, without the axis of samples
};

/// Where the samples of a Dataset come from: tensors in memory, a file, a folder. They are read as they are stored,
/// some at a time, and need not be in memory; what networks take of them (types, normalization) is made by the Dataset
/// of those that it reads. Immutable: it may be read by several threads at a time. Its methods throw Error where
/// samples cannot be read.
class SampleSource {
 public:
  virtual ~SampleSource() = default;

  virtual std::int64_t size() const = 0;               ///< samples, ≥ 1
  virtual std::vector<SampleForm> inputs() const = 0;  ///< one per network input, at least one

  /// The inputs of samples begin … end − 1, 0 ≤ begin < end ≤ size(), [n, …] each, on the CPU. May be views of what the
  /// source holds: the caller does not write into them.
  virtual std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const = 0;

  /// The same of samples by their numbers, in this order. By default one after the other.
  virtual std::vector<at::Tensor> Inputs(const std::vector<std::int64_t>& samples) const;

  /// The labels of all samples, [n] or [n, …], integers or floating-point numbers; undefined where there are none. They
  /// are asked for once, and kept in memory by the Dataset.
  virtual at::Tensor Labels() const { return {}; }

  virtual std::int64_t bytes() const { return 0; }   ///< that its inputs take in memory
  virtual std::string sha256() const { return ""; }  ///< what tells the data from others, hexadecimal; empty: unknown
  /// Of images of a folder that were left out, since they cannot be decoded, one message each.
  virtual std::vector<std::string> skipped() const { return {}; }
  virtual std::string name() const = 0;  ///< for messages, as Dataset::source()
};

}  // namespace bitplan
