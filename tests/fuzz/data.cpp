// Any bytes as a data file: decoded to arrays that are whole, or refused with an Error, nothing else; or as a pickle,
// which is checked. The first byte says which kind of file.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "decode/array.h"
#include "decode/byte_source.h"
#include "decode/cifar.h"
#include "decode/idx.h"
#include "decode/npy.h"
#include "decode/npz.h"
#include "decode/pickle.h"
#include "decode/raw.h"
#include "decode/safetensors.h"

namespace {

namespace decode = bitplan::decode;
using Bytes = std::span<const std::uint8_t>;

void RequireWhole(const decode::Array& array) {
  if (array.bytes.size() != decode::ByteCount(array.type, array.shape, "array")) std::abort();
}

void Decode(char kind, Bytes bytes) {
  const std::string file = "file";
  const auto source = std::make_shared<decode::MemoryBytes>(bytes, file);
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  if (kind == 'n') return RequireWhole(decode::DecodeNpy(copy, file));
  if (kind == 'i') return RequireWhole(decode::DecodeIdx(copy, file));
  if (kind == 'c') return RequireWhole(decode::DecodeCifar10(bytes, file).images);
  if (kind == 'C') return RequireWhole(decode::DecodeCifar100(bytes, file).images);
  if (kind == 'r') return RequireWhole(decode::ReadWhole(decode::PlaceRaw(source, "int32", file)));
  if (kind == 'p') return decode::CheckPickle(bytes, [](const std::string& key) { return key.size() * 100; });
  if (kind == 's')
    for (const decode::PlacedEntry& entry : decode::PlaceSafetensors(source, file))
      RequireWhole(decode::ReadWhole(entry.array));
  if (kind == 'z')
    for (const decode::NamedArray& named : decode::DecodeNpz(bytes, file)) RequireWhole(named.array);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    Decode(static_cast<char>(data[0]), {data + 1, size - 1});
  } catch (const bitplan::Error&) {  // bad input, said so
  }
  return 0;
}
