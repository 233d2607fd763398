#pragma once

#include <array>
#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::agent::tuning {

/// Deviation of the noise on actions, and what it is multiplied by each episode (HAQ).
inline constexpr double kFirstNoise = 0.5, kNoiseDecay = 0.99;

/// Episodes in the replay buffer (HAQ).
inline constexpr std::int64_t kRemembered = 128;

/// Transitions of a step of Adam (HAQ), and its rates, three times HAQ's.
inline constexpr std::int64_t kBatch = 64;
inline constexpr double kActorRate = 3e-4, kCriticRate = 3e-3;

/// Widths of the hidden layers of both networks, HAQ's are 400 and 300: these took a fifth of the time on ResNet-20 at
/// 3 bits, 600 plans (benchmarks/agent).
inline constexpr std::array<std::int64_t, 2> kHidden = {64, 48};

/// τ of the soft updates of target networks (HAQ).
inline constexpr double kTargetRate = 0.01;

/// Of the moving average of batches' mean rewards, which is the critic's baseline (HAQ).
inline constexpr double kBaselineRate = 0.5;

/// Of what is expected of the next state in the critic's target, beside the episode's reward: with the reward as the
/// value of every step, in place of the sum over those left, plans came nearer to the optimum (benchmarks/agent).
inline constexpr double kNextShare = 0.5;

/// Episodes between two writings of the checkpoint.
inline constexpr std::int64_t kEpisodesKept = 25;

/// Share of the first plan's loss that is told apart from none.
inline constexpr double kLeastShare = 1e-6;

}  // namespace bitplan::agent::tuning
