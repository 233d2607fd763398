#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "bitplan/corrections.h"
#include "bitplan/quantize.h"
#include "corrections/input_vectors.h"

namespace bitplan::quantize {

/// Of how many values the blocks are, all but the last of one size, in which the vectors of a layer are taken so that
/// rounding stays within `memory_bytes`; 0: even the smallest blocks that are worth it (64 values, or all) do not.
std::int64_t RoundingBlock(Rounding rounding, const InputVectors& vectors, std::int64_t memory_bytes);

/// The least memory for which RoundingBlock is not 0.
std::int64_t LeastRoundingBytes(Rounding rounding, const InputVectors& vectors);

/// A weight on `grid`, its codes chosen by AdaRound or GPTQ on what `x`, the layer's input, makes it multiply. In more
/// than one block the values of one make up for the errors of that block alone: as if the blocks were uncorrelated.
/// Where a block of the input is always 0, or there is none, the nearest codes. One block's moments are held at a time.
/// Throws Error when the input is not finite.
QuantizedTensor RoundWeight(Rounding rounding, const at::Tensor& weight, const QuantizedTensor& grid,
                            const InputVectors& vectors, const at::Tensor& x, std::int64_t memory_bytes);

}  // namespace bitplan::quantize
