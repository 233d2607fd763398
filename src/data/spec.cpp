#include "data/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <vector>

#include "bitplan/error.h"
#include "text/enum_names.h"

namespace bitplan::data {
namespace {

constexpr std::string_view kForms =
    "cifar10:FILE, cifar100:FILE, idx:FILE[,LABELS_FILE], npy:FILE[,LABELS_FILE], npz:FILE, "
    "pt:FILE[,LABELS_FILE], safetensors:FILE, tokens:FILE[,TYPE], images:FOLDER[,LABELS_FILE]";

struct KindName {
  std::string_view name;
  FileKind kind;
  bool takes_labels_file;
};

constexpr std::array<KindName, 9> kKinds = {{{"cifar10", FileKind::Cifar10, false},
                                             {"cifar100", FileKind::Cifar100, false},
                                             {"idx", FileKind::Idx, true},
                                             {"npy", FileKind::Npy, true},
                                             {"npz", FileKind::Npz, false},
                                             {"pt", FileKind::Pt, true},
                                             {"safetensors", FileKind::Safetensors, false},
                                             {"tokens", FileKind::Tokens, false},
                                             {"images", FileKind::Images, true}}};
static_assert(
    [] {
      for (std::size_t i = 0; i < kKinds.size(); ++i)
        if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
      return !text::IsEnumerator<static_cast<FileKind>(kKinds.size())>();
    }(),
    "a kind is missing, or not in its place");

struct Ending {
  std::string_view text;
  FileKind kind;
};

constexpr std::array<Ending, 9> kEndings = {{{".npy", FileKind::Npy},
                                             {".npz", FileKind::Npz},
                                             {".pt", FileKind::Pt},
                                             {".pth", FileKind::Pt},
                                             {".safetensors", FileKind::Safetensors},
                                             {"-ubyte", FileKind::Idx},
                                             {"-ubyte.gz", FileKind::Idx},
                                             {".idx", FileKind::Idx},
                                             {".idx.gz", FileKind::Idx}}};

bool Exists(std::string_view file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

/// KIND, where `text` begins with what reads as one: letters and digits up to a colon. A path such as ./a:b.npy does
/// not.
std::optional<std::string_view> Prefix(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view prefix = text.substr(0, colon);
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return std::ranges::all_of(prefix, is_letter_or_digit) ? std::optional(prefix) : std::nullopt;
}

/// FILE and LABELS_FILE of FILE[,LABELS_FILE], or TYPE.
std::pair<std::string_view, std::optional<std::string_view>> Split(std::string_view files) {
  const std::size_t comma = files.find(',');
  if (comma == std::string_view::npos || Exists(files)) return {files, std::nullopt};
  return {files.substr(0, comma), files.substr(comma + 1)};
}

const KindName& KindOf(FileKind kind) { return *std::ranges::find(kKinds, kind, &KindName::kind); }

const KindName& KindFromEnding(std::string_view file, std::string_view text) {
  const auto ending = std::ranges::find_if(kEndings, [&](const Ending& known) { return file.ends_with(known.text); });
  if (ending != kEndings.end()) return KindOf(ending->kind);
  throw Error(fmt::format("data {}: the name does not tell what kind of file it is; give one of {}", text, kForms));
}

}  // namespace

Spec ParseSpec(std::string_view text) {
  const std::optional<std::string_view> prefix = Prefix(text);
  const auto named = prefix ? std::ranges::find(kKinds, *prefix, &KindName::name) : kKinds.end();
  if (prefix && named == kKinds.end() && !Exists(text)) {
    throw Error(fmt::format("data {}: unknown kind '{}'; give one of {}", text, *prefix, kForms));
  }
  const bool has_kind = named != kKinds.end();
  const auto [file, labels] = Split(has_kind ? text.substr(prefix->size() + 1) : text);
  const KindName& kind = has_kind ? *named : KindFromEnding(file, text);
  if (file.empty()) throw Error(fmt::format("data {}: names no file; give {}:FILE", text, kind.name));
  if (kind.kind == FileKind::Tokens) {
    Spec tokens{kind.kind, file};
    if (labels) tokens.type = std::string(*labels);
    return tokens;
  }
  if (labels && !kind.takes_labels_file) {
    throw Error(fmt::format("data {}: {} takes no labels file: the file itself holds the labels", text, kind.name));
  }
  if (labels && labels->empty()) {
    throw Error(
        fmt::format("data {}: names no labels file after the comma; give {}:FILE,LABELS_FILE", text, kind.name));
  }
  Spec spec{kind.kind, file};
  if (labels) spec.labels = *labels;
  return spec;
}

}  // namespace bitplan::data
