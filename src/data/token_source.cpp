#include "token_source.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "checked_samples.h"
#include "data_sha256.h"
#include "decode/array.h"
#include "decode/byte_source.h"
#include "decode/npy.h"
#include "decode/raw.h"
#include "drawn_numbers.h"
#include "held_bytes.h"
#include "normalization.h"
#include "stored_tensor.h"
#include "tuning.h"

namespace bitplan::data {
namespace {

std::vector<std::int64_t> Range(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(end - begin));
  std::iota(numbers.begin(), numbers.end(), begin);
  return numbers;
}

bool IsNumPy(const decode::ByteSource& source) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  std::array<std::uint8_t, 6> bytes{};
  if (source.size() < bytes.size()) return false;
  source.Read(0, bytes);
  return std::ranges::equal(bytes, kMagic, {}, {}, [](char c) { return static_cast<std::uint8_t>(c); });
}

/// The file's integers, row-major.
decode::PlacedArray OpenTokens(const Spec& spec) {
  const std::string file = spec.file.string();
  auto bytes = std::make_shared<decode::FileBytes>(spec.file);
  if (spec.type && IsNumPy(*bytes))
    throw Error(fmt::format("{}: is a NumPy array, which says its type itself; leave ,{} out", file, *spec.type));
  if (spec.type) return decode::PlaceRaw(std::move(bytes), *spec.type, file);
  if (!IsNumPy(*bytes))
    throw Error(fmt::format("{}: is no NumPy array; give the type of its numbers, as in tokens:{},uint16", file, file));
  decode::PlacedArray tokens = decode::PlaceNpy(std::move(bytes), file);
  const bool is_whole = tokens.type != decode::ElementType::Bool && tokens.type < decode::ElementType::Float16;
  if (!is_whole)
    throw Error(fmt::format("{}: tokens of type {} are not supported; save them as integers, such as int32", file,
                            decode::ElementName(tokens.type)));
  if (tokens.column_major && tokens.shape.size() > 1)
    throw Error(
        fmt::format("{}: its first axis varies fastest (column-major), so that no row can be read by itself; "
                    "save it with numpy.ascontiguousarray",
                    file));
  return tokens;
}

/// The same along one axis.
decode::PlacedArray Flat(decode::PlacedArray tokens) {
  std::int64_t count = 1;
  for (const std::int64_t length : tokens.shape) count *= length;
  tokens.shape = {count};
  tokens.apart = decode::ElementSize(tokens.type);
  return tokens;
}

}  // namespace

TokenSource::TokenSource(decode::PlacedArray tokens, const TokenWindows& windows,
                         std::optional<std::vector<std::int64_t>> order, const std::vector<std::int64_t>& ignored,
                         std::string name, std::string sha256)
    : flat_(Flat(std::move(tokens))),
      windows_(windows),
      order_(std::move(order)),
      ignored_(ignored),
      name_(std::move(name)),
      sha256_(std::move(sha256)) {
  ignored_.push_back(kIgnoredLabel);
  ReadLabels();
}

std::vector<at::Tensor> TokenSource::Inputs(std::int64_t begin, std::int64_t end) const {
  return Inputs(Range(begin, end));
}

std::vector<at::Tensor> TokenSource::Inputs(const std::vector<std::int64_t>& samples) const {
  const at::Tensor tokens = Read(samples, 0);
  return {tokens.masked_fill(Padding(tokens), 0)};
}

at::Tensor TokenSource::Read(const std::vector<std::int64_t>& samples, std::int64_t shift) const {
  std::vector<std::int64_t> places;
  places.reserve(samples.size() * static_cast<std::size_t>(windows_.context()));
  for (const std::int64_t sample : samples) {
    const std::int64_t first = windows_.First(order_ ? (*order_)[static_cast<std::size_t>(sample)] : sample) + shift;
    for (std::int64_t i = 0; i < windows_.context(); ++i) places.push_back(first + i);
  }
  return ToTensor(decode::ReadRecords(flat_, places)).to(at::kLong).view({std::ssize(samples), windows_.context()});
}

at::Tensor TokenSource::Padding(const at::Tensor& tokens) const {
  const at::Tensor padding = tokens.lt(0);
  if (!padding.any().item<bool>()) return padding;
  at::Tensor wrong = padding;
  for (const std::int64_t ignored : ignored_) wrong = wrong.logical_and(tokens.ne(ignored));
  if (!wrong.any().item<bool>()) return padding;
  throw Error(
      fmt::format("{}: holds the token {}; tokens are 0 or above, padding that is below can be ignored "
                  "(ignored_labels, --ignore-label)",
                  flat_.where, tokens.masked_select(wrong)[0].item<std::int64_t>()));
}

void TokenSource::ReadLabels() {
  labels_ = at::empty({size(), windows_.context()}, at::kLong);
  const std::int64_t piece = std::max<std::int64_t>(1, tuning::kLabelsRead / windows_.context());
  for (std::int64_t begin = 0; begin < size(); begin += piece) {
    const std::int64_t end = std::min(begin + piece, size());
    const at::Tensor labels = Read(Range(begin, end), 1);
    Padding(labels);
    labels_.narrow(0, begin, end - begin).copy_(CheckLabels({labels, flat_.where}, ignored_).view_as(labels));
  }
  if (windows_.context() == 1) labels_.squeeze_(1);
}

std::shared_ptr<const SampleSource> LoadTokens(const Spec& spec, const std::string& name, const DataOptions& options) {
  decode::PlacedArray tokens = OpenTokens(spec);
  const TokenWindows windows(tokens.shape, options.context, tokens.where);
  CheckNormalization({tokens.where, at::kLong, {windows.context()}}, options);
  auto order = DrawnNumbers(windows.size(), name, options);
  const std::int64_t taken = order ? std::ssize(*order) : windows.size();
  constexpr std::int64_t kLabelBytes = 8;
  if (taken > 0) {
    const std::string what = fmt::format("labels, {} bytes a token, are held; fewer samples take less", kLabelBytes);
    RequireRoom(tokens.where, what, taken * windows.context() * kLabelBytes, options.memory_bytes);
  }
  return std::make_shared<TokenSource>(std::move(tokens), windows, std::move(order), options.ignored_labels, name,
                                       DataSha256(spec));
}

}  // namespace bitplan::data
