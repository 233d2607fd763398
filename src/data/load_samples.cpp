#include "load_samples.h"

#include <ATen/Functions.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "checked_samples.h"
#include "data_sha256.h"
#include "decode/array.h"
#include "drawn_numbers.h"
#include "file_source.h"
#include "held_bytes.h"
#include "image_source.h"
#include "memory_source.h"
#include "normalization.h"
#include "stored_samples.h"
#include "token_source.h"
#include "tuning.h"

namespace bitplan::data {

namespace {

using Numbers = std::vector<std::int64_t>;

void CheckForms(const StoredSamples& samples, const DataOptions& options) {
  const StoredTensor& first = samples.inputs.front();
  for (const StoredTensor& input : samples.inputs) {
    input.CheckForm();
    CheckInputType(input.type(), input.where());
    if (input.size() != first.size())
      throw Error(fmt::format("{}: {} samples, but {} has {}; all inputs need as many", input.where(), input.size(),
                              first.where(), first.size()));
    CheckNormalization({input.where(), StoredType(input.type()), input.SampleShape()}, options);
  }
}

at::Tensor ReadLabels(const StoredSamples& samples, const DataOptions& options) {
  if (!samples.labels) return {};
  const StoredTensor& stored = *samples.labels;
  stored.CheckForm();
  RequireRoom(stored.where(), "labels are held", stored.size() * stored.SampleElements() * 8, options.memory_bytes);
  at::Tensor labels = CheckLabels({stored.ReadAll(), stored.where()}, options.ignored_labels);
  if (labels.size(0) == samples.inputs.front().size()) return labels;
  throw Error(fmt::format("{}: {} labels for the {} samples of {}", stored.where(), labels.size(0),
                          samples.inputs.front().size(), samples.inputs.front().where()));
}

/// In memory.
std::int64_t BytesOf(const StoredTensor& input, std::int64_t samples) {
  return samples * input.SampleElements() * static_cast<std::int64_t>(at::elementSize(StoredType(input.type())));
}

/// The first samples of some, such as take a few MiB, by their numbers.
Numbers Piece(const StoredTensor& input, std::int64_t begin) {
  const std::int64_t most =
      std::max<std::int64_t>(1, tuning::kPieceBytes / std::max<std::int64_t>(1, BytesOf(input, 1)));
  Numbers piece(static_cast<std::size_t>(std::min(most, input.size() - begin)));
  std::iota(piece.begin(), piece.end(), begin);
  return piece;
}

/// All samples of the input, in their order and checked, piece by piece.
template <typename Take>
void ReadThrough(const StoredTensor& input, const Take& take) {
  for (std::int64_t begin = 0; begin < input.size();) {
    const Numbers piece = Piece(input, begin);
    take(piece, CheckInput({input.Read(piece), input.where()}, [&](std::int64_t row) { return begin + row; }));
    begin += std::ssize(piece);
  }
}

/// What any value is right for needs no look at it.
void CheckValues(const StoredTensor& input) {
  const bool any = at::isIntegralType(input.type(), /*includeBool=*/false);
  if (!any) ReadThrough(input, [](const Numbers&, const at::Tensor&) {});
}

at::Tensor Empty(const std::vector<std::int64_t>& shape, const StoredTensor& input) {
  try {
    return at::empty(shape, StoredType(input.type()));
  } catch (const c10::Error&) {  // a few stored values may be repeated (expanded) into very many
    throw Error(fmt::format("{}: shape {} does not fit into memory", input.where(), decode::ShapeText(shape)));
  }
}

/// The samples of these numbers, in this order; nothing: all.
at::Tensor Hold(const StoredTensor& input, const std::optional<Numbers>& order) {
  const std::int64_t count = order ? std::ssize(*order) : input.size();
  std::vector<std::int64_t> shape = input.SampleShape();
  shape.insert(shape.begin(), count);
  at::Tensor held = Empty(shape, input);
  if (!order) {
    ReadThrough(input, [&](const Numbers& piece, const at::Tensor& read) {
      held.narrow(0, piece.front(), std::ssize(piece)).copy_(read);
    });
    return held;
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> places;  // of samples, by their numbers
  for (std::int64_t place = 0; place < count; ++place)
    places.emplace_back((*order)[static_cast<std::size_t>(place)], place);
  std::ranges::sort(places);
  auto next = places.begin();
  ReadThrough(input, [&](const Numbers& piece, const at::Tensor& read) {
    for (; next != places.end() && next->first <= piece.back(); ++next)
      held[next->second].copy_(read[next->first - piece.front()]);
  });
  return held;
}

/// What was read of a form that cannot be held in pieces is dropped input by input.
RawSamples HoldAll(StoredSamples samples, const std::optional<Numbers>& order, at::Tensor labels) {
  RawSamples held;
  for (StoredTensor& input : samples.inputs) {
    const StoredTensor stored = std::move(input);
    held.inputs.push_back({Hold(stored, order), stored.where()});
  }
  held.labels.tensor = std::move(labels);
  return held;
}

}  // namespace

std::shared_ptr<const SampleSource> LoadSamples(const Spec& spec, const std::string& name, const DataOptions& options) {
  if (spec.kind == FileKind::Tokens) return LoadTokens(spec, name, options);
  if (options.context != 0)
    throw Error(fmt::format("{}: has no windows of {} tokens: a context is of tokens:FILE", name, options.context));
  if (spec.kind == FileKind::Images) return LoadImages(spec, name, options);
  StoredSamples samples = OpenSamples(spec, options.input_names, options.memory_bytes);
  CheckForms(samples, options);
  at::Tensor labels = ReadLabels(samples, options);
  const std::int64_t size = samples.inputs.front().size();
  const std::optional<Numbers> order = DrawnNumbers(size, name, options);
  if (order && labels.defined()) labels = labels.index_select(0, at::tensor(*order, at::kLong));
  std::int64_t bytes = 0;
  for (const StoredTensor& input : samples.inputs) bytes += BytesOf(input, order ? std::ssize(*order) : size);
  const auto elsewhere =
      std::ranges::find_if(samples.inputs, [](const StoredTensor& input) { return !input.IsReadInPlace(); });
  if (elsewhere == samples.inputs.end() && bytes > SmallBytes(options.memory_bytes)) {
    for (const StoredTensor& input : samples.inputs) CheckValues(input);
    return std::make_shared<FileSource>(std::move(samples.inputs), order, std::move(labels), name, DataSha256(spec));
  }
  if (elsewhere != samples.inputs.end())
    RequireRoom(elsewhere->where(), "it is compressed; its samples are held", bytes, options.memory_bytes);
  return std::make_shared<MemorySource>(HoldAll(std::move(samples), order, std::move(labels)), name, DataSha256(spec));
}

}  // namespace bitplan::data
