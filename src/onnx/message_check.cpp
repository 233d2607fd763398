#include "message_check.h"

#include <fmt/format.h>

#include <cstdint>

#include "bitplan/error.h"
#include "tuning.h"
#include "unknown_fields.h"

namespace bitplan::onnx {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// What type of message the field holds; null where it holds none.
const Descriptor* MessageIn(const Descriptor& type, int number) {
  if (&type == proto::FunctionProto::descriptor() && number == kFunctionDefaults)
    return proto::AttributeProto::descriptor();
  const FieldDescriptor* field = type.FindFieldByNumber(number);
  return field && field->type() == FieldDescriptor::TYPE_MESSAGE ? field->message_type() : nullptr;
}

class MessageCheck {
 public:
  explicit MessageCheck(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void Check(const Descriptor& type, std::size_t end, int depth) {
    if (depth > tuning::kDeepestMessage)
      Throw(fmt::format("messages nested more than {} deep", tuning::kDeepestMessage));
    while (at_ < end) CheckField(type, end, depth);
  }

 private:
  enum Wire : std::uint64_t { kVarint = 0, kEightBytes = 1, kSized = 2, kFourBytes = 5 };

  void CheckField(const Descriptor& type, std::size_t end, int depth) {
    Count();
    const std::uint64_t tag = Varint(end);
    if (tag >> 3 == 0 || tag >> 32 != 0) Throw("no field has such a number");
    switch (tag & 7) {
      case kVarint:
        Varint(end);
        break;
      case kEightBytes:
        Skip(8, end);
        break;
      case kFourBytes:
        Skip(4, end);
        break;
      case kSized:
        CheckSized(MessageIn(type, static_cast<int>(tag >> 3)), end, depth);
        break;
      default:
        Throw(fmt::format("no field is of wire type {}", tag & 7));  // of groups ONNX has none
    }
  }

  void CheckSized(const Descriptor* message, std::size_t end, int depth) {
    const std::uint64_t size = Varint(end);
    if (size > end - at_) Throw(fmt::format("{} bytes should follow where there are {}", size, end - at_));
    if (message)
      Check(*message, at_ + size, depth + 1);
    else
      at_ += size;
  }

  std::uint64_t Varint(std::size_t end) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at_ >= end) Throw("truncated");
      const auto byte = static_cast<std::uint64_t>(bytes_[at_++]);
      if (shift < 64) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Throw("a number of more than 10 bytes");
  }

  void Skip(std::size_t size, std::size_t end) {
    if (size > end - at_) Throw("truncated");
    at_ += size;
  }

  void Count() {
    if (++count_ > tuning::kMostFields) Throw(fmt::format("more than {} fields", tuning::kMostFields));
  }

  [[noreturn]] void Throw(const std::string& what) const {
    throw Error(fmt::format("damaged, or not an ONNX model, at byte {} of {}: {}", at_, bytes_.size(), what));
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

void CheckMessages(const Descriptor& type, std::span<const std::byte> bytes) {
  MessageCheck(bytes).Check(type, bytes.size(), 0);
}

}  // namespace bitplan::onnx
