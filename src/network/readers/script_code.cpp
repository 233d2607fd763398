#include "readers/script_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

/// What LibTorch writes has some ten levels each; its stack ends at some thousand.
constexpr int kExpressionLevels = 300, kBlockLevels = 100;

bool IsWordLetter(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_'; }

/// Goes through a source once, and follows how many operators each expression hangs below others.
class NestingWalk {
 public:
  explicit NestingWalk(std::string_view code) : code_(code) {}

  void Run() {
    while (at_ < code_.size()) {
      const char letter = code_[at_];
      if (letter == '"' || letter == '\'')
        PassText(letter);
      else if (letter == '#')
        at_ = std::min(code_.find('\n', at_), code_.size());
      else if (letter == '\n')
        BeginLine();
      else if (IsWordLetter(letter))
        PassWord();
      else
        PassSign(letter);
    }
  }

 private:
  void PassText(char quote) {
    for (++at_; at_ < code_.size() && code_[at_] != quote; ++at_)
      if (code_[at_] == '\\') ++at_;
    ++at_;
  }

  /// Statements end with their lines, but for those within brackets.
  void BeginLine() {
    ++at_;
    if (brackets_.empty()) levels_ = 0;
    const std::size_t first = std::min(code_.find_first_not_of(" \t", at_), code_.size());
    if (first < code_.size() && code_[first] != '\n' && brackets_.empty()) Indent(first - at_);
    at_ = first;
  }

  void Indent(std::size_t columns) {
    while (!blocks_.empty() && blocks_.back() >= columns) blocks_.pop_back();
    blocks_.push_back(columns);
    if (blocks_.size() > kBlockLevels) throw Error(fmt::format("its blocks nest deeper than {} levels", kBlockLevels));
  }

  void PassWord() {
    const std::size_t begin = at_;
    while (at_ < code_.size() && IsWordLetter(code_[at_])) ++at_;
    const std::string_view word = code_.substr(begin, at_ - begin);
    if (word == "__setstate__")
      throw Error("it would run as soon as the file is read (__setstate__), which it may not");
    if (word == "elif" && ++branches_ > kBlockLevels)
      throw Error(fmt::format("it has more than {} branches of branches", kBlockLevels));
    constexpr std::string_view kOperators[] = {"not", "and", "or", "if", "else", "in", "is", "lambda"};
    if (std::find(std::begin(kOperators), std::end(kOperators), word) != std::end(kOperators)) Descend();
  }

  void PassSign(char sign) {
    constexpr std::string_view kOperators = "+-*/%@<>=!|&^~.:;";
    ++at_;
    if (sign == '(' || sign == '[' || sign == '{') {
      Descend();
      brackets_.push_back(levels_);
    } else if (sign == ')' || sign == ']' || sign == '}') {
      if (!brackets_.empty()) {
        levels_ = brackets_.back();  // what follows takes the bracket as its operand
        brackets_.pop_back();
      }
    } else if (sign == ',') {
      levels_ = brackets_.empty() ? 0 : brackets_.back();
    } else if (kOperators.find(sign) != std::string_view::npos) {
      Descend();
    }
  }

  void Descend() {
    if (++levels_ > kExpressionLevels)
      throw Error(fmt::format("its expressions nest deeper than {} levels", kExpressionLevels));
  }

  std::string_view code_;
  std::size_t at_ = 0;
  int levels_ = 0, branches_ = 0;
  std::vector<int> brackets_;        // levels where each began
  std::vector<std::size_t> blocks_;  // their columns
};

}  // namespace

void CheckScriptCode(std::string_view code) { NestingWalk(code).Run(); }

}  // namespace bitplan::network
