#include "pickle_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "decode/array.h"
#include "tuning.h"

namespace bitplan::decode {

namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view kClass = "__torch__.", kTensor = "torch._utils._rebuild_tensor_v2",
                           kQuantized = "torch._utils._rebuild_qtensor",
                           kTypeTag = "torch.jit._pickle.restore_type_tag";

/// What may be called, beside classes; the rest of module torch are storages and types.
constexpr std::array<std::string_view, 12> kFunctions = {kTensor,
                                                         kQuantized,
                                                         kTypeTag,
                                                         "torch._utils._rebuild_parameter",
                                                         "torch.jit._pickle.build_intlist",
                                                         "torch.jit._pickle.build_tensorlist",
                                                         "torch.jit._pickle.build_doublelist",
                                                         "torch.jit._pickle.build_boollist",
                                                         "collections.OrderedDict",
                                                         "builtins.complex",
                                                         "torch.device",
                                                         "torch.Size"};

bool IsFunction(std::string_view name) {
  return name.starts_with(kClass) || std::ranges::find(kFunctions, name) != kFunctions.end();
}

constexpr std::array<std::pair<std::string_view, std::int64_t>, 17> kStorages = {{{"torch.ByteStorage", 1},
                                                                                  {"torch.CharStorage", 1},
                                                                                  {"torch.BoolStorage", 1},
                                                                                  {"torch.ShortStorage", 2},
                                                                                  {"torch.HalfStorage", 2},
                                                                                  {"torch.BFloat16Storage", 2},
                                                                                  {"torch.IntStorage", 4},
                                                                                  {"torch.FloatStorage", 4},
                                                                                  {"torch.LongStorage", 8},
                                                                                  {"torch.DoubleStorage", 8},
                                                                                  {"torch.ComplexFloatStorage", 8},
                                                                                  {"torch.ComplexDoubleStorage", 16},
                                                                                  {"torch.QInt8Storage", 1},
                                                                                  {"torch.QUInt8Storage", 1},
                                                                                  {"torch.QUInt4x2Storage", 1},
                                                                                  {"torch.QUInt2x4Storage", 1},
                                                                                  {"torch.QInt32Storage", 4}}};

/// Where what `items` begins with is not of these kinds, it is not what PyTorch writes.
void Require(const PickleValue& tuple, std::initializer_list<Kind> kinds, std::string_view what) {
  bool is_so = tuple.kind == Kind::Tuple && tuple.items.size() >= kinds.size();
  for (std::size_t i = 0; is_so && i < kinds.size(); ++i) is_so = tuple.items[i]->kind == kinds.begin()[i];
  if (!is_so) throw Error(fmt::format("{} is not as PyTorch writes them", what));
}

std::vector<std::int64_t> Numbers(const PickleValue& tuple, std::string_view what) {
  std::vector<std::int64_t> numbers;
  for (const PickleRef& item : tuple.items) {
    if (item->kind != Kind::Int || item->number < 0 || item->number > tuning::kMostElements)
      throw Error(fmt::format("a tensor has a {} that is none", what));
    numbers.push_back(item->number);
  }
  return numbers;
}

/// Nesting of types in the name of one: "Dict[str, List[Tensor]]".
void CheckTypeName(const std::string& name) {
  int depth = 0;
  for (const char letter : name)
    if ((letter == '[' || letter == '(') && ++depth > tuning::kTypeDepth)
      throw Error(fmt::format("a type is nested deeper than {} levels", tuning::kTypeDepth));
}

}  // namespace

void PickleValue::Contain(const PickleValue& item) {
  depth = std::max(depth, item.depth + 1);
  unfolded += item.unfolded;
  if (depth > tuning::kPickleDepth)
    throw Error(fmt::format("it is nested deeper than {} levels", tuning::kPickleDepth));
  if (unfolded > tuning::kPickleValues) throw Error("it holds the same values too often within each other");
}

