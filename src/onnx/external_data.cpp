#include "external_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include "bitplan/error.h"
#include "names.h"

namespace bitplan::onnx {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> EntryOf(const proto::TensorProto& tensor, std::string_view key) {
  std::optional<std::string> value;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() != key) continue;
    if (value) throw Error(fmt::format("its external data have two entries '{}'", key));
    value = entry.value();
  }
  return value;
}

std::optional<std::uint64_t> NumberOf(const proto::TensorProto& tensor, std::string_view key) {
  const auto text = EntryOf(tensor, key);
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stopped != end)
    throw Error(fmt::format("the {} of its external data is {}, not a number of bytes", key, Quoted(*text)));
  return number;
}

/// Throws unless the location leads down from the model's folder by its text alone.
void CheckLocation(const std::string& location) {
  const fs::path path(location);
  const bool plain = !location.empty() && location.find('\0') == std::string::npos && path.is_relative() &&
                     std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
  if (!plain)
    throw Error(fmt::format("its external data are at {}; expected a file in the model's folder", Quoted(location)));
}

bool IsBelow(const fs::path& folder, const fs::path& file) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
}

}  // namespace

ExternalData::ExternalData(const fs::path& model) : folder_(model.parent_path()) {
  if (folder_.empty()) folder_ = ".";
}

std::shared_ptr<const MappedFile> ExternalData::Open(const std::string& location) {
  CheckLocation(location);
  std::error_code error;
  const fs::path folder = fs::canonical(folder_, error);
  const fs::path file = error ? fs::path() : fs::canonical(folder / location, error);
  if (error) throw Error(fmt::format("its external data, {}: {}", Quoted(location), error.message()));
  if (!IsBelow(folder, file))
    throw Error(fmt::format("its external data, {}, are a link out of the model's folder; put the file itself there",
                            Quoted(location)));
  auto& mapped = files_[file.string()];
  try {
    if (!mapped) mapped = std::make_shared<const MappedFile>(file);
  } catch (const Error& reason) {
    throw Error(fmt::format("its external data, {}: {}", Quoted(location), reason.what()));
  }
  return mapped;
}

ExternalData::Range ExternalData::RangeOf(const proto::TensorProto& tensor, std::size_t size) {
  const auto location = EntryOf(tensor, "location");
  if (!location) throw Error("its external data have no location");
  const std::uint64_t offset = NumberOf(tensor, "offset").value_or(0);
  const std::uint64_t length = NumberOf(tensor, "length").value_or(size);
  if (length != size) throw Error(fmt::format("its external data are {} bytes; its shape takes {}", length, size));
  auto file = Open(*location);
  const auto bytes = file->bytes();
  if (offset > bytes.size() || size > bytes.size() - offset)
    throw Error(fmt::format("its external data, {} bytes at {}, end beyond {}, of {} bytes", size, offset,
                            Quoted(*location), bytes.size()));
  return {bytes.subspan(offset, size), std::move(file)};
}

}  // namespace bitplan::onnx
