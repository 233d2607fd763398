// Any bytes as a model's file, of TorchScript or torch.export above all: read to a graph, or refused with an Error,
// nothing else. Under libFuzzer entries of archives are changed one by one, and packed with checksums that fit.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "bitplan/error.h"
#include "network/stored_bytes.h"
#include "readers/model_reader.h"
#include "zip_entries.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("bitplan-fuzz-" + std::to_string(getpid()) + ".model");
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  bitplan::network::StoredBytes(file);
  try {
    bitplan::network::ReadModel(file, {});
  } catch (const bitplan::Error&) {  // bad input, said so
  }
  std::filesystem::remove(file);
  return 0;
}

#ifdef BITPLAN_FUZZ
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  auto entries = bitplan::fuzz::Unpack({data, size});
  if (entries.empty() || seed % 16 == 0) return LLVMFuzzerMutate(data, size, most);
  bitplan::fuzz::Bytes& bytes = entries[seed / 16 % entries.size()].bytes;
  const std::size_t before = bytes.size(), room = most - std::min(most, size);
  bytes.resize(before + room);
  bytes.resize(LLVMFuzzerMutate(bytes.data(), before, bytes.size()));
  const bitplan::fuzz::Bytes archive = bitplan::fuzz::Pack(entries);
  if (archive.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(archive.begin(), archive.end(), data);
  return archive.size();
}
#endif
