// Files that were made to harm: each is refused in one line.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "bitplan/network.h"
#include "fuzz/zip_entries.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using fuzz::ZipEntry;
using testing::HasSubstr;
namespace fs = std::filesystem;

using Entries = std::vector<ZipEntry>;

ZipEntry Entry(const std::string& name, const std::string& bytes) { return {name, {bytes.begin(), bytes.end()}}; }

std::string Repeated(const std::string& text, int times) {
  std::string made;
  for (int i = 0; i < times; ++i) made += text;
  return made;
}

Entries EntriesOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  return fuzz::Unpack({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

ZipEntry& Ending(Entries& entries, const std::string& name) {
  return *std::find_if(entries.begin(), entries.end(),
                       [&](const ZipEntry& entry) { return entry.name.ends_with(name); });
}

void Replace(ZipEntry& entry, const std::string& old, const std::string& fresh) {
  std::string bytes(entry.bytes.begin(), entry.bytes.end());
  const auto at = bytes.find(old);
  ASSERT_NE(at, std::string::npos) << old;
  bytes.replace(at, old.size(), fresh);
  entry.bytes.assign(bytes.begin(), bytes.end());
}

/// A module without state, "__torch__.M", of this code.
Entries Script(const std::string& methods, const std::string& before = "") {
  const std::string code =
      before + "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n" + methods;
  return {Entry("m/data.pkl", std::string("\x80\x02"
                                          "c__torch__\nM\n)\x81}(X\x08\0\0\0training\x89ub.",
                                          40)),
          Entry("m/code/__torch__.py", code), Entry("m/constants.pkl", "\x80\x02)."), Entry("m/version", "3\n")};
}

std::string Forward(const std::string& expression) {
  return "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return " + expression + "\n";
}

class UntrustedModel : public testing::Test {
 protected:
  UntrustedModel() : file_(fs::path(testing::TempDir()) / fmt::format("untrusted_{}.pt", std::random_device()())) {}
  ~UntrustedModel() override { fs::remove(file_); }

  std::string Problem(const Entries& entries) const {
    const fuzz::Bytes bytes = fuzz::Pack(entries);
    std::ofstream(file_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    const std::string message = MessageOf([&] { Network::Load(file_); });
    EXPECT_TRUE(message == "no error" || IsOneLine(message)) << message;
    return message;
  }

  fs::path file_;
};

TEST_F(UntrustedModel, IsReadWhereNothingIsWrong) {
  EXPECT_EQ(Problem(EntriesOf(ModelPath("mlp.scripted.pt"))), "no error");
  EXPECT_EQ(Problem(Script(Forward("torch.add(x, x)"))), "no error");
  EXPECT_EQ(Problem(Script(Forward("torch.add(" + Repeated("torch.add(", 80) + "x" + Repeated(", 1)", 80) + ", 1)"))),
            "no error");
}

TEST_F(UntrustedModel, OfTorchScriptHasTensorsWithinItsEntries) {
  Entries entries = EntriesOf(ModelPath("mlp.scripted.pt"));
  Ending(entries, "data/0").bytes.resize(95);
  EXPECT_THAT(Problem(entries), HasSubstr("storage '0' takes 96 bytes, and its entry has 95"));
}

TEST_F(UntrustedModel, OfTorchScriptHasNoTwoEntriesThatDifferInCaseAlone) {
  Entries entries = EntriesOf(ModelPath("mlp.scripted.pt"));
  entries.push_back(Entry("mlp.scripted/DATA.pkl", "\x80\x02N."));
  EXPECT_THAT(Problem(entries), HasSubstr("stands in it twice, but for the case"));
}

TEST_F(UntrustedModel, OfTorchScriptHasAttributesOfTheTypesOfItsClass) {
  Entries entries = Script(Forward("x"));
  Replace(entries[0], "training\x89", std::string("trainingX\1\0\0\0a", 14));
  EXPECT_THAT(Problem(entries), HasSubstr("attribute 'training' is of type str, and its class has bool"));
}

TEST_F(UntrustedModel, OfTorchScriptHasCodeThatNestsAsPeopleWriteIt) {
  const int many = 100'000;
  for (const std::string& expression :
       {Repeated("(", many) + "x" + Repeated(")", many), "x" + Repeated(" + 1", many), Repeated("-", many) + "1",
        Repeated("not ", many) + "x", "x" + Repeated(".a", many), "x" + Repeated("[0]", many),
        "1" + Repeated(" if x else 1", many), Repeated("[1 + ", many)}) {
    EXPECT_THAT(Problem(Script(Forward(expression))), HasSubstr("nest deeper than 300 levels"))
        << expression.substr(0, 20);
  }
  std::string blocks, columns = "    ";
  for (int i = 0; i < 500; ++i, columns += "  ") blocks += columns + "if True:\n";
  EXPECT_THAT(Problem(Script(Forward("x") + "  def g(self: __torch__.M) -> None:\n" + blocks + columns + "pass\n")),
              HasSubstr("nest deeper than 100 levels"));
}

TEST_F(UntrustedModel, OfTorchScriptRunsNothingWhenItIsRead) {
  EXPECT_THAT(Problem(Script(Forward("x") + "  def __setstate__(self: __torch__.M,\n    state: int) -> None:\n"
                                            "    while True:\n      pass\n")),
              HasSubstr("__setstate__"));
}

TEST_F(UntrustedModel, IsNotUnfoldedWithoutEnd) {
  std::string methods = "  def f0(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return torch.add(x, x)\n";
  for (int i = 1; i < 40; ++i)
    methods += fmt::format(
        "  def f{0}(self: __torch__.M,\n    x: Tensor) -> Tensor:\n"
        "    return (self).f{1}((self).f{1}(x, ), )\n",
        i, i - 1);
  EXPECT_THAT(Problem(Script(methods + Forward("(self).f39(x, )"))), HasSubstr("more than 500000 operators"));
}

TEST_F(UntrustedModel, ReachesNoFiles) {
  const fs::path written = file_.string() + ".written";
  EXPECT_THAT(Problem(Script(Forward(fmt::format("torch.from_file(\"{}\", True, 4)", written.string())))),
              HasSubstr("aten::from_file"));
  EXPECT_FALSE(fs::exists(written));
}

TEST_F(UntrustedModel, OfTorchExportHasTensorsAsLargeAsItsFile) {
  const fs::path file = fs::path(BITPLAN_TEST_DIR) / "network/exported/small_resnet.plain.pt2";
  Entries entries = EntriesOf(file);
  ASSERT_EQ(Problem(entries), "no error");
  const auto ends = [](const ZipEntry& entry) { return entry.name.ends_with("model_weights_config.json"); };
  ZipEntry& config = *std::find_if(entries.begin(), entries.end(), ends);
  std::string text(config.bytes.begin(), config.bytes.end());
  const auto replaced = [&](const std::string& key, const std::string& list) {
    std::string changed = text;
    const auto at = changed.find("\"" + key + "\"");
    const auto begin = changed.find('[', at), end = changed.find(']', at);
    return changed.replace(begin, end - begin + 1, list);
  };
  text = replaced("sizes", R"([{"as_int":1099511627776},{"as_int":1048576}])");
  text = replaced("strides", R"([{"as_int":0},{"as_int":0}])");
  config.bytes.assign(text.begin(), text.end());
  EXPECT_THAT(Problem(entries), HasSubstr("many times what the file has"));
}

}  // namespace
}  // namespace bitplan::test
