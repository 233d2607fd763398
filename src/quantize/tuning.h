#pragma once

#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::quantize::tuning {

// Work in pieces. None of these changes a result beyond its last digits.

/// Values that are put into double precision at a time: 8 MiB, and the same bits whatever the memory limit.
inline constexpr std::int64_t kDoublesAtOnce = std::int64_t{1} << 20;

/// Values of products and moments that are taken together: 16 MiB in float32, small beside any memory limit and large
/// for a matrix product.
inline constexpr std::int64_t kProductsAtOnce = std::int64_t{1} << 22;

/// Values that a thread rounds at the least: below, starting it takes longer (benchmarks/quantized_forward.cpp).
inline constexpr std::int64_t kValuesOfAThread = 1 << 15;

/// Calibration samples that are copied at a time: beside the batch that they become they take next to nothing.
inline constexpr std::int64_t kSamplesCopiedAtOnce = 8;

/// Of a channel, values of a sample up to which samples are taken together, and then so many values at a time: layers
/// of few values a sample would spend their time in calls of LibTorch.
inline constexpr std::int64_t kFewValuesOfSample = 1 << 12, kFewValuesTogether = 1 << 20;

// Shares of the memory limit. What is left is for what the part is of.

/// Of roundings and of the moments behind rescalings, one part in so many is for chunks of the inputs.
inline constexpr std::int64_t kShareOfChunks = 8;

/// One part in so many keeps the weights of single choices, which are made anew in every pass where they take more.
inline constexpr std::int64_t kShareOfSingleWeights = 8;

// AdaRound (corrections/ada_round.cpp) has further ones, as they were published.

/// The published weight of the regularizer, 0.01, is of losses in a layer's own unit, and 10000 steps are of small
/// batches. In units of the cost and on exact moments any weight from 0.3 to 10, and from 1000 steps on any number,
/// gives the same error.
inline constexpr double kAdaRoundRegularizer = 1;
inline constexpr int kAdaRoundSteps = 1000;

// Roundings in blocks.

/// Columns of a weight that are rounded together at the least: in smaller blocks little of an error finds others that
/// could make up for it, and the memory limit is refused instead.
inline constexpr std::int64_t kLeastRoundingBlock = 64;

// GPTQ.

/// Columns whose errors are handed on together, as in the paper: one matrix product in place of 128 of vectors.
inline constexpr std::int64_t kGptqPanel = 128;

/// Share of the mean diagonal that moments are damped by, as in the paper.
inline constexpr double kGptqDamping = 0.01;

/// A clipped weight hands on no more than so many scales. One that is clipped further is lost: what would make up for
/// it on the samples where it counts spoils all others (rows of transformers that make massive activations).
inline constexpr double kGptqMostSteps = 16;

// Channel correction.

/// Limits of a channel's gain α (docs/corrections.md), lest the deviation of a few samples blow a channel up.
inline constexpr double kLeastGain = 0.5, kMostGain = 2;

/// What tells a mean that few clipped values moved: a deviation that shrank so many times more than the layer's median
/// one, by values of less than this share.
inline constexpr double kMuchMoreThanOthers = 2, kShareOfFewValues = 1.0 / 16;

// Rescaling.

/// Equalization goes on until no factor moves by more than this share, and no longer than so many rounds.
inline constexpr double kEqualizationSettled = 1e-4;
inline constexpr int kEqualizationRounds = 100;

/// How many times what biases or weights of the channels are in the middle a factor may lift a bias to. Without, a
/// nearly dead channel's bias takes the range of the whole tensor.
inline constexpr double kMostBiasLift = 16;

/// Exponents of activations that AWQ tries, as in the paper.
inline constexpr int kAwqExponents = 20;

/// How far a rescaled float network's output may move, as a share of its size: above float32's rounding in a deep
/// network, below what a wrong factor does; and the samples that this is looked at on.
inline constexpr double kMostChangeOfOutput = 1e-4;
inline constexpr std::int64_t kSamplesOfCheck = 8;

}  // namespace bitplan::quantize::tuning
