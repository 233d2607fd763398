#include "torch_pickle.h"

#include <torch/csrc/jit/serialization/unpickler.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bitplan::data {

namespace {

using Bytes = std::vector<std::uint8_t>;

/// What a storage without elements has in the place of its memory: the number of their entry.
void DeleteRecord(void* record) { delete static_cast<std::size_t*>(record); }

at::DataPtr NoElements(std::size_t entry) {
  return {nullptr, new std::size_t(entry), &DeleteRecord, at::Device(at::kCPU)};
}

void DeleteBytes(void* bytes) { delete static_cast<Bytes*>(bytes); }

at::DataPtr Elements(Bytes read) {
  auto* const bytes = new Bytes(std::move(read));
  return {bytes->data(), bytes, &DeleteBytes, at::Device(at::kCPU)};
}

/// Whether the pickle makes tensors out of others' elements: sparse and quantized ones.
bool ReadsElements(const Bytes& pickle) {
  constexpr std::array<std::string_view, 3> kMakers = {"_rebuild_sparse", "_rebuild_qtensor", "_rebuild_nested"};
  return std::ranges::any_of(kMakers, [&](std::string_view maker) {
    return std::search(pickle.begin(), pickle.end(), maker.begin(), maker.end()) != pickle.end();
  });
}

}  // namespace

c10::IValue UnpickleWithoutElements(const decode::ZipArchive& archive, std::size_t pickle_entry) {
  const Bytes pickle = archive.Read(pickle_entry);
  const std::string& name = archive.names()[pickle_entry];
  const std::string folder = name.substr(0, name.rfind('/') + 1) + "data/";
  const bool with_elements = ReadsElements(pickle);
  const auto record = [&](const std::string& key) {
    const auto found = std::ranges::find(archive.names(), folder + key);
    if (found == archive.names().end()) throw std::runtime_error("no entry of the archive has a tensor's elements");
    const auto entry = static_cast<std::size_t>(found - archive.names().begin());
    return with_elements ? Elements(archive.Read(entry)) : NoElements(entry);
  };
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
