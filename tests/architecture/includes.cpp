#include "architecture/includes.h"

#include <algorithm>
#include <regex>
#include <sstream>

namespace bitplan::architecture {

namespace {

/// With lines joined that a backslash continues ([lex.phases]).
std::string Joined(const std::string& source) {
  std::string text;
  for (std::size_t at = 0; at < source.size(); ++at) {
    if (source[at] == '\r') continue;
    std::size_t end = at + 1;
    while (end < source.size() && (source[end] == ' ' || source[end] == '\t' || source[end] == '\r')) ++end;
    if (source[at] == '\\' && end < source.size() && source[end] == '\n')
      at = end;
    else
      text += source[at];
  }
  return text;
}

/// With a space in the place of each comment.
std::string WithoutComments(const std::string& text) {
  std::string kept;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 2, "//") == 0) {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.compare(at, 2, "/*") == 0) {
      const std::size_t end = text.find("*/", at + 2);
      at = end == std::string::npos ? text.size() : end + 2;
      kept += ' ';
    } else if (text.compare(at, 2, "R\"") == 0) {
      const std::size_t open = text.find('(', at);
      const std::string close = open == std::string::npos ? "" : ")" + text.substr(at + 2, open - at - 2) + "\"";
      const std::size_t end = close.empty() ? open : text.find(close, open);
      at = end == std::string::npos ? text.size() : end + close.size();
    } else if (text[at] == '"') {
      std::size_t end = at + 1;
      while (end < text.size() && text[end] != '"' && text[end] != '\n') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
      kept += text.substr(at, end - at);
      at = end;
    } else {
      kept += text[at++];
    }
  }
  return kept;
}

}  // namespace

std::vector<std::string> FindIncludes(const std::string& source) {
  static const std::regex line(
      R"rule(\s*(?:#|%:)\s*(?:include|include_next|import)\b\s*(?:"([^"]*)"|<([^>]*)>|(\S+)).*)rule");
  std::vector<std::string> includes;
  std::istringstream lines(WithoutComments(Joined(source)));
  for (std::string text; std::getline(lines, text);)
    if (std::smatch match; text.find_first_of("#%") != std::string::npos && std::regex_match(text, match, line))
      includes.push_back(match[1].matched ? match[1] : match[2].matched ? match[2] : match[3]);
  return includes;
}

}  // namespace bitplan::architecture
