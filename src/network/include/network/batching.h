#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "bitplan/network.h"
#include "network/baked_batch.h"
#include "network/probe_operator.h"
#include "network/program.h"

namespace bitplan::network {

/// How the samples of one run are divided.
struct Batches {
  std::int64_t samples = -1;  ///< −1: not known, all inputs are one batch as they are
  std::int64_t size = -1;     ///< of each batch; the last is filled up with copies of the last sample
  /// Taps at which tensors of a full batch do not hold sample after sample.
  std::shared_ptr<const std::set<std::int64_t>> mixed_taps;

  bool AsGiven() const { return samples < 0 || samples == size; }  ///< one batch, and nothing to fill up
  std::size_t count() const { return AsGiven() ? 1 : static_cast<std::size_t>((samples + size - 1) / size); }

  /// The inputs of one batch.
  std::vector<at::Tensor> Inputs(const std::vector<at::Tensor>& all, std::size_t batch) const;

  /// The samples of all batches' tensors [size, …], without the copies.
  at::Tensor Join(const std::vector<at::Tensor>& outputs) const;
};

/// What the batches of one run do together: at a tap the probe is called once, with the samples of all.
class BatchMeeting {
 public:
  explicit BatchMeeting(const Batches& batches) : batches_(batches) {}
  std::vector<at::Tensor> operator()(const torch::jit::Node* node, const std::vector<at::Tensor>& values,
                                     const torch::jit::Stack& others);

 private:
  /// How one tensor of each batch becomes one tensor.
  struct Form {
    bool stacked = false;    ///< on a new axis; else along the first
    std::int64_t rows = 0;   ///< of the first axis, for each batch
    std::int64_t taken = 0;  ///< of the joined axis, without the copies
  };
  std::optional<Form> FormOf(const torch::jit::Node* node, const std::vector<at::Tensor>& values) const;
  at::Tensor Together(const std::vector<at::Tensor>& values, const Form& form);
  std::vector<at::Tensor> Apart(const at::Tensor& joined, const Form& form, std::size_t batches) const;

  /// A tensor that comes by a second time, to another reader, is to be known again.
  struct Met {
    using Weak = c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;
    Weak first, joined;
    std::int64_t version = 0;
  };
  Batches batches_;
  std::vector<Met> met_;
};

/// Finds out in which batches a network keeps its samples apart, once for all that share it.
class Batching {
 public:
  /// `program`: of the network in eval mode.
  Batching(Program program, BakedBatch baked, bool samples_first)
      : program_(std::move(program)), baked_(std::move(baked)), samples_first_(samples_first) {}

  /// Throws Error when the network does not keep samples apart.
  Batches Divide(const Network::Impl& network, const std::vector<at::Tensor>& inputs) const;

 private:
  struct Rule {
    std::int64_t fixed = 0;  // 0: any size
    std::int64_t least = 1;
    std::shared_ptr<const std::set<std::int64_t>> mixed_taps;
  };
  class Trials;

  Rule Find(const Network::Impl& network, const std::vector<at::Tensor>& inputs) const;
  std::optional<Rule> FindFixed(const Trials& trials, bool threw, bool takes_two) const;

  Program program_;
  BakedBatch baked_;
  bool samples_first_;
  mutable std::mutex mutex_;
  mutable std::optional<Rule> rule_;
  mutable std::optional<bool> takes_one_;  // whether a run of a single sample gives one of the output's
};

}  // namespace bitplan::network
