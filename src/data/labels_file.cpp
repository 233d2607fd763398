#include "labels_file.h"

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>

#include "bitplan/data.h"
#include "bitplan/error.h"

namespace bitplan::data {

namespace {

constexpr std::string_view kSpace = " \t\r";

template <typename Number>
std::optional<Number> NumberIn(std::string_view text) {
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

bool StaysWithin(std::string_view name) {
  const std::filesystem::path path(name);
  return path.is_relative() && std::ranges::find(path, std::filesystem::path("..")) == path.end();
}

struct Line {
  std::string_view name, label;
};

/// `where`: "labels.txt: line 3".
Line Split(std::string_view text, const std::string& where) {
  const std::string_view line = text.substr(0, text.find_last_not_of(kSpace) + 1);
  const std::size_t space = line.find_last_of(kSpace);
  const std::size_t name_end = space == std::string_view::npos ? space : line.find_last_not_of(kSpace, space);
  if (name_end == std::string_view::npos)
    throw Error(fmt::format("{}: '{}' is not of the form NAME LABEL", where, line.substr(0, 200)));
  const std::string_view name = line.substr(0, name_end + 1);
  if (!StaysWithin(name) || name.find('\0') != std::string_view::npos)
    throw Error(fmt::format("{}: the name {} leads out of the folder", where, name.substr(0, 200)));
  return {name, line.substr(space + 1)};
}

class Labels {
 public:
  void Add(std::string_view text, const std::string& where) {
    const std::optional<std::int64_t> whole = NumberIn<std::int64_t>(text);
    const std::optional<double> number = NumberIn<double>(text);
    if (!number || !std::isfinite(*number))
      throw Error(fmt::format("{}: the label '{}' is not a number", where, text.substr(0, 200)));
    are_whole_ = are_whole_ && whole;
    whole_.push_back(whole.value_or(0));
    numbers_.push_back(*number);
  }

  at::Tensor Tensor() const { return are_whole_ ? at::tensor(whole_, at::kLong) : at::tensor(numbers_, at::kDouble); }

 private:
  bool are_whole_ = true;
  std::vector<std::int64_t> whole_;
  std::vector<double> numbers_;
};

void CheckClasses(const at::Tensor& labels, const std::string& file) {
  const at::Tensor wrong = labels.lt(0).logical_and_(labels.ne(kIgnoredLabel));
  if (labels.is_floating_point() || !wrong.any().item<bool>()) return;
  throw Error(fmt::format("{}: a label is {}; classes count from 0, and {} is ignored", file,
                          labels.masked_select(wrong)[0].item<std::int64_t>(), kIgnoredLabel));
}

}  // namespace

LabeledNames ReadLabelsFile(const std::filesystem::path& file) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(file, missing))
    throw Error(fmt::format("{}: no such file; it is to hold lines NAME LABEL", file.string()));
  std::ifstream in(file, std::ios::binary);
  LabeledNames labeled;
  Labels labels;
  std::set<std::string> known;
  std::int64_t number = 0;
  for (std::string text; std::getline(in, text);) {
    const std::string where = fmt::format("{}: line {}", file.string(), ++number);
    if (text.find_first_not_of(kSpace) == std::string::npos) continue;
    const Line line = Split(text, where);
    labels.Add(line.label, where);
    labeled.names.emplace_back(line.name);
    if (!known.insert(labeled.names.back()).second)
      throw Error(fmt::format("{}: {} stands here a second time", where, line.name));
  }
  if (in.bad() || !in.eof()) throw Error(fmt::format("{}: cannot be read", file.string()));
  if (labeled.names.empty()) throw Error(fmt::format("{}: names no image; give lines NAME LABEL", file.string()));
  labeled.labels = labels.Tensor();
  CheckClasses(labeled.labels, file.string());
  return labeled;
}

}  // namespace bitplan::data
