#include "plot/xml.h"

#include <array>
#include <stdexcept>
#include <utility>

namespace bitplan {

namespace {

class XmlParser {
 public:
  explicit XmlParser(std::string_view document) : rest_(document) {}

  std::vector<XmlElement> Parse() {
    ParseElement(0);
    while (!rest_.empty())
      if (Take() != '\n') Fail("text after the document");
    return elements_;
  }

 private:
  [[noreturn]] void Fail(const std::string& why) const {
    throw std::runtime_error(why + " before '" + std::string(rest_.substr(0, 40)) + "'");
  }

  char Take() {
    if (rest_.empty()) Fail("the end");
    const char next = rest_.front();
    if (static_cast<unsigned char>(next) < 0x20 && next != '\n') Fail("control character");
    rest_.remove_prefix(1);
    return next;
  }

  bool Skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  void Expect(std::string_view text) {
    if (!Skip(text)) Fail("no " + std::string(text));
  }

  std::string TakeName() {
    std::string name;
    while (!rest_.empty() && (std::isalnum(static_cast<unsigned char>(rest_.front())) || rest_.front() == '-'))
      name += Take();
    if (name.empty()) Fail("no name");
    return name;
  }

  std::string TakeText(char end) {
    std::string text;
    while (!rest_.empty() && rest_.front() != end) {
      if (rest_.front() == '<') Fail("bare <");
      text += rest_.front() == '&' ? TakeEntity() : Take();
    }
    return text;
  }

  char TakeEntity() {
    constexpr std::array<std::pair<std::string_view, char>, 4> entities = {
        {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}}};
    for (const auto& [entity, character] : entities)
      if (Skip(entity)) return character;
    Fail("unknown entity");
  }

  void ParseElement(std::size_t depth) {
    Expect("<");
    const std::size_t index = elements_.size();
    elements_.push_back({TakeName(), {}, "", depth});
    while (Skip(" ")) {
      const std::string attribute = TakeName();
      Expect("=\"");
      if (!elements_[index].attributes.emplace(attribute, TakeText('"')).second) Fail(attribute + " given twice");
      Expect("\"");
    }
    if (Skip("/>")) return;
    Expect(">");
    while (!rest_.starts_with("</")) {
      elements_[index].text += TakeText('<');
      if (!rest_.starts_with("</")) ParseElement(depth + 1);
    }
    Expect("</" + elements_[index].name + ">");
  }

  std::string_view rest_;
  std::vector<XmlElement> elements_;
};

}  // namespace

std::vector<XmlElement> ParseXml(std::string_view document) { return XmlParser(document).Parse(); }

std::vector<XmlElement> Elements(const std::string& document, std::string_view name) {
  std::vector<XmlElement> found;
  for (const XmlElement& element : ParseXml(document))
    if (element.name == name) found.push_back(element);
  return found;
}

}  // namespace bitplan
