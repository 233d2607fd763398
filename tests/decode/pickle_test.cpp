// Pickles by hand, opcode by opcode as Python's pickletools names them.
#include "decode/pickle.h"

#include <gmock/gmock.h>

#include "message_of.h"

namespace bitplan::decode {
namespace {

using std::string;
using testing::HasSubstr;

constexpr const char* kNone = "no error";

string Text(const string& text) {
  string made = "X";
  for (int i = 0; i < 4; ++i) made += static_cast<char>(text.size() >> (8 * i));
  return made + text;
}

string Int(std::int64_t number) {
  string made("\x8a\x08", 2);
  for (int i = 0; i < 8; ++i) made += static_cast<char>(number >> (8 * i));
  return made;
}

string Tuple(const std::vector<std::int64_t>& numbers) {
  string made = "(";
  for (const std::int64_t number : numbers) made += Int(number);
  return made + "t";
}

string Storage(std::int64_t elements, const string& type = "FloatStorage") {
  return "(" + Text("storage") + "ctorch\n" + type + "\n" + Text("0") + Text("cpu") + Int(elements) + "tQ";
}

string Tensor(const string& storage, std::int64_t offset, const std::vector<std::int64_t>& sizes,
              const std::vector<std::int64_t>& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + Int(offset) + Tuple(sizes) + Tuple(strides) +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

string Repeated(const string& text, int times) {
  string made;
  for (int i = 0; i < times; ++i) made += text;
  return made;
}

/// The entry of storage '0' has 96 bytes, and there is no other.
string Problem(const string& body) {
  const string pickle = string("\x80\x02", 2) + body + ".";
  return MessageOf([&] {
    CheckPickle({reinterpret_cast<const std::uint8_t*>(pickle.data()), pickle.size()},
                [](const string& key) -> std::optional<std::uint64_t> {
                  return key == "0" ? std::optional<std::uint64_t>(96) : std::nullopt;
                });
  });
}

TEST(CheckPickle, PassesWhatPyTorchWrites) {
  EXPECT_EQ(Problem(Tensor(Storage(24), 0, {6, 4}, {4, 1})), kNone);
  EXPECT_EQ(Problem(Tensor(Storage(24), 4, {4, 5}, {1, 4})), kNone);
  EXPECT_EQ(Problem(Tensor(Storage(24), 0, {1000, 24}, {0, 1})), kNone);
  EXPECT_EQ(Problem(Tensor(Storage(24), 24, {0, 4}, {4, 1})), kNone);
  EXPECT_EQ(Problem(Tensor(Storage(24), 3, {}, {})), kNone);
  EXPECT_EQ(Problem("c__torch__.m\nNet\nq\1)\x81}(" + Text("scale") + "G" + string(8, '\1') + Text("sizes") +
                    "ctorch.jit._pickle\nbuild_intlist\n](K\1K\2e\x85Rub"),
            kNone);
  EXPECT_EQ(Problem("(]q\1(K\1Neh\1t"), kNone);  // one list twice
}

TEST(CheckPickle, RefusesTensorsThatLeaveTheirStorage) {
  EXPECT_THAT(Problem(Tensor(Storage(25), 0, {6, 4}, {4, 1})), HasSubstr("takes 100 bytes, and its entry has 96"));
  EXPECT_THAT(Problem(Tensor(Storage(24, "DoubleStorage"), 0, {6, 4}, {4, 1})), HasSubstr("takes 192 bytes"));
  EXPECT_THAT(Problem(Tensor(Storage(std::int64_t{1} << 62), 0, {1}, {1})), HasSubstr("elements"));
  EXPECT_THAT(Problem(Tensor(Storage(-1), 0, {1}, {1})), HasSubstr("-1 elements"));
  EXPECT_THAT(Problem(Tensor(Storage(24, "StrangeStorage"), 0, {1}, {1})), HasSubstr("torch.StrangeStorage"));
  EXPECT_THAT(Problem(Tensor(Storage(24), 0, {7, 4}, {4, 1})), HasSubstr("beyond the 24 elements"));
  EXPECT_THAT(Problem(Tensor(Storage(24), 1, {6, 4}, {4, 1})), HasSubstr("beyond the 24 elements"));
  EXPECT_THAT(Problem(Tensor(Storage(24), 25, {0}, {1})), HasSubstr("begins outside"));
  EXPECT_THAT(Problem(Tensor(Storage(24), -1, {1}, {1})), HasSubstr("begins outside"));
  EXPECT_THAT(Problem(Tensor(Storage(24), 0, {2}, {-1})), HasSubstr("stride"));
  EXPECT_THAT(Problem(Tensor(Storage(24), 0, {-2}, {1})), HasSubstr("size"));
  EXPECT_THAT(Problem(Tensor(Storage(24), 0, {2, 2}, {1})), HasSubstr("not as many strides as sizes"));
  EXPECT_THAT(Problem(Tensor(Storage(24), 0, {std::int64_t{1} << 40}, {std::int64_t{1} << 40})), HasSubstr("beyond"));
  EXPECT_THAT(Problem(Tensor(Storage(24), 0, {1 << 20, 1 << 20}, {0, 0})), HasSubstr("many times what the file has"));
  EXPECT_THAT(Problem(Tensor("K\1", 0, {1}, {1})), HasSubstr("not as PyTorch writes them"));
}

TEST(CheckPickle, RefusesWhatMakesNoTensor) {
  EXPECT_THAT(Problem("cos\nsystem\n" + Text("true") + "\x85R"), HasSubstr("os.system"));
  EXPECT_THAT(Problem("ctorch._utils\n_rebuild_sparse_tensor\n"), HasSubstr("sparse"));
  EXPECT_THAT(Problem("ctorch.package\nimport_module\n"), HasSubstr("torch.package.import_module"));
  EXPECT_THAT(Problem("ctorch\nFloatStorage\n)R"), HasSubstr("calls what is no function"));
  EXPECT_THAT(Problem("K\1)R"), HasSubstr("calls what is no function"));
  EXPECT_THAT(Problem("K\1)\x81"), HasSubstr("what is no class"));
  EXPECT_THAT(Problem("i"), HasSubstr("opcode 0x69"));
}

TEST(CheckPickle, RefusesWhatDoesNotEndOrUnfoldsWithoutEnd) {
  EXPECT_THAT(Problem(Repeated("(", 1000) + ")" + Repeated("t", 1000)), HasSubstr("deeper than 500 levels"));
  EXPECT_THAT(Problem(")" + Repeated("\x85", 501)), HasSubstr("deeper than 500 levels"));
  EXPECT_THAT(Problem("K\1" + Repeated("q\1h\1\x86", 40)), HasSubstr("the same values too often"));
  EXPECT_THAT(Problem("]q\1h\1a"), HasSubstr("that something contains already"));
  EXPECT_THAT(Problem("}q\1K\1h\1s"), HasSubstr("that something contains already"));
  EXPECT_THAT(Problem(string("Nr\xff\xff\xff\x7f", 6)), HasSubstr("numbers more values"));
  EXPECT_THAT(Problem("h\1"), HasSubstr("a value that it does not have"));
  EXPECT_THAT(Problem("K\1(\x86"), HasSubstr("more values than it has"));
  EXPECT_THAT(Problem("t"), HasSubstr("does not begin"));
  EXPECT_THAT(Problem("NN"), HasSubstr("one value"));
  EXPECT_THAT(Problem("X\xff\xff\xff\xff"), HasSubstr("cut off"));
  EXPECT_THAT(Problem("ctorch"), HasSubstr("cut off"));
  EXPECT_THAT(Problem("ctorch.jit._pickle\nrestore_type_tag\n]" + Text(Repeated("List[", 60)) + "\x86R"),
              HasSubstr("a type is nested deeper"));
}

}  // namespace
}  // namespace bitplan::decode
