#include "readers/model_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

std::string HeadOf(const std::filesystem::path& file) {
  std::string head(64, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return head;
}

}  // namespace

ModelContent::ModelContent(std::filesystem::path file) : file_(std::move(file)), head_(HeadOf(file_)) {
  if (!HasBytes(0, "PK")) return;
  try {
    archive_.emplace(file_);
  } catch (const Error& error) {
    throw Error(
        fmt::format("{} (not a TorchScript file that can be read); it was cut off, or overwritten in part: copy "
                    "or save it anew",
                    error.what()));
  }
}

bool ModelContent::HasBytes(std::size_t at, std::string_view bytes) const {
  return head_.size() >= at + bytes.size() && std::string_view(head_).substr(at, bytes.size()) == bytes;
}

std::optional<std::size_t> ModelContent::Find(std::string_view entry) const {
  if (!archive_) return std::nullopt;
  const auto& names = archive_->names();
  const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return name == entry || (name.ends_with(entry) && name[name.size() - entry.size() - 1] == '/');
  });
  return found == names.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - names.begin()));
}

}  // namespace bitplan::network
