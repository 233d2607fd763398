#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bitplan {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  ///< directly inside, entities replaced
  std::size_t depth = 0;

  double Number(const std::string& attribute) const { return std::stod(attributes.at(attribute)); }
};

/// Elements of a document in the order of their start tags. Throws std::runtime_error where it is not well formed: tags
/// that do not match, attributes given twice or without quotes, unknown entities, bare < or &, control characters.
std::vector<XmlElement> ParseXml(std::string_view document);

/// The elements of this name.
std::vector<XmlElement> Elements(const std::string& document, std::string_view name);

}  // namespace bitplan
