#include "torch_pickle.h"

#include <torch/csrc/jit/serialization/unpickler.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/error.h"
#include "decode/pickle.h"

namespace bitplan::data {

namespace {

/// What describes tensors, without their elements.
constexpr std::uint64_t kLargestPickle = std::uint64_t{256} << 20;

using Bytes = std::vector<std::uint8_t>;

/// What a storage without elements has in the place of its memory: the number of their entry.
void DeleteRecord(void* record) { delete static_cast<std::size_t*>(record); }

at::DataPtr NoElements(std::size_t entry) {
  return {nullptr, new std::size_t(entry), &DeleteRecord, at::Device(at::kCPU)};
}

}  // namespace

c10::IValue UnpickleWithoutElements(const decode::ZipArchive& archive, std::size_t pickle_entry) {
  if (archive.Size(pickle_entry) > kLargestPickle) throw Error("its description of tensors is too large");
  const Bytes pickle = archive.Read(pickle_entry);
  constexpr std::string_view kQuantized = "_rebuild_qtensor";  // which reads the elements of its scales
  if (std::search(pickle.begin(), pickle.end(), kQuantized.begin(), kQuantized.end()) != pickle.end())
    throw Error("it holds a quantized tensor");
  const std::string& name = archive.names()[pickle_entry];
  const std::string folder = name.substr(0, name.rfind('/') + 1) + "data/";
  const auto entry_of = [&](const std::string& key) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(archive.names(), folder + key);
    return found == archive.names().end() ? std::nullopt
                                          : std::optional(static_cast<std::size_t>(found - archive.names().begin()));
  };
  decode::CheckPickle(pickle, [&](const std::string& key) -> std::optional<std::uint64_t> {
    const auto entry = entry_of(key);
    return entry ? std::optional(archive.Size(*entry)) : std::nullopt;
  });
  const auto record = [&](const std::string& key) { return NoElements(entry_of(key).value()); };
  std::size_t at = 0;
  const auto read = [&](char* to, std::size_t size) {
    const std::size_t count = std::min(size, pickle.size() - at);
    if (count > 0) std::memcpy(to, pickle.data() + at, count);
    at += count;
    return count;
  };
  torch::jit::Unpickler unpickler(read, /*type_resolver=*/nullptr, /*obj_loader=*/nullptr, record, at::kCPU);
  return unpickler.parse_ivalue();
}

std::optional<std::size_t> RecordOf(const at::Tensor& tensor) {
  const at::DataPtr& elements = tensor.storage().data_ptr();
  if (elements.get_deleter() != &DeleteRecord) return std::nullopt;
  return *static_cast<const std::size_t*>(elements.get_context());
}

}  // namespace bitplan::data
