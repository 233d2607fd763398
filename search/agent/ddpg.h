#pragma once

#include <ATen/core/Tensor.h>
#include <torch/optim/adam.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>

#include "files/journal.h"
#include "mlp.h"

namespace bitplan::agent {

using AgentState = std::array<float, 10>;

/// One step of an episode.
struct Transition {
  AgentState state{};
  double action = 0;  ///< in [0, 1]
  double reward = 0;
  AgentState next{};  ///< the state that it led to; without meaning when `last`
  bool last = false;  ///< of its episode
};

/// Actor and critic of deep deterministic policy gradients. As in HAQ: Adam, batches of 64, target networks that follow
/// by 1 %, no discount, every step rewarded with what became of its episode, less a moving average. Unlike there,
/// hidden layers are of 64 and 48 (not 400 and 300), rates three times as high, and the critic's value of a step is the
/// episode's reward, not the sum over the steps that are left: on ResNet-20 at 3 bits, 600 plans, the former took a
/// fifth of the time and the latter brought the mean distance from the optimum over five seeds from 22 % to 13 %
/// (benchmarks/agent).
class Ddpg {
 public:
  /// `capacity`: of the replay buffer, in transitions.
  Ddpg(std::int64_t capacity, std::uint64_t seed);

  double Act(const AgentState& state) const;  ///< the actor's action, in [0, 1]
  void Remember(const Transition& transition);

  /// One step of the critic on a batch that `random` draws from the buffer, one of the actor, one of their targets.
  /// Needs a transition.
  void Update(std::mt19937_64& random);

  void Save(files::JournalSteps& steps) const;
  void Load(const files::Journal& checkpoint);  ///< throws Error when it is damaged

 private:
  explicit Ddpg(std::int64_t capacity, at::Generator random);

  Mlp actor_, critic_, target_actor_, target_critic_;
  torch::optim::Adam actor_optimizer_, critic_optimizer_;
  at::Tensor replay_;            // [capacity, columns]: state, action, reward, next state, 1 unless last
  std::int64_t remembered_ = 0;  // transitions so far, also those that are overwritten by now
  std::optional<double> baseline_;
};

}  // namespace bitplan::agent
