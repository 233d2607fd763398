#include "architecture/type_names.h"

#include <cctype>
#include <cstddef>
#include <string_view>

namespace bitplan::architecture {

namespace {

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Where the comment, literal or preprocessor line that begins at `at` ends; `at` where none begins there.
std::size_t EndOfSkipped(const std::string& source, std::size_t at) {
  const auto behind = [&](std::string_view text, std::size_t from) {
    const std::size_t found = source.find(text, from);
    return found == std::string::npos ? source.size() : found + text.size();
  };
  if (source.compare(at, 2, "//") == 0) return behind("\n", at);
  if (source.compare(at, 2, "/*") == 0) return behind("*/", at + 2);
  if (source.compare(at, 2, "R\"") == 0) {
    const std::size_t open = source.find('(', at);
    return behind(")" + source.substr(at + 2, open - at - 2) + "\"", open);
  }
  if (source[at] == '#') {
    std::size_t end = behind("\n", at);
    while (end < source.size() && source[end - 2] == '\\') end = behind("\n", end);
    return end;
  }
  const char quote = source[at];
  const bool separates = quote == '\'' && at > 0 && std::isdigit(static_cast<unsigned char>(source[at - 1])) != 0;
  if (separates || (quote != '"' && quote != '\'')) return at;
  std::size_t end = at + 1;
  while (end < source.size() && source[end] != quote) end += source[end] == '\\' ? 2 : 1;
  return end + 1;
}

/// Words and signs of C++, `::` as one, without comments, literals and preprocessor lines.
std::vector<std::string> Tokens(const std::string& source) {
  std::vector<std::string> tokens;
  for (std::size_t at = 0; at < source.size();) {
    const std::size_t end = EndOfSkipped(source, at);
    if (end > at) {
      at = end;
      continue;
    }
    std::size_t length = source.compare(at, 2, "::") == 0 ? 2 : 1;
    if (IsWord(source[at]))
      while (at + length < source.size() && IsWord(source[at + length])) ++length;
    if (std::isspace(static_cast<unsigned char>(source[at])) == 0) tokens.push_back(source.substr(at, length));
    at += length;
  }
  return tokens;
}

class Reader {
 public:
  explicit Reader(const std::string& source) : tokens_(Tokens(source)) {}

  TypeNames Read() {
    for (; at_ < tokens_.size(); ++at_) {
      if (Is("namespace")) {
        OpenNamespace();
      } else if (Is("class") || Is("struct") || Is("union") || Is("enum")) {
        ReadType();
      } else if (Is("{")) {
        scopes_.push_back({"", false});
      } else if (Is("}") && !scopes_.empty()) {
        scopes_.pop_back();
      }
    }
    return names_;
  }

 private:
  struct Scope {
    std::string name;
    bool named;  // a namespace or a type that other files see
  };

  bool Is(const char* text, std::size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() && tokens_[at_ + ahead] == text;
  }

  bool Seen() const {
    for (const Scope& scope : scopes_)
      if (!scope.named) return false;
    return true;
  }

  std::string Qualified(const std::string& name) const {
    std::string all;
    for (const Scope& scope : scopes_) all += scope.name + "::";
    return all + name;
  }

  /// Names with :: between them, from the place `ahead`; moves behind them.
  std::string Name(std::size_t ahead) {
    at_ += ahead;
    std::string name;
    for (bool word = true; at_ < tokens_.size() && (word ? IsWord(tokens_[at_][0]) : Is("::")); word = !word)
      name += tokens_[at_++];
    return name;
  }

  void OpenNamespace() {
    const std::string name = Name(1);
    if (Is("{")) scopes_.push_back({name, !name.empty()});
  }

  void ReadType() {
    const std::string name = Name(Is("enum") && (Is("class", 1) || Is("struct", 1)) ? 2 : 1);
    if (Is("final")) ++at_;
    if (Is(";") && !name.empty() && Seen()) names_.declared.insert(Qualified(name));
    if (!Is("{") && !Is(":")) {
      --at_;
      return;
    }
    while (at_ < tokens_.size() && !Is("{") && !Is(";") && !Is(")")) ++at_;
    if (!Is("{")) return;
    if (!name.empty() && Seen()) names_.defined.push_back(Qualified(name));
    scopes_.push_back({name, !name.empty()});
  }

  const std::vector<std::string> tokens_;
  std::size_t at_ = 0;
  std::vector<Scope> scopes_;
  TypeNames names_;
};

}  // namespace

TypeNames FindTypes(const std::string& source) { return Reader(source).Read(); }

}  // namespace bitplan::architecture
