#include "readers/exported/archive.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "readers/exported/pickled_tensors.h"
#include "readers/exported/schema_types.h"
#include "readers/model_archive.h"

namespace bitplan::network {

namespace {

constexpr std::string_view kFlatProgram = "serialized_exported_program.json";
constexpr std::string_view kFlatState = "serialized_state_dict.pt", kFlatConstants = "serialized_constants.pt";
constexpr std::string_view kMarker = "archive_format";
constexpr std::string_view kModels = "models/", kJson = ".json";
constexpr std::string_view kWeights = "data/weights/", kConstants = "data/constants/";

/// Of sizes or strides: nothing in a file is as large.
constexpr std::int64_t kLargest = std::int64_t{1} << 56;

/// Tensors may have some times the elements that the file has, as expanded ones do, and so many beside.
constexpr double kExpansion = 16, kExpandedElements = 1 << 26;

std::vector<std::int64_t> Numbers(const Json& list) {
  std::vector<std::int64_t> numbers;
  for (const Json& each : list) {
    numbers.push_back(FixedSize(each));
    if (numbers.back() < 0 || numbers.back() > kLargest)
      throw Error(fmt::format("a tensor has a size or stride of {}", numbers.back()));
  }
  return numbers;
}

/// Elements from the storage's begin to the last that the tensor has; Error where that cannot be said in 64 bits.
std::int64_t Extent(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
                    std::int64_t offset) {
  if (sizes.size() != strides.size()) throw Error("a tensor has not as many strides as sizes");
  if (offset < 0 || offset > kLargest) throw Error(fmt::format("a tensor begins at {}", offset));
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return 0;
  std::int64_t last = offset;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::int64_t steps = sizes[i] - 1;
    if (strides[i] > 0 && steps > (kLargest - last) / strides[i]) throw Error("a tensor is too large");
    last += steps * strides[i];
  }
  return last + 1;
}

/// Axes of stride 0 make many elements of few.
void CheckExpansion(const std::vector<std::int64_t>& sizes, std::int64_t extent) {
  double elements = 1;
  for (const std::int64_t size : sizes) elements *= static_cast<double>(size);
  if (elements > kExpansion * static_cast<double>(extent) + kExpandedElements)
    throw Error(fmt::format("it has {:.3g} elements, many times what the file has", elements));
}

}  // namespace

bool ExportedArchive::Is(const ModelContent& content) { return content.Has(kMarker) || content.Has(kFlatProgram); }

ExportedArchive::ExportedArchive(const ModelContent& content) : zip_(*content.archive()) {
  CheckUnpackedSize(zip_);
  const auto& names = zip_.names();
  if (const auto marker = content.Find(kMarker))
    root_ = names[*marker].substr(0, names[*marker].size() - kMarker.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i].starts_with(root_)) entries_.emplace(names[i].substr(root_.size()), i);
  const std::string program = FindProgram();
  if (program.starts_with(kModels))
    model_ = program.substr(kModels.size(), program.size() - kModels.size() - kJson.size());
  program_ = ParseProgram(Read(program));
  CheckVersion();
  if (model_.empty()) {
    AddPickledTensors(std::string(kFlatState));
    AddPickledTensors(std::string(kFlatConstants));
    return;
  }
  for (const std::string_view folder : {kWeights, kConstants}) {
    const std::string in(folder), kind(folder == kWeights ? "weights" : "constants");
    if (const std::string pickled = fmt::format("{}{}.pt", in, model_); Has(pickled)) AddPickledTensors(pickled);
    if (const std::string config = fmt::format("{}_{}_config.json", model_, kind); Has(in + config))
      FindRawTensors(in, in + config);
  }
}

bool ExportedArchive::Has(const std::string& entry) const { return entries_.contains(entry); }

std::vector<std::uint8_t> ExportedArchive::Read(const std::string& entry) const {
  const auto found = entries_.find(entry);
  if (found == entries_.end()) throw Error(fmt::format("the archive has no entry '{}{}'", root_, entry));
  return zip_.Read(found->second);
}

std::string ExportedArchive::FindProgram() const {
  if (Has(std::string(kFlatProgram))) return std::string(kFlatProgram);
  std::vector<std::string> programs;
  for (const auto& [name, index] : entries_)
    if (name.starts_with(kModels) && name.ends_with(kJson)) programs.push_back(name);
  if (programs.empty())
    throw Error(
        "the archive holds no exported program (one that AOTInductor compiled holds machine code alone): save it with "
        "torch.export.save(torch.export.export(model, args), FILE)");
  if (programs.size() > 1)
    throw Error(fmt::format("the archive holds {} programs ({}, {}, …): save the one that is meant alone",
                            programs.size(), programs[0], programs[1]));
  return programs[0];
}

