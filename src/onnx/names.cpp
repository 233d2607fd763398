#include "names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "bitplan/error.h"

namespace bitplan::onnx {
namespace {

constexpr std::size_t kLongestShown = 120;

bool IsControl(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return code < 0x20 || code == 0x7f;
}

/// Bytes of the UTF-8 character that begins here; 0 where none does.
std::size_t CharacterSize(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf5 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool beyond = (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
                      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
  return beyond ? 0 : size;
}

bool IsText(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = CharacterSize(text);
    if (size == 0 || IsControl(text.front())) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::string Shown(std::string_view name) {
  std::string shown;
  while (!name.empty() && shown.size() < kLongestShown) {
    const std::size_t size = CharacterSize(name);
    if (size == 0 || IsControl(name.front()))
      shown += '?';
    else
      shown += name.substr(0, size);
    name.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return name.empty() ? shown : shown + "...";
}

std::string Quoted(std::string_view name) { return fmt::format("'{}'", Shown(name)); }

void CheckName(std::string_view what, const std::string& name) {
  if (!IsText(name)) throw Error(fmt::format("the name {} of {} is not UTF-8 text", Quoted(name), what));
}

}  // namespace bitplan::onnx