void PickleObjects::CheckGlobal(const std::string& name) {
  if (IsFunction(name) || (name.starts_with("torch.") && name.find('.', 6) == std::string::npos)) return;
  if (name.find("_rebuild_sparse") != std::string::npos)
    throw Error("it holds a tensor that is sparse, and dense ones are read");
  throw Error(fmt::format("it names {}, which makes no dense tensor and is no class of the file's own", name));
}

PickleRef PickleObjects::Call(const PickleValue& function, const PickleRef& argument) {
  if (function.kind != Kind::Global || !IsFunction(function.text)) throw Error("it calls what is no function");
  auto made = std::make_shared<PickleValue>();
  made->Contain(*argument);
  if (function.text == kTensor || function.text == kQuantized) CheckTensor(*argument);
  if (function.text == kTypeTag) {
    if (argument->kind != Kind::Tuple || argument->items.size() != 2 || argument->items[1]->kind != Kind::Text)
      throw Error("the type of a list or dict is not as PyTorch writes them");
    CheckTypeName(argument->items[1]->text);
  }
  return made;
}

PickleRef PickleObjects::MakeStorage(const PickleValue& id) {
  Require(id, {Kind::Text, Kind::Global, Kind::Text, Kind::Text, Kind::Int}, "a storage");
  const std::string& type = id.items[1]->text;
  const std::string& key = id.items[2]->text;
  const std::int64_t elements = id.items[4]->number;
  const auto* const found = std::ranges::find(kStorages, std::string_view(type), [](const auto& s) { return s.first; });
  if (found == kStorages.end()) throw Error(fmt::format("a storage is of type {}, which is not known", type));
  if (elements < 0 || elements > tuning::kMostElements) throw Error(fmt::format("a storage has {} elements", elements));
  if (elements > 0) {
    const auto bytes = storage_bytes_(key);
    if (!bytes) throw Error(fmt::format("no entry has the elements of storage '{}'", key));
    if (static_cast<std::uint64_t>(elements * found->second) > *bytes)
      throw Error(fmt::format("storage '{}' takes {} bytes, and its entry has {}", key,
                              Grouped(static_cast<std::uint64_t>(elements * found->second)), Grouped(*bytes)));
  }
  stored_[key] = std::max(stored_[key], elements);
  auto storage = std::make_shared<PickleValue>();
  storage->kind = Kind::Storage;
  storage->number = elements;
  return storage;
}

/// (storage, offset, sizes, strides, …), in elements.
void PickleObjects::CheckTensor(const PickleValue& arguments) {
  Require(arguments, {Kind::Storage, Kind::Int, Kind::Tuple, Kind::Tuple}, "a tensor");
  const std::int64_t stored = arguments.items[0]->number, offset = arguments.items[1]->number;
  const auto sizes = Numbers(*arguments.items[2], "size"), strides = Numbers(*arguments.items[3], "stride");
  if (sizes.size() != strides.size()) throw Error("a tensor has not as many strides as sizes");
  if (sizes.size() > tuning::kMostAxes) throw Error(fmt::format("a tensor has {} axes", sizes.size()));
  if (offset < 0 || offset > stored) throw Error("a tensor begins outside of its storage");
  double elements = 1, last = static_cast<double>(offset);  // rounding is far below what would matter
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    elements *= static_cast<double>(sizes[i]);
    if (sizes[i] > 0) last += static_cast<double>(sizes[i] - 1) * static_cast<double>(strides[i]);
  }
  if (elements > 0 && last >= static_cast<double>(stored))
    throw Error(fmt::format("a tensor reaches beyond the {} elements of its storage",
                            Grouped(static_cast<std::uint64_t>(stored))));
  elements_ += elements;
}

void PickleObjects::CheckTotal() const {
  double stored = tuning::kExpandedElements;
  for (const auto& [key, elements] : stored_) stored += tuning::kExpansion * static_cast<double>(elements);
  if (elements_ > stored)
    throw Error(fmt::format("its tensors have {:.3g} elements, many times what the file has", elements_));
}

}  // namespace bitplan::decode
