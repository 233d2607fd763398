#include "torch_file.h"

#include <ATen/core/Dict.h>
#include <ATen/core/ivalue.h>
#include <caffe2/serialize/in_memory_adapter.h>
#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/import_read.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <string_view>

#include "bitplan/error.h"
#include "decode/zip.h"

namespace bitplan::data {
namespace {

constexpr std::string_view kSupported = "save a tensor, a list or tuple of tensors, or a plain dict of tensors by name";

void CheckIsZip(const std::vector<std::uint8_t>& bytes, const std::string& file) {
  if (bytes.size() >= 2 && bytes[0] == 'P' && bytes[1] == 'K') return;
  if (bytes.size() >= 2 && bytes[0] == 0x80 && bytes[1] <= 5) {  // the pickle opcode PROTO
    throw Error(file +
                ": is in the form that torch.save wrote before PyTorch 1.6; write it again with "
                "torch.save(torch.load(FILE), FILE) in a current PyTorch");
  }
  throw Error(file + ": is not a file by torch.save (no zip archive)");
}

/// LibTorch reads archives without verifying checksums.
void CheckArchive(const std::vector<std::uint8_t>& bytes, const std::string& file) {
  const decode::ZipArchive archive(bytes, file);
  const auto contains = [&](std::string_view part) {
    return std::ranges::any_of(archive.names(), [&](const std::string& name) { return name.ends_with(part); });
  };
  if (contains("/constants.pkl"))
    throw Error(fmt::format("{}: is a TorchScript model, not data; {}", file, kSupported));
  if (!contains("/data.pkl")) throw Error(file + ": is a zip archive, but not by torch.save (it has no data.pkl)");
  constexpr std::string_view kNative = std::endian::native == std::endian::little ? "little" : "big";
  for (std::size_t i = 0; i < archive.names().size(); ++i) {
    const std::vector<std::uint8_t> contents = archive.Read(i);
    if (archive.names()[i].ends_with("/byteorder") && !std::ranges::equal(contents, kNative)) {
      throw Error(
          fmt::format("{}: was written on a machine of another byte order; this one is {}-endian", file, kNative));
    }
  }
}

c10::IValue Unpickle(const std::vector<std::uint8_t>& bytes, const std::string& file) {
  try {
    caffe2::serialize::PyTorchStreamReader reader(
        std::make_shared<caffe2::serialize::MemoryReadAdapter>(bytes.data(), static_cast<off_t>(bytes.size())));
    return torch::jit::readArchiveAndTensors("data", "", "", std::nullopt, std::nullopt, at::kCPU, reader);
  } catch (const std::exception&) {
    // LibTorch's own words name its source lines and opcodes, which help nobody here. An OrderedDict ends here too.
    throw Error(fmt::format("{}: holds something other than dense tensors; {}", file, kSupported));
  }
}

at::Tensor TensorIn(const c10::IValue& value, const std::string& where) {
  if (value.isTensor() && value.toTensor().defined()) return value.toTensor();
  throw Error(fmt::format("{} is of type {}, not a tensor; {}", where, value.tagKind(), kSupported));
}

std::vector<NamedTensor> TensorsOfDict(const c10::Dict<c10::IValue, c10::IValue>& dict, const std::string& file) {
  std::vector<NamedTensor> tensors;
  for (const auto& item : dict) {
    if (!item.key().isString()) {
      throw Error(fmt::format("{}: a key of the dict is of type {}, not a name", file, item.key().tagKind()));
    }
    const std::string& name = item.key().toStringRef();
    tensors.push_back({name, TensorIn(item.value(), fmt::format("{}: entry '{}'", file, name))});
  }
  return tensors;
}

std::vector<NamedTensor> TensorsOf(const c10::IValue& value, const std::string& file) {
  if (value.isGenericDict()) return TensorsOfDict(value.toGenericDict(), file);
  std::vector<c10::IValue> entries{value};
  if (value.isTuple()) {
    entries = value.toTupleRef().elements().vec();
  } else if (value.isList()) {
    const c10::ArrayRef<c10::IValue> list = value.toListRef();
    entries.assign(list.begin(), list.end());
  }
  std::vector<NamedTensor> tensors;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    tensors.push_back({"", TensorIn(entries[i], fmt::format("{}: entry {}", file, i))});
  }
  return tensors;
}

}  // namespace

std::vector<NamedTensor> DecodeTorchFile(const std::vector<std::uint8_t>& bytes, const std::string& file) {
  CheckIsZip(bytes, file);
  CheckArchive(bytes, file);
  std::vector<NamedTensor> tensors = TensorsOf(Unpickle(bytes, file), file);
  if (tensors.empty()) throw Error(fmt::format("{}: holds no tensor; {}", file, kSupported));
  return tensors;
}

}  // namespace bitplan::data
