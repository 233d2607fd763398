#include "npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "layout.h"

namespace bitplan::decode {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";

/// Reads the header's text, a Python dictionary such as
///   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class DictReader {
 public:
  DictReader(std::string_view text, std::size_t offset, const std::string& where)
      : text_(text), offset_(offset), where_(where) {}

  NpyHeader Read() {
    Expect('{');
    while (!Accept('}')) {
      ReadItem();
      if (!Accept(',')) {
        Expect('}');
        break;
      }
    }
    SkipSpace();
    if (at_ != text_.size()) Fail("the end of the header");
    if (!type_ || !fortran_order_ || !shape_) Fail("'descr', 'fortran_order' and 'shape', once each");
    return {*type_, order_, *fortran_order_, *shape_, 0};
  }

 private:
  [[noreturn]] void Fail(std::string_view expected) const {
    throw Error(fmt::format("{}: NumPy header, byte {}: expected {}", where_, offset_ + at_, expected));
  }

  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }

  bool Accept(char symbol) {
    SkipSpace();
    if (at_ == text_.size() || text_[at_] != symbol) return false;
    ++at_;
    return true;
  }

  void Expect(char symbol) {
    if (!Accept(symbol)) Fail(fmt::format("'{}'", symbol));
  }

  void ReadItem() {
    const std::string key = ReadString();
    Expect(':');
    if (key == "descr" && !type_) {
      ReadDescr();
    } else if (key == "fortran_order" && !fortran_order_) {
      fortran_order_ = ReadBool();
    } else if (key == "shape" && !shape_) {
      shape_ = ReadShape();
    } else {
      Fail("'descr', 'fortran_order' and 'shape', once each");
    }
  }

  std::string ReadString() {
    SkipSpace();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') Fail("a string in quotes");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) Fail("a string in quotes");
    const std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }

  bool ReadBool() {
    SkipSpace();
    for (const bool value : {false, true}) {
      const std::string_view name = value ? "True" : "False";
      if (!text_.substr(at_).starts_with(name)) continue;
      at_ += name.size();
      return value;
    }
    Fail("True or False");
  }

  std::int64_t ReadLength() {
    SkipSpace();
    std::int64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) Fail("a length from 0 to 2^63 - 1");
    at_ += static_cast<std::size_t>(end - begin);
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote long integers as 3L
    return value;
  }

  std::vector<std::int64_t> ReadShape() {
    std::vector<std::int64_t> shape;
    Expect('(');
    while (!Accept(')')) {
      shape.push_back(ReadLength());
      if (!Accept(',')) {
        if (shape.size() == 1) Fail("',' (a Python tuple)");
        Expect(')');
        break;
      }
    }
    return shape;
  }

  void ReadDescr() {
    SkipSpace();
    if (text_.substr(at_).starts_with('[')) {
      throw Error(fmt::format("{}: is an array of records; save a plain array of numbers instead", where_));
    }
    const std::string descr = ReadString();
    type_ = TypeOf(descr);
    order_ = descr[0] == '<' ? std::endian::little : descr[0] == '>' ? std::endian::big : std::endian::native;
  }

  ElementType TypeOf(const std::string& descr) const {
    constexpr std::array<std::pair<std::string_view, ElementType>, 11> kTypes = {{{"b1", ElementType::Bool},
                                                                                  {"u1", ElementType::UInt8},
                                                                                  {"i1", ElementType::Int8},
                                                                                  {"u2", ElementType::UInt16},
                                                                                  {"i2", ElementType::Int16},
                                                                                  {"u4", ElementType::UInt32},
                                                                                  {"i4", ElementType::Int32},
                                                                                  {"i8", ElementType::Int64},
                                                                                  {"f2", ElementType::Float16},
                                                                                  {"f4", ElementType::Float32},
                                                                                  {"f8", ElementType::Float64}}};
    if (descr.size() == 3 && std::string_view("<>=|").find(descr[0]) != std::string_view::npos) {
      const auto known =
          std::ranges::find(kTypes, std::string_view(descr).substr(1), [](const auto& t) { return t.first; });
      if (known != kTypes.end() && (descr[0] != '|' || ElementSize(known->second) == 1)) return known->second;
    }
    throw Error(
        fmt::format("{}: element type '{}' is not supported; convert it with .astype() to bool, uint8, int8, "
                    "uint16, int16, uint32, int32, int64, float16, float32 or float64",
                    where_, descr));
  }

  std::string_view text_;
  std::size_t offset_;  // of the text within the file
  const std::string& where_;
  std::size_t at_ = 0;
  std::optional<ElementType> type_;
  std::endian order_ = std::endian::native;
  std::optional<bool> fortran_order_;
  std::optional<std::vector<std::int64_t>> shape_;
};

}  // namespace

NpyHeader ReadNpyHeader(const ByteSource& source, const std::string& where) {
  const std::size_t version_at = kNpyMagic.size(), length_at = version_at + 2, longest = length_at + 4;
  std::vector<std::uint8_t> bytes(std::min<std::uint64_t>(source.size(), longest));
  source.Read(0, bytes);
  if (bytes.size() < kNpyMagic.size() ||
      !std::equal(kNpyMagic.begin(), kNpyMagic.end(), bytes.begin(),
                  [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; })) {
    throw Error(fmt::format("{}: is not a NumPy array: it does not begin with \\x93NUMPY", where));
  }
  const std::string cut_off = where + ": the NumPy header is cut off";
  if (bytes.size() < version_at + 2) throw Error(cut_off);
  const int major = bytes[version_at], minor = bytes[version_at + 1];
  if (major < 1 || major > 3 || minor != 0) {
    throw Error(fmt::format("{}: NumPy format version {}.{} is none of 1.0, 2.0, 3.0", where, major, minor));
  }
  const std::size_t length_size = major == 1 ? 2 : 4, text_at = length_at + length_size;
  if (bytes.size() < text_at) throw Error(cut_off);
  const std::uint64_t length = ReadUnsigned(std::span(bytes).subspan(length_at, length_size), std::endian::little);
  if (source.size() - text_at < length) {
    throw Error(fmt::format("{}: it takes {} bytes from byte {}, and {} are there", cut_off, Grouped(length), text_at,
                            Grouped(source.size() - text_at)));
  }
  std::vector<std::uint8_t> text(length);
  source.Read(text_at, text);
  NpyHeader header = DictReader({reinterpret_cast<const char*>(text.data()), text.size()}, text_at, where).Read();
  header.size = text_at + length;
  return header;
}

}  // namespace bitplan::decode