void ExportedArchive::CheckVersion() const {
  const Json& version = program_.at("schema_version");
  const auto major = version.at("major").get<std::int64_t>();
  if (major == 8) return;
  throw Error(fmt::format("its schema has version {}.{}, and 8.* is read: {}", major,
                          version.at("minor").get<std::int64_t>(),
                          major < 8 ? "export the model again with PyTorch 2.6 or later"
                                    : "export the model with an older PyTorch, or take a newer bitplan"));
}

bool ExportedArchive::IsDecomposed() const {
  const auto verifiers = program_.find("verifiers");
  return verifiers == program_.end() || std::find(verifiers->begin(), verifiers->end(), "TRAINING") == verifiers->end();
}

void ExportedArchive::FindRawTensors(const std::string& folder, const std::string& config) {
  const Json document = ParseProgram(Read(config));
  for (const auto& [name, description] : document.at("config").items()) {
    raw_.insert_or_assign(name, Raw{folder, description});
    if (folder == kWeights) state_names_.push_back(name);
  }
}

void ExportedArchive::AddPickledTensors(const std::string& entry) {
  try {
    for (auto& [name, tensor] : ReadPickledTensors(Read(entry)))
      if (pickled_.emplace(name, std::move(tensor)).second) {
        pickled_names_.push_back(name);
        if (entry == kFlatState || entry.starts_with(kWeights)) state_names_.push_back(name);
      }
  } catch (const Error& error) {
    throw Error(fmt::format("its entry '{}': {}", entry, error.what()));
  }
}

std::vector<std::string> ExportedArchive::StateNames() const {
  std::set<std::string> not_persistent;
  for (const Json& spec : program_.at("graph_module").at("signature").at("input_specs"))
    if (const auto [kind, content] = Untag(spec); kind == "buffer" && !content.at("persistent").get<bool>())
      not_persistent.insert(content.at("buffer_name").get<std::string>());
  std::vector<std::string> names;
  for (const std::string& name : state_names_)
    if (!not_persistent.contains(name)) names.push_back(name);
  return names;
}

at::Tensor ExportedArchive::Payload(const std::string& entry) {
  const auto [found, fresh] = payloads_.try_emplace(entry);
  if (!fresh) return found->second;
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(Read(entry));
  const auto size = static_cast<std::int64_t>(bytes->size());
  void* const data = bytes->data();
  if (size > 0)
    found->second = at::from_blob(data, {size}, [bytes](void*) {}, at::kByte);
  else
    found->second = at::empty({0}, at::kByte);
  return found->second;
}

at::Tensor ExportedArchive::RawTensor(const std::string& folder, const Json& description) {
  if (description.at("use_pickle").get<bool>())
    throw Error("it is of a subclass of Tensor (already quantized?), which only its Python source can read");
  const Json& meta = description.at("tensor_meta");
  if (meta.at("layout").get<std::int64_t>() != kStridedOfSchema) throw Error("it is sparse, or of another layout");
  const at::ScalarType type = TypeOfSchema(meta.at("dtype").get<std::int64_t>());
  const auto sizes = Numbers(meta.at("sizes")), strides = Numbers(meta.at("strides"));
  const std::int64_t offset = FixedSize(meta.at("storage_offset"));
  const at::Tensor payload = Payload(folder + description.at("path_name").get<std::string>());
  const std::int64_t extent = Extent(sizes, strides, offset);
  if (extent > payload.numel() / static_cast<std::int64_t>(c10::elementSize(type)))
    throw Error(fmt::format("it takes {} elements, and its entry has {} bytes", extent, payload.numel()));
  if (extent == 0) return at::empty(sizes, type);
  CheckExpansion(sizes, extent);
  return at::empty({0}, type).set_(payload.storage(), offset, sizes, strides);
}

at::Tensor ExportedArchive::Tensor(const std::string& name) {
  if (const auto found = pickled_.find(name); found != pickled_.end()) return found->second;
  const auto found = raw_.find(name);
  if (found == raw_.end()) throw Error(fmt::format("the archive has no tensor '{}', which the program reads", name));
  try {
    return RawTensor(found->second.folder, found->second.description);
  } catch (const Error& error) {
    throw Error(fmt::format("tensor '{}': {}", name, error.what()));
  }
}

std::int64_t ExportedArchive::TensorBytes(const ModelContent& content) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;  // a damaged directory may say anything
  const decode::ZipArchive& zip = *content.archive();
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < zip.names().size(); ++i) {
    const std::string& name = zip.names()[i];
    const bool of_state = name.find(kWeights) != std::string::npos || name.find(kConstants) != std::string::npos ||
                          name == kFlatState || name == kFlatConstants;
    if (of_state) bytes = std::min(kMost, bytes + std::min(kMost, zip.Size(i)));
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace bitplan::network
