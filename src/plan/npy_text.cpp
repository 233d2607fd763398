#include "npy_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>

namespace bitplan::plan {

namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");

template <typename Element>
std::string Text(const std::vector<std::size_t>& shape, const std::vector<Element>& numbers) {
  constexpr std::size_t kAlignment = 64, kBeforeHeader = 10;
  std::string header = fmt::format("{{'descr': '<f{}', 'fortran_order': False, 'shape': ({},), }}", sizeof(Element),
                                   fmt::join(shape, ", "));
  header.resize((kBeforeHeader + header.size() + kAlignment) / kAlignment * kAlignment - kBeforeHeader, ' ');
  header.back() = '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() % 256);
  text += static_cast<char>(header.size() / 256);
  text += header;
  text.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Element));
  return text;
}

}  // namespace

std::string NpyText(const std::vector<std::size_t>& shape, const std::vector<float>& numbers) {
  return Text(shape, numbers);
}

std::string NpyText(const std::vector<std::size_t>& shape, const std::vector<double>& numbers) {
  return Text(shape, numbers);
}

}  // namespace bitplan::plan
