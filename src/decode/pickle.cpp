// The opcodes that LibTorch's reader of pickles knows, on a stack of values that are no more than described.
#include "decode/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "bitplan/error.h"
#include "pickle_values.h"
#include "tuning.h"

namespace bitplan::decode {

namespace {

using Kind = PickleValue::Kind;

class PickleMachine {
 public:
  PickleMachine(std::span<const std::uint8_t> pickle, const StorageBytes& storage_bytes)
      : pickle_(pickle), objects_(storage_bytes) {}

  void Run() {
    while (Step(Byte())) {
    }
    if (stack_.size() != 1 || !marks_.empty()) throw Error("it does not end with one value");
    objects_.CheckTotal();
  }

 private:
  /// False at the pickle's end.
  bool Step(std::uint8_t opcode) {
    switch (opcode) {
      case '.':
        return false;
      case 0x80:  // protocol
        Byte();
        return true;
      case '(':
        marks_.push_back(stack_.size());
        return true;
      default:
        if (!PushPlain(opcode) && !PushNumber(opcode) && !PushText(opcode) && !Memorize(opcode) && !Gather(opcode) &&
            !Make(opcode))
          throw Error(fmt::format("it has opcode {:#04x}, which PyTorch does not write", opcode));
        return true;
    }
  }

  bool PushPlain(std::uint8_t opcode) {
    if (opcode == ']' || opcode == '}')
      Push(Kind::Container);
    else if (opcode == ')')
      Push(Kind::Tuple);
    else if (opcode == 'N' || opcode == 0x88 || opcode == 0x89)  // None, True, False
      Push(Kind::Other);
    else if (opcode == 'G') {  // a float
      Bytes(8);
      Push(Kind::Other);
    } else {
      return false;
    }
    return true;
  }

  bool PushNumber(std::uint8_t opcode) {
    std::int64_t number = 0;
    if (opcode == 'K')
      number = static_cast<std::int64_t>(Unsigned(1));
    else if (opcode == 'M')
      number = static_cast<std::int64_t>(Unsigned(2));
    else if (opcode == 'J')
      number = static_cast<std::int32_t>(Unsigned(4));
    else if (opcode == 0x8a)
      number = Long(Byte());
    else
      return false;
    Push(Kind::Int)->number = number;
    return true;
  }

  bool PushText(std::uint8_t opcode) {
    if (opcode == 'c') {
      std::string name = Line() + ".";
      name += Line();
      PickleObjects::CheckGlobal(name);
      Push(Kind::Global)->text = std::move(name);
      return true;
    }
    const int width = opcode == 'X' || opcode == 'T' || opcode == 'B' ? 4 : opcode == 'U' || opcode == 'C' ? 1 : 0;
    if (width == 0) return false;
    const auto bytes = Bytes(Unsigned(width));
    Push(Kind::Text)->text.assign(bytes.begin(), bytes.end());
    return true;
  }

  bool Memorize(std::uint8_t opcode) {
    const bool puts = opcode == 'q' || opcode == 'r';
    if (!puts && opcode != 'h' && opcode != 'j') return false;
    const auto index = Unsigned(opcode == 'q' || opcode == 'h' ? 1 : 4);
    if (puts) {
      // LibTorch keeps a table of all indices up to the largest.
      if (index > pickle_.size()) throw Error("it numbers more values than it has");
      memo_[index] = Top();
      return true;
    }
    const auto found = memo_.find(index);
    if (found == memo_.end()) throw Error("it takes a value that it does not have");
    found->second->shared = true;
    stack_.push_back(found->second);
    return true;
  }

  bool Gather(std::uint8_t opcode) {
    if (opcode == 't') {
      PushTuple(PopMarked());
    } else if (opcode >= 0x85 && opcode <= 0x87) {
      std::vector<PickleRef> items(opcode - 0x84U);
      for (std::size_t i = items.size(); i-- > 0;) items[i] = Pop();
      PushTuple(std::move(items));
    } else if (opcode == 'e') {
      Extend(PopMarked());
    } else if (opcode == 'a') {
      Extend({Pop()});
    } else if (opcode == 'u' || opcode == 's') {
      std::vector<PickleRef> items;
      if (opcode == 'u') {
        items = PopMarked();
      } else {
        items = {Pop(), Pop()};
      }
      if (items.size() % 2 != 0) throw Error("a dict has a key without a value");
      Extend(items);
    } else {
      return false;
    }
    return true;
  }

  bool Make(std::uint8_t opcode) {
    if (opcode == 0x81) {  // an object without its state: the class stays
      Pop();
      if (Top()->kind != Kind::Global) throw Error("it makes an object of what is no class");
    } else if (opcode == 'R' || opcode == 'b') {
      const PickleRef argument = Pop();
      const PickleRef function = Pop();
      stack_.push_back(objects_.Call(*function, argument));
    } else if (opcode == 'Q') {
      stack_.push_back(objects_.MakeStorage(*Pop()));
    } else {
      return false;
    }
    return true;
  }

  void PushTuple(std::vector<PickleRef> items) {
    const PickleRef tuple = Push(Kind::Tuple);
    for (const PickleRef& item : items) tuple->Contain(*item);
    tuple->items = std::move(items);
  }

  /// Of a list or dict.
  void Extend(const std::vector<PickleRef>& items) {
    const PickleRef container = Top();
    if (container->kind != Kind::Container) throw Error("it adds items to what is no list or dict");
    if (container->shared) throw Error("it changes a list or dict that something contains already");
    for (const PickleRef& item : items) container->Contain(*item);
  }

  PickleRef Push(Kind kind) {
    if (++made_ > tuning::kPickleValues) throw Error(fmt::format("it has more than {} values", tuning::kPickleValues));
    stack_.push_back(std::make_shared<PickleValue>());
    stack_.back()->kind = kind;
    return stack_.back();
  }

  const PickleRef& Top() const {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) throw Error("it takes more values than it has");
    return stack_.back();
  }

  PickleRef Pop() {
    PickleRef top = Top();
    stack_.pop_back();
    return top;
  }

  std::vector<PickleRef> PopMarked() {
    if (marks_.empty()) throw Error("it ends a list that does not begin");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleRef> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  std::span<const std::uint8_t> Bytes(std::uint64_t count) {
    if (count > pickle_.size() - at_) throw Error("it is cut off");
    const auto bytes = pickle_.subspan(at_, count);
    at_ += count;
    return bytes;
  }

  std::uint8_t Byte() { return Bytes(1)[0]; }

  std::uint64_t Unsigned(int width) {
    std::uint64_t number = 0;
    const auto bytes = Bytes(static_cast<std::uint64_t>(width));
    for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | bytes[i];
    return number;
  }

  std::int64_t Long(int width) {
    if (width > 8) throw Error("it has a number of more than 64 bits");
    const auto number = Unsigned(width);
    const int unused = 64 - 8 * width;
    return width == 0 ? 0 : static_cast<std::int64_t>(number << unused) >> unused;
  }

  std::string Line() {
    const auto rest = pickle_.subspan(at_);
    const auto end = std::ranges::find(rest, '\n');
    if (end == rest.end()) throw Error("it is cut off");
    const std::string line(rest.begin(), end);
    at_ += line.size() + 1;
    return line;
  }

  std::span<const std::uint8_t> pickle_;
  std::size_t at_ = 0;
  double made_ = 0;
  PickleObjects objects_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint64_t, PickleRef> memo_;
};

}  // namespace

void CheckPickle(std::span<const std::uint8_t> pickle, const StorageBytes& storage_bytes) {
  PickleMachine(pickle, storage_bytes).Run();
}

}  // namespace bitplan::decode
