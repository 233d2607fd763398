#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "decode/array.h"
#include "decode/placed_array.h"
#include "decode/zip.h"

namespace bitplan::decode {

struct NamedArray {
  std::string name;  ///< without the ending .npy
  Array array;
};

/// NumPy's .npz: a zip archive of .npy entries, stored or deflated, in file order. `file` is named in messages. Throws
/// Error: as ZipArchive and DecodeNpy, no entry, an entry that is not a .npy.
std::vector<NamedArray> DecodeNpz(std::span<const std::uint8_t> bytes, const std::string& file);

std::vector<PlacedEntry> PlaceNpz(const std::shared_ptr<const ZipArchive>& archive, const std::string& file);

}  // namespace bitplan::decode
