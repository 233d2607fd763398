#include "stored_samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "decode/array.h"
#include "decode/cifar.h"
#include "decode/file.h"
#include "decode/idx.h"
#include "decode/npy.h"
#include "decode/npz.h"
#include "decode/safetensors.h"
#include "held_bytes.h"
#include "torch_file.h"

namespace bitplan::data {
namespace {

constexpr std::array<std::string_view, 9> kLabelNames = {"label",     "labels", "y",       "target",      "targets",
                                                         "label_ids", "class",  "classes", "ground_truth"};

/// In small letters or capitals.
bool IsLabelName(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return std::ranges::find(kLabelNames, name) != kLabelNames.end();
}

using NamedTensors = std::vector<std::pair<std::string, StoredTensor>>;

std::string NamesOf(const NamedTensors& entries) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : entries) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Takes the inputs of these names out of `entries`; nothing where it has none of them.
std::vector<StoredTensor> TakeNamed(NamedTensors& entries, const std::vector<std::string>& names,
                                    const std::string& file) {
  std::vector<StoredTensor> taken;
  std::vector<std::string> missing;
  const std::string held = NamesOf(entries);
  for (const std::string& name : names) {
    const auto found = std::ranges::find(entries, name, [](const auto& entry) { return entry.first; });
    if (found == entries.end()) {
      missing.push_back(name);
      continue;
    }
    taken.push_back(std::move(found->second));
    entries.erase(found);
  }
  if (taken.empty() || missing.empty()) return taken;
  throw Error(fmt::format("{}: holds {}, but not the network's {} {}; its inputs are {}: give all by name, or none",
                          file, held, missing.size() == 1 ? "input" : "inputs", fmt::join(missing, ", "),
                          fmt::join(names, ", ")));
}

/// Of a list or tuple, or arrays that were saved without names (arr_0, arr_1, …).
bool HasNoName(const std::string& name) {
  return name.empty() || (name.starts_with("arr_") && name.find_first_not_of("0123456789", 4) == std::string::npos);
}

/// Without names it is the place that tells: labels come last, where there is one more than the network takes.
bool LastHasLabels(const NamedTensors& entries, const std::vector<std::string>& input_names) {
  return !input_names.empty() && entries.size() == input_names.size() + 1 &&
         std::ranges::all_of(entries, [](const auto& entry) { return HasNoName(entry.first); });
}

void CheckInputCount(const std::vector<StoredTensor>& inputs, const std::vector<std::string>& input_names,
                     const std::string& file) {
  if (input_names.empty() || inputs.size() == input_names.size()) return;
  throw Error(
      fmt::format("{}: holds {} tensors beside labels, and the network takes {} ({}); labels are known by the "
                  "name {}, or stand last in a list or tuple with one tensor more than the network takes",
                  file, inputs.size(), input_names.size(), fmt::join(input_names, ", "), fmt::join(kLabelNames, ", ")));
}

/// Sorts named entries into inputs and labels by their names, those without names by their places.
StoredSamples Sorted(NamedTensors entries, const std::string& file, const std::vector<std::string>& input_names,
                     bool labels_elsewhere = false) {
  StoredSamples samples;
  if (!labels_elsewhere && LastHasLabels(entries, input_names)) {
    samples.labels = std::move(entries.back().second);
    entries.pop_back();
  }
  samples.inputs = TakeNamed(entries, input_names, file);
  const bool in_file_order = samples.inputs.empty();
  for (auto& [name, tensor] : entries) {
    if (!IsLabelName(name)) {
      if (in_file_order) samples.inputs.push_back(std::move(tensor));
    } else if (samples.labels) {
      throw Error(
          fmt::format("{} is a second one for labels; keep one of {}", tensor.where(), fmt::join(kLabelNames, ", ")));
    } else {
      samples.labels = std::move(tensor);
    }
  }
  if (samples.inputs.empty()) {
    throw Error(fmt::format("{}: holds labels but no inputs; add an array of any other name, such as x", file));
  }
  CheckInputCount(samples.inputs, input_names, file);
  return samples;
}

StoredSamples OpenCifar(const Spec& spec) {
  const std::string file = spec.file.string();
  auto bytes = std::make_shared<decode::FileBytes>(spec.file);
  decode::PlacedImages placed = spec.kind == FileKind::Cifar10 ? decode::PlaceCifar10(std::move(bytes), file)
                                                               : decode::PlaceCifar100(std::move(bytes), file);
  return {{StoredTensor(std::move(placed.images))}, StoredTensor(ToTensor(std::move(placed.labels)), file)};
}

/// What is column-major has no samples in its order.
StoredTensor Placed(decode::PlacedArray array, std::int64_t memory_bytes) {
  if (decode::HasRecords(array)) return StoredTensor(std::move(array));
  const std::string where = array.where;
  RequireRoom(where, "its first axis varies fastest (column-major)",
              2 * static_cast<std::int64_t>(decode::ByteCount(array.type, array.shape, where)), memory_bytes);
  return {ToTensor(decode::ReadWhole(array)), where};
}

StoredTensor OpenIdx(const std::filesystem::path& path, std::int64_t memory_bytes) {
  const std::string file = path.string();
  auto bytes = std::make_shared<decode::FileBytes>(path);
  if (!decode::IsGzip(*bytes)) return Placed(decode::PlaceIdx(std::move(bytes), file), memory_bytes);
  // Three times: the inflated bytes grow, and are brought into this machine's order.
  RequireRoom(file, "it is compressed by gzip",
              static_cast<std::int64_t>(bytes->size() + 3 * decode::InflatedIdxBytes(*bytes, file)), memory_bytes);
  return {ToTensor(decode::DecodeIdx(decode::ReadFile(path), file)), file};
}

StoredTensor OpenArray(FileKind kind, const std::filesystem::path& path, std::int64_t memory_bytes) {
  if (kind == FileKind::Idx) return OpenIdx(path, memory_bytes);
  return Placed(decode::PlaceNpy(std::make_shared<decode::FileBytes>(path), path.string()), memory_bytes);
}

StoredSamples OpenArrays(const Spec& spec, std::int64_t memory_bytes) {
  StoredTensor input = OpenArray(spec.kind, spec.file, memory_bytes);
  // IDX images have no channel axis; a network's input has.
  if (spec.kind == FileKind::Idx && input.shape().size() == 3) input = input.WithChannelAxis();
  StoredSamples samples{{std::move(input)}, {}};
  if (spec.labels) samples.labels = OpenArray(spec.kind, *spec.labels, memory_bytes);
  return samples;
}

/// Of a file that names its arrays.
StoredSamples OpenNamed(const Spec& spec, const std::vector<std::string>& input_names, std::int64_t memory_bytes) {
  const std::string file = spec.file.string();
  NamedTensors entries;
  std::vector<decode::PlacedEntry> placed =
      spec.kind == FileKind::Npz ? decode::PlaceNpz(std::make_shared<decode::ZipArchive>(spec.file), file)
                                 : decode::PlaceSafetensors(std::make_shared<decode::FileBytes>(spec.file), file);
  for (decode::PlacedEntry& entry : placed)
    entries.emplace_back(entry.name, Placed(std::move(entry.array), memory_bytes));
  return Sorted(std::move(entries), file, input_names);
}

/// The one tensor of a labels file.
StoredTensor OpenTorchLabels(const std::filesystem::path& path, std::int64_t memory_bytes) {
  std::vector<NamedStoredTensor> tensors = PlaceTorchFile(path, memory_bytes);
  if (tensors.size() == 1) return std::move(tensors.front().tensor);
  throw Error(fmt::format("{}: holds {} tensors; a labels file holds one", path.string(), tensors.size()));
}

StoredSamples OpenTorch(const Spec& spec, const std::vector<std::string>& input_names, std::int64_t memory_bytes) {
  const std::string file = spec.file.string();
  NamedTensors entries;
  for (NamedStoredTensor& named : PlaceTorchFile(spec.file, memory_bytes))
    entries.emplace_back(std::move(named.name), std::move(named.tensor));
  StoredSamples samples = Sorted(std::move(entries), file, input_names, spec.labels.has_value());
  if (!spec.labels) return samples;
  if (samples.labels)
    throw Error(fmt::format("{} holds labels already; leave {} out", samples.labels->where(), spec.labels->string()));
  samples.labels = OpenTorchLabels(*spec.labels, memory_bytes);
  return samples;
}

}  // namespace

StoredSamples OpenSamples(const Spec& spec, const std::vector<std::string>& input_names, std::int64_t memory_bytes) {
  switch (spec.kind) {
    case FileKind::Cifar10:
    case FileKind::Cifar100:
      return OpenCifar(spec);
    case FileKind::Idx:
    case FileKind::Npy:
      return OpenArrays(spec, memory_bytes);
    case FileKind::Npz:
    case FileKind::Safetensors:
      return OpenNamed(spec, input_names, memory_bytes);
    case FileKind::Pt:
      return OpenTorch(spec, input_names, memory_bytes);
    case FileKind::Tokens:  // has windows, no tensors of samples
    case FileKind::Images:  // are no tensors of a file: see LoadImages
      break;
  }
  throw Error("a data file of unknown kind");
}

}  // namespace bitplan::data
