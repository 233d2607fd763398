#include "decode/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "layout.h"
#include "tuning.h"

namespace bitplan::decode {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kLengthSize = 8;

constexpr std::array<std::pair<std::string_view, ElementType>, 12> kTypes = {{{"BOOL", ElementType::Bool},
                                                                              {"U8", ElementType::UInt8},
                                                                              {"I8", ElementType::Int8},
                                                                              {"U16", ElementType::UInt16},
                                                                              {"I16", ElementType::Int16},
                                                                              {"U32", ElementType::UInt32},
                                                                              {"I32", ElementType::Int32},
                                                                              {"I64", ElementType::Int64},
                                                                              {"F16", ElementType::Float16},
                                                                              {"BF16", ElementType::BFloat16},
                                                                              {"F32", ElementType::Float32},
                                                                              {"F64", ElementType::Float64}}};

/// The header's text, its length checked before it is read.
std::string HeaderText(const ByteSource& source, const std::string& file) {
  if (source.size() < kLengthSize)
    throw Error(fmt::format("{}: is not a safetensors file: it has {} bytes, and its header's length takes {}", file,
                            source.size(), kLengthSize));
  std::array<std::uint8_t, kLengthSize> length_bytes{};
  source.Read(0, length_bytes);
  const std::uint64_t length = ReadUnsigned(length_bytes, std::endian::little), rest = source.size() - kLengthSize;
  if (length > tuning::kSafetensorsHeader)
    throw Error(
        fmt::format("{}: is not a safetensors file: its header would take {} bytes, and {} at the most are read", file,
                    Grouped(length), Grouped(tuning::kSafetensorsHeader)));
  if (length > rest)
    throw Error(fmt::format("{}: the header is cut off: it takes {} bytes, and {} are there", file, Grouped(length),
                            Grouped(rest)));
  std::vector<std::uint8_t> bytes(length);
  source.Read(kLengthSize, bytes);
  return {bytes.begin(), bytes.end()};
}

/// The header as it is written: no name twice, and no deeper than lists of numbers in objects of tensors.
Json ParseHeader(const std::string& text, const std::string& file) {
  constexpr int kDeepest = 3;
  std::vector<std::string> names;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepest) throw Error(fmt::format("{}: the header is nested deeper than tensors are", file));
    if (depth == 1 && event == Json::parse_event_t::key) names.push_back(parsed.get<std::string>());
    return true;
  };
  Json header;
  try {
    header = Json::parse(text, check);
  } catch (const Json::exception& error) {
    throw Error(fmt::format("{}: the header is no JSON: {}", file, error.what()));
  }
  if (!header.is_object()) throw Error(fmt::format("{}: the header is not an object of tensors by name", file));
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) throw Error(fmt::format("{}: holds two tensors named {}", file, *twice));
  return header;
}

/// A list of whole numbers from 0 on.
std::vector<std::int64_t> Numbers(const Json& tensor, const char* key, const std::string& where) {
  const auto found = tensor.find(key);
  std::vector<std::int64_t> numbers;
  const auto is_number = [](const Json& each) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return each.is_number_unsigned() && each.get<std::uint64_t>() <= kMost;
  };
  if (found == tensor.end() || !found->is_array() || !std::ranges::all_of(*found, is_number))
    throw Error(fmt::format("{}: {} is not a list of whole numbers from 0 on", where, key));
  for (const Json& each : *found) numbers.push_back(each.get<std::int64_t>());
  return numbers;
}

ElementType TypeOf(const Json& tensor, const std::string& where) {
  const auto found = tensor.find("dtype");
  const std::string name = found != tensor.end() && found->is_string() ? found->get<std::string>() : "";
  const auto known = std::ranges::find(kTypes, name, [](const auto& type) { return type.first; });
  if (known != kTypes.end()) return known->second;
  throw Error(fmt::format("{}: element type '{}' is not supported; save it as U8, I64 or F32", where, name));
}

PlacedArray Placed(const std::shared_ptr<const ByteSource>& source, const Json& tensor, std::uint64_t data,
                   const std::string& where) {
  if (!tensor.is_object()) throw Error(fmt::format("{}: is described by no object", where));
  PlacedArray array{source, where, TypeOf(tensor, where), std::endian::little, false, Numbers(tensor, "shape", where),
                    0,      0};
  const std::vector<std::int64_t> offsets = Numbers(tensor, "data_offsets", where);
  const std::size_t bytes = ByteCount(array.type, array.shape, where);
  const std::uint64_t there = source->size() - data;
  if (offsets.size() != 2 || offsets[0] > offsets[1] || static_cast<std::uint64_t>(offsets[1]) > there)
    throw Error(fmt::format("{}: data_offsets {} are not two places in order within the {} bytes after the header",
                            where, ShapeText(offsets), Grouped(there)));
  const auto found = static_cast<std::uint64_t>(offsets[1] - offsets[0]);
  if (found != bytes)
    throw Error(fmt::format("{}: {} of {} takes {} bytes, and its data_offsets span {}", where, ShapeText(array.shape),
                            ElementName(array.type), Grouped(bytes), Grouped(found)));
  array.first = data + static_cast<std::uint64_t>(offsets[0]);
  if (HasRecords(array)) array.apart = ByteCount(array.type, {array.shape.begin() + 1, array.shape.end()}, where);
  return array;
}

/// Tensors fill what is behind the header, each byte once.
void CheckNoGaps(std::vector<PlacedEntry> entries, std::uint64_t data, std::uint64_t end, const std::string& file) {
  std::ranges::stable_sort(entries, {}, [](const PlacedEntry& entry) {
    return std::pair(entry.array.first, ByteCount(entry.array.type, entry.array.shape, entry.array.where));
  });
  std::uint64_t at = data;
  for (const PlacedEntry& entry : entries) {
    const PlacedArray& array = entry.array;
    if (array.first != at)
      throw Error(
          fmt::format("{}: begins at byte {}, and what is before it ends at {}; tensors fill a file, each byte "
                      "once",
                      array.where, Grouped(array.first), Grouped(at)));
    at += ByteCount(array.type, array.shape, array.where);
  }
  if (at != end) throw Error(fmt::format("{}: has {} bytes behind its last tensor", file, Grouped(end - at)));
}

}  // namespace

std::vector<PlacedEntry> PlaceSafetensors(std::shared_ptr<const ByteSource> source, const std::string& file) {
  const std::string text = HeaderText(*source, file);
  const Json header = ParseHeader(text, file);
  const std::uint64_t data = kLengthSize + text.size();
  std::vector<PlacedEntry> entries;
  for (const auto& [name, tensor] : header.items())
    if (name != "__metadata__")
      entries.push_back({name, Placed(source, tensor, data, fmt::format("{}: tensor {}", file, name))});
  if (entries.empty()) throw Error(file + ": holds no tensor");
  CheckNoGaps(entries, data, source->size(), file);
  return entries;
}

}  // namespace bitplan::decode
