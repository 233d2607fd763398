#pragma once

#include <memory>
#include <string>
#include <vector>

#include "decode/byte_source.h"
#include "decode/placed_array.h"

namespace bitplan::decode {

/// Hugging Face's safetensors: the length of a header as a little-endian 64-bit number, the header, a JSON object of
/// tensors (dtype, shape, data_offsets) by name, then their little-endian elements. In the header's order. `file` is
/// named in messages. Throws Error: not such a file, a header that is cut off, too long or malformed, tensors of other
/// types (8-bit floats, uint64, complex), whose lengths are not those of their shapes, which overlap or leave bytes
/// between or after them, no tensor. Source: https://huggingface.co/docs/safetensors
std::vector<PlacedEntry> PlaceSafetensors(std::shared_ptr<const ByteSource> source, const std::string& file);

}  // namespace bitplan::decode
