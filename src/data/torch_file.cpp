#include "torch_file.h"

#include <ATen/Functions.h>
#include <ATen/core/Dict.h>
#include <ATen/core/ivalue.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string_view>

#include "bitplan/error.h"
#include "decode/array.h"
#include "held_bytes.h"
#include "torch_pickle.h"

namespace bitplan::data {
namespace {

constexpr std::string_view kSupported = "save a tensor, a list or tuple of tensors, or a plain dict of tensors by name";

void CheckIsZip(const decode::ByteSource& source, const std::string& file) {
  std::array<std::uint8_t, 2> begin{};
  source.Read(0, std::span(begin).first(std::min<std::uint64_t>(begin.size(), source.size())));
  if (begin[0] == 'P' && begin[1] == 'K') return;
  if (begin[0] == 0x80 && begin[1] <= 5 && source.size() > 1) {  // the pickle opcode PROTO
    throw Error(file +
                ": is in the form that torch.save wrote before PyTorch 1.6; write it again with "
                "torch.save(torch.load(FILE), FILE) in a current PyTorch");
  }
  throw Error(file + ": is not a file by torch.save (no zip archive)");
}

/// The entry with what the archive holds but for elements. LibTorch reads archives without verifying checksums.
std::size_t CheckArchive(const decode::ZipArchive& archive, const std::string& file) {
  const auto find = [&](std::string_view part) {
    return std::ranges::find_if(archive.names(), [&](const std::string& name) { return name.ends_with(part); }) -
           archive.names().begin();
  };
  const std::ptrdiff_t none = std::ssize(archive.names()), pickle = find("/data.pkl"), order = find("/byteorder");
  if (find("/constants.pkl") != none)
    throw Error(fmt::format("{}: is a TorchScript model, not data; {}", file, kSupported));
  if (pickle == none) throw Error(file + ": is a zip archive, but not by torch.save (it has no data.pkl)");
  archive.Verify();
  constexpr std::string_view kNative = std::endian::native == std::endian::little ? "little" : "big";
  if (order != none && !std::ranges::equal(archive.Read(static_cast<std::size_t>(order)), kNative)) {
    throw Error(
        fmt::format("{}: was written on a machine of another byte order; this one is {}-endian", file, kNative));
  }
  return static_cast<std::size_t>(pickle);
}

c10::IValue Unpickle(const decode::ZipArchive& archive, std::size_t pickle, const std::string& file) {
  try {
    return UnpickleWithoutElements(archive, pickle);
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

/// How the elements of a tensor stand in its storage, in elements.
struct Reach {
  std::int64_t sample = 0;  ///< from a sample's first element to behind its last
  std::int64_t whole = 0;   ///< of all
};

Reach ReachOf(const at::Tensor& tensor, const std::string& where) {
  const auto reach = [&](std::int64_t from) {
    std::int64_t last = 0;
    for (std::int64_t axis = from; axis < tensor.dim(); ++axis) {
      std::int64_t far = 0;
      if (tensor.stride(axis) < 0 || __builtin_mul_overflow(tensor.size(axis) - 1, tensor.stride(axis), &far) ||
          __builtin_add_overflow(last, far, &last) || last > (std::int64_t{1} << 56))
        throw Error(fmt::format("{}: is damaged: its strides lead out of the file", where));
    }
    return last + 1;
  };
  return {reach(1), reach(0)};
}

decode::ElementType OfSize(std::size_t size) {
  return size == 1   ? decode::ElementType::UInt8
         : size == 2 ? decode::ElementType::UInt16
         : size == 4 ? decode::ElementType::UInt32
                     : decode::ElementType::Int64;
}

bool IsPlain(const at::Tensor& tensor) {
  return tensor.layout() == at::kStrided && !tensor.is_quantized() && !tensor.is_complex() && !tensor.is_neg() &&
         tensor.dim() > 0 && tensor.numel() > 0 && tensor.element_size() <= 8;
}

/// Elements of `tensor`, which is without, from its first to its last.
at::Tensor Held(const at::Tensor& tensor, std::int64_t whole, const decode::PlacedArray& array) {
  decode::PlacedArray all = array;
  all.shape = {whole};
  all.apart = decode::ElementSize(array.type);
  const at::Tensor read = ToTensor(decode::ReadWhole(all)).view(tensor.scalar_type());
  at::Tensor held = read.as_strided(tensor.sizes(), tensor.strides(), 0);
  return tensor.is_neg() ? held._neg_view() : held;
}

/// Where a tensor's elements are: in the file where they stand sample by sample, else in memory.
StoredTensor Place(const at::Tensor& tensor, const std::string& where,
                   const std::shared_ptr<const decode::ZipArchive>& archive, std::int64_t memory_bytes) {
  const bool has_storage = tensor.layout() == at::kStrided && !tensor.is_quantized() && tensor.has_storage();
  const auto record = has_storage && !tensor.is_complex() && tensor.numel() > 0 ? RecordOf(tensor) : std::nullopt;
  if (!record) return {tensor, where};
  const Reach reach = ReachOf(tensor, where);
  const std::size_t size = tensor.element_size();
  decode::PlacedArray array{std::make_shared<decode::ZipEntry>(archive, *record),
                            where,
                            OfSize(size),
                            std::endian::native,
                            false,
                            {},
                            tensor.storage_offset() * size,
                            0};
  if (tensor.storage_offset() < 0 || tensor.storage_offset() > (std::int64_t{1} << 56) ||
      array.first + static_cast<std::uint64_t>(reach.whole) * size > array.source->size())
    throw Error(fmt::format("{}: is cut off: its elements reach beyond the {} bytes of their entry", where,
                            decode::Grouped(array.source->size())));
  const std::int64_t of_sample = tensor.numel() / std::max<std::int64_t>(1, tensor.dim() > 0 ? tensor.size(0) : 1);
  if (!IsPlain(tensor) || reach.sample > 2 * of_sample) {
    RequireRoom(where, "its samples are not apart in the file", 2 * reach.whole * static_cast<std::int64_t>(size),
                memory_bytes);
    return {Held(tensor, reach.whole, array), where};
  }
  array.shape = {tensor.size(0), reach.sample};
  array.apart = static_cast<std::uint64_t>(tensor.stride(0)) * size;
  return {std::move(array), tensor.scalar_type(), tensor.sizes().vec(), tensor.strides().slice(1).vec()};
}

std::string WhereOf(const std::vector<NamedTensor>& tensors, std::size_t i, const std::string& file) {
  if (!tensors[i].name.empty()) return fmt::format("{}: entry '{}'", file, tensors[i].name);
  return tensors.size() > 1 ? fmt::format("{}: entry {}", file, i) : file;
}

std::vector<NamedStoredTensor> Place(const std::shared_ptr<const decode::ZipArchive>& archive, const std::string& file,
                                     std::int64_t memory_bytes) {
  const std::size_t pickle = CheckArchive(*archive, file);
  const std::vector<NamedTensor> tensors = TensorsOf(Unpickle(*archive, pickle, file), file);
  if (tensors.empty()) throw Error(fmt::format("{}: holds no tensor; {}", file, kSupported));
  std::vector<NamedStoredTensor> stored;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    stored.push_back({tensors[i].name, Place(tensors[i].tensor, WhereOf(tensors, i, file), archive, memory_bytes)});
  return stored;
}

}  // namespace

std::vector<NamedStoredTensor> PlaceTorchFile(const std::filesystem::path& file, std::int64_t memory_bytes) {
  CheckIsZip(decode::FileBytes(file), file.string());
  return Place(std::make_shared<decode::ZipArchive>(file), file.string(), memory_bytes);
}

std::vector<NamedTensor> DecodeTorchFile(const std::vector<std::uint8_t>& bytes, const std::string& file) {
  CheckIsZip(decode::MemoryBytes(bytes, file), file);
  std::vector<NamedTensor> tensors;
  for (const NamedStoredTensor& stored : Place(std::make_shared<decode::ZipArchive>(bytes, file), file, 0))
    tensors.push_back({stored.name, stored.tensor.ReadAll()});
  return tensors;
}

}  // namespace bitplan::data
