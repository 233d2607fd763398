#include "raw_samples.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "decode/array.h"
#include "decode/cifar.h"
#include "decode/file.h"
#include "decode/idx.h"
#include "decode/npy.h"
#include "decode/npz.h"
#include "torch_file.h"

namespace bitplan::data {
namespace {

at::ScalarType ScalarTypeOf(decode::ElementType type) {
  switch (type) {
    case decode::ElementType::Bool:
      return at::kBool;
    case decode::ElementType::UInt8:
      return at::kByte;
    case decode::ElementType::Int8:
      return at::kChar;
    case decode::ElementType::UInt16:
      return at::kUInt16;
    case decode::ElementType::Int16:
      return at::kShort;
    case decode::ElementType::UInt32:
      return at::kUInt32;
    case decode::ElementType::Int32:
      return at::kInt;
    case decode::ElementType::Int64:
      return at::kLong;
    case decode::ElementType::Float16:
      return at::kHalf;
    case decode::ElementType::Float32:
      return at::kFloat;
    case decode::ElementType::Float64:
      return at::kDouble;
  }
  throw Error("an array of unknown element type");
}

/// The array's bytes become the tensor's: nothing is copied.
at::Tensor ToTensor(decode::Array array) {
  const at::ScalarType type = ScalarTypeOf(array.type);
  if (array.bytes.empty()) return at::empty(array.shape, type);
  const auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::move(array.bytes));
  return at::from_blob(bytes->data(), array.shape, [bytes](void*) {}, at::TensorOptions(type));
}

constexpr std::array<std::string_view, 9> kLabelNames = {
    "label", "labels", "y", "target", "targets", "label_ids", "class", "classes", "ground_truth"};

/// In small letters or capitals.
bool IsLabelName(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return std::ranges::find(kLabelNames, name) != kLabelNames.end();
}

using NamedTensors = std::vector<std::pair<std::string, RawTensor>>;

std::string NamesOf(const NamedTensors& entries) {
  std::vector<std::string> names;
  for (const auto& [name, raw] : entries) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Takes the inputs of these names out of `entries`; nothing where it has none of them.
std::vector<RawTensor> TakeNamed(NamedTensors& entries, const std::vector<std::string>& names,
                                 const std::string& file) {
  std::vector<RawTensor> taken;
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
  throw Error(fmt::format("{}: holds {}, but not the network's {} {}; its inputs are {}: give all by name, or none", file,
                          held, missing.size() == 1 ? "input" : "inputs", fmt::join(missing, ", "),
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

void CheckInputCount(const std::vector<RawTensor>& inputs, const std::vector<std::string>& input_names,
                     const std::string& file) {
  if (input_names.empty() || inputs.size() == input_names.size()) return;
  throw Error(fmt::format("{}: holds {} tensors beside labels, and the network takes {} ({}); labels are known by the "
                          "name {}, or stand last in a list or tuple with one tensor more than the network takes",
                          file, inputs.size(), input_names.size(), fmt::join(input_names, ", "),
                          fmt::join(kLabelNames, ", ")));
}

/// Sorts named entries into inputs and labels by their names, those without names by their places.
RawSamples Sorted(NamedTensors entries, const std::string& file, const std::vector<std::string>& input_names,
                  bool labels_elsewhere = false) {
  RawSamples samples;
  if (!labels_elsewhere && LastHasLabels(entries, input_names)) {
    samples.labels = std::move(entries.back().second);
    entries.pop_back();
  }
  samples.inputs = TakeNamed(entries, input_names, file);
  const bool in_file_order = samples.inputs.empty();
  for (auto& [name, raw] : entries) {
    if (!IsLabelName(name)) {
      if (in_file_order) samples.inputs.push_back(std::move(raw));
    } else if (samples.labels.tensor.defined()) {
      throw Error(fmt::format("{} is a second one for labels; keep one of {}", raw.where, fmt::join(kLabelNames, ", ")));
    } else {
      samples.labels = std::move(raw);
    }
  }
  if (samples.inputs.empty()) {
    throw Error(fmt::format("{}: holds labels but no inputs; add an array of any other name, such as x", file));
  }
  CheckInputCount(samples.inputs, input_names, file);
  return samples;
}

RawSamples ReadCifar(const Spec& spec) {
  const std::string file = spec.file.string();
  const std::vector<std::uint8_t> bytes = decode::ReadFile(spec.file);
  decode::LabeledImages decoded =
      spec.kind == FileKind::Cifar10 ? decode::DecodeCifar10(bytes, file) : decode::DecodeCifar100(bytes, file);
  return {{{ToTensor(std::move(decoded.images)), file}}, {ToTensor(std::move(decoded.labels)), file}};
}

RawTensor ReadArray(FileKind kind, const std::filesystem::path& path) {
  const std::string file = path.string();
  std::vector<std::uint8_t> bytes = decode::ReadFile(path);
  return {ToTensor(kind == FileKind::Idx ? decode::DecodeIdx(std::move(bytes), file)
                                         : decode::DecodeNpy(std::move(bytes), file)),
          file};
}

RawSamples ReadArrays(const Spec& spec) {
  RawSamples samples{{ReadArray(spec.kind, spec.file)}, {}};
  // IDX images have no channel axis; a network's input has.
  at::Tensor& input = samples.inputs.front().tensor;
  if (spec.kind == FileKind::Idx && input.dim() == 3) input = input.unsqueeze(1);
  if (spec.labels) samples.labels = ReadArray(spec.kind, *spec.labels);
  return samples;
}

RawSamples ReadNpz(const Spec& spec, const std::vector<std::string>& input_names) {
  const std::string file = spec.file.string();
  NamedTensors entries;
  for (decode::NamedArray& named : decode::DecodeNpz(decode::ReadFile(spec.file), file)) {
    const std::string where = fmt::format("{}: array {}", file, named.name);
    entries.emplace_back(named.name, RawTensor{ToTensor(std::move(named.array)), where});
  }
  return Sorted(std::move(entries), file, input_names);
}

/// The one tensor of a labels file.
RawTensor ReadTorchLabels(const std::filesystem::path& path) {
  std::vector<NamedTensor> tensors = DecodeTorchFile(decode::ReadFile(path), path.string());
  if (tensors.size() != 1) {
    throw Error(fmt::format("{}: holds {} tensors; a labels file holds one", path.string(), tensors.size()));
  }
  return {std::move(tensors.front().tensor), path.string()};
}

RawSamples ReadTorch(const Spec& spec, const std::vector<std::string>& input_names) {
  const std::string file = spec.file.string();
  std::vector<NamedTensor> tensors = DecodeTorchFile(decode::ReadFile(spec.file), file);
  NamedTensors entries;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::string where = !tensors[i].name.empty() ? fmt::format("{}: entry '{}'", file, tensors[i].name)
                              : tensors.size() > 1     ? fmt::format("{}: entry {}", file, i)
                                                       : file;
    entries.emplace_back(tensors[i].name, RawTensor{std::move(tensors[i].tensor), where});
  }
  RawSamples samples = Sorted(std::move(entries), file, input_names, spec.labels.has_value());
  if (!spec.labels) return samples;
  if (samples.labels.tensor.defined()) {
    throw Error(fmt::format("{} holds labels already; leave {} out", samples.labels.where, spec.labels->string()));
  }
  samples.labels = ReadTorchLabels(*spec.labels);
  return samples;
}

}  // namespace

RawSamples ReadSamples(const Spec& spec, const std::vector<std::string>& input_names) {
  switch (spec.kind) {
    case FileKind::Cifar10:
    case FileKind::Cifar100:
      return ReadCifar(spec);
    case FileKind::Idx:
    case FileKind::Npy:
      return ReadArrays(spec);
    case FileKind::Npz:
      return ReadNpz(spec, input_names);
    case FileKind::Pt:
      return ReadTorch(spec, input_names);
  }
  throw Error("a data file of unknown kind");
}

}  // namespace bitplan::data
