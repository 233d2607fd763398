// Small trees that do not keep to their tables are complained of, whatever way around them is taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "architecture/source_tree.h"

namespace bitplan::architecture {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A small project of two rooms: `upper` uses `lower`, which offers one header and keeps another.
class SmallTree : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() /
            ("bitplan-architecture-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    Write("include/bitplan/thing.h", "namespace bitplan {\nstruct Thing {};\nclass Hidden;\n}\n");
    Write("include/bitplan/fine.h", "");
    Write("include/bitplan/high.h", "namespace bitplan {\nstruct High {};\n}\n");
    Write("src/lower/include/lower/shown.h", "namespace bitplan::lower {\nstruct Shown {};\n}\n");
    Write("src/lower/kept.h", "namespace bitplan::lower {\nstruct Kept {};\n}\n");
    Write("src/lower/lower.cpp", "#include \"kept.h\"\n#include \"lower/shown.h\"\n#include \"bitplan/thing.h\"\n");
    Write("src/upper/upper.cpp", "#include \"lower/shown.h\"\n");
    links_.all = {{"lower", {}}, {"upper", {"lower", "torch", "fmt::fmt"}}};
    links_.shown = {{"lower", {}}, {"upper", {}}};
    links_.folders = {{"lower", root_ / "src/lower"}, {"upper", root_ / "src/upper"}};
    WriteTable("| `lower` | src/lower | | thing | |\n| `upper` | src/upper | lower | high | |\n");
  }

  void WriteTable(const std::string& rows) const {
    Write("docs/architecture.md",
          "## What may use what\n\nPublic headers of no room: `fine`.\n\n| room | folder | uses | headers | |\n"
          "|---|---|---|---|---|\n" +
              rows + "\n## Next\n");
  }

  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  SourceTree Tree() const { return {root_, links_}; }

  fs::path root_;
  Links links_;
};

TEST_F(SmallTree, IsInOrder) {
  EXPECT_THAT(Tree().CheckLinks(), IsEmpty());
  EXPECT_THAT(Tree().CheckIncludes(), IsEmpty());
  EXPECT_THAT(Tree().CheckPublicIncludes(), IsEmpty());
  EXPECT_THAT(Tree().CheckOffers(), IsEmpty());
  EXPECT_THAT(Tree().CheckOrder(), IsEmpty());
  EXPECT_THAT(Tree().CheckTypes(), IsEmpty());
}

TEST_F(SmallTree, OffersOnlyWhatOthersInclude) {
  Write("src/lower/include/lower/unseen.h", "");
  Write("src/lower/lower.cpp", "#include \"lower/unseen.h\"\n#include \"lower/shown.h\"\n");
  Write("tests/lower/lower_test.cpp", "#include \"lower/unseen.h\"\n");
  EXPECT_THAT(Tree().CheckOffers(), ElementsAre("lower offers lower/unseen.h, which no one else includes"));
  Write("tests/upper/upper_test.cpp", "#include \"lower/unseen.h\"\n");
  EXPECT_THAT(Tree().CheckOffers(), IsEmpty());
}

TEST_F(SmallTree, MayNotIncludeWhatAnotherRoomKeeps) {
  Write("src/upper/upper.cpp", "#include \"lower/kept.h\"\n");
  EXPECT_THAT(Tree().CheckIncludes(), ElementsAre(HasSubstr("upper.cpp includes lower/kept.h")));
}

TEST_F(SmallTree, MayNotIncludeFromARoomItDoesNotUse) {
  Write("src/lower/lower.cpp", "#include \"upper/shown.h\"\n");
  Write("src/upper/include/upper/shown.h", "");
  EXPECT_THAT(Tree().CheckIncludes(), ElementsAre(HasSubstr("lower.cpp includes upper/shown.h")));
}

TEST_F(SmallTree, MayNotIncludeByAPathAround) {
  Write("src/upper/upper.cpp", "#include \"../lower/kept.h\"\n");
  EXPECT_THAT(Tree().CheckIncludes(), ElementsAre(HasSubstr("upper.cpp includes ../lower/kept.h")));
}

TEST_F(SmallTree, MayNotOfferWhatIncludesItsOwn) {
  Write("src/lower/include/lower/shown.h", "#include \"kept.h\"\n");
  EXPECT_THAT(Tree().CheckIncludes(), ElementsAre(HasSubstr("shown.h includes kept.h")));
}

TEST_F(SmallTree, MayNotOfferWhatIncludesARoomThatItKeeps) {
  Write("src/upper/include/upper/shown.h", "#include \"lower/shown.h\"\n");
  EXPECT_THAT(Tree().CheckIncludes(),
              ElementsAre(HasSubstr("upper/shown.h includes lower/shown.h, but upper links lower privately")));
  links_.shown["upper"] = {"lower"};
  EXPECT_THAT(Tree().CheckIncludes(), IsEmpty());
}

TEST_F(SmallTree, MayNotShowARoomInAPublicHeader) {
  Write("include/bitplan/thing.h", "#include \"lower/shown.h\"\n");
  EXPECT_THAT(Tree().CheckIncludes(), ElementsAre(HasSubstr("thing.h includes lower/shown.h")));
}

TEST_F(SmallTree, MayNotLinkBesideItsTable) {
  links_.all["lower"] = {"upper"};
  EXPECT_THAT(Tree().CheckLinks(), ElementsAre(HasSubstr("lower links upper")));
}

TEST_F(SmallTree, LinksAllThatItsTableNames) {
  links_.all["upper"] = {};
  EXPECT_THAT(Tree().CheckLinks(), ElementsAre(HasSubstr("upper does not link lower")));
}

TEST_F(SmallTree, HasARowForEveryRoom) {
  links_.folders["third"] = root_ / "src/third";
  fs::create_directories(root_ / "src/third");
  EXPECT_THAT(Tree().CheckLinks(), ElementsAre(HasSubstr("third has no row")));
}

TEST_F(SmallTree, HasNoCircles) {
  WriteTable("| `lower` | x | upper | | |\n| `upper` | x | lower | | |\n");
  EXPECT_THAT(Tree().CheckOrder(), ElementsAre(HasSubstr("lower uses upper, whose row does not stand above its own")));
  WriteTable("| `lower` | x | lower | | |\n");
  EXPECT_THAT(Tree().CheckOrder(), ElementsAre(HasSubstr("lower uses lower")));
}

TEST_F(SmallTree, HasItsRowsInOrder) {
  WriteTable("| `upper` | src/upper | lower | high | |\n| `lower` | src/lower | | thing | |\n");
  EXPECT_THAT(Tree().CheckOrder(), ElementsAre(HasSubstr("upper uses lower")));
}

TEST_F(SmallTree, MayNotIncludeInAnotherSpelling) {
  for (const char* line : {"#include <lower/kept.h>", "  #include \"lower/kept.h\"", "#  include \"lower/kept.h\"",
                           "#include <../lower/kept.h>"}) {
    Write("src/upper/upper.cpp", std::string("#include \"lower/shown.h\"\n") + line + "\n");
    EXPECT_THAT(Tree().CheckIncludes(), ElementsAre(HasSubstr("kept.h, which upper does not see"))) << line;
  }
  Write("src/upper/upper.cpp", "#define HEADER \"lower/kept.h\"\n#include HEADER\n#include \"lower/shown.h\"\n");
  EXPECT_THAT(Tree().CheckIncludes(), ElementsAre(HasSubstr("upper.cpp includes HEADER")));
}

TEST_F(SmallTree, MayNotIncludeAPublicHeaderOfARoomThatItDoesNotReach) {
  Write("src/lower/lower.cpp", "#include \"lower/shown.h\"\n#include <bitplan/high.h>\n#include \"bitplan/fine.h\"\n");
  EXPECT_THAT(Tree().CheckPublicIncludes(),
              ElementsAre(HasSubstr("lower.cpp includes bitplan/high.h, which is of upper")));
}

TEST_F(SmallTree, HasARoomForEachPublicHeader) {
  Write("include/bitplan/stray.h", "");
  EXPECT_THAT(Tree().CheckPublicIncludes(), ElementsAre(HasSubstr("bitplan/stray.h is of 0 rooms")));
  WriteTable("| `lower` | src/lower | | thing, stray | |\n| `upper` | src/upper | lower | high, stray, gone | |\n");
  EXPECT_THAT(Tree().CheckPublicIncludes(),
              ElementsAre(HasSubstr("bitplan/stray.h is of 2 rooms"), HasSubstr("bitplan/gone.h, which is not there")));
}

TEST_F(SmallTree, MayNotIncludeLibTorchWithoutALinkThatReachesIt) {
  Write("src/upper/upper.cpp", "#include \"lower/shown.h\"\n#include <ATen/ATen.h>\n");
  EXPECT_THAT(Tree().CheckPublicIncludes(), IsEmpty());
  Write("src/lower/lower.cpp", "#include \"lower/shown.h\"\n#include <torch/torch.h>\n");
  EXPECT_THAT(Tree().CheckPublicIncludes(), ElementsAre(HasSubstr("lower.cpp includes torch/torch.h")));
  Write("src/lower/lower.cpp", "#include \"lower/shown.h\"\n");
  Write("src/lower/include/lower/shown.h", "#include <c10/core/Device.h>\n");  // offered to rooms that see LibTorch
  EXPECT_THAT(Tree().CheckPublicIncludes(),
              ElementsAre(HasSubstr("lower.cpp includes lower/shown.h, which includes c10/core/Device.h")));
}

// The two pairs that once stood in this project, of which one ended in a double free.
TEST_F(SmallTree, MayNotDefineATypeTwice) {
  Write("include/bitplan/train.h",
        "namespace bitplan {\n/// What diverged.\nstruct Divergence {\n  double loss = 0;\n};\n}\n");
  Write("src/lower/divergence.h",
        "namespace bitplan {\nclass Divergence {\n public:\n  explicit Divergence(int bins);\n};\n}\n");
  Write("src/lower/grid.h", "namespace bitplan {\nstruct IntegerGrid { int bits; };\n}\n");
  Write("src/upper/integer_grid.h", "namespace bitplan {\nclass IntegerGrid final : public Grid<int> {\n};\n}\n");
  EXPECT_THAT(Tree().CheckTypes(),
              testing::IsSupersetOf(
                  {HasSubstr("bitplan::Divergence is defined in include/bitplan/train.h and in src/lower/divergence.h"),
                   HasSubstr("bitplan::IntegerGrid is defined in src/lower/grid.h and in src/upper/integer_grid.h")}));
}

TEST_F(SmallTree, KeepsItsTypesInItsNamespace) {
  Write("src/lower/kept.h", "namespace bitplan {\nstruct Kept {};\n}\n");
  EXPECT_THAT(Tree().CheckTypes(), ElementsAre(HasSubstr("bitplan::Kept stands in src/lower/kept.h")));
}

TEST_F(SmallTree, MayNotPutItsTypesIntoAnotherNamespace) {
  Write("src/upper/upper.cpp",
        "namespace bitplan::lower {\nenum class Strange { One };\n}\nstruct Global {};\n"
        "namespace bitplan::upper::inner {\nstruct Own {};\n}\nnamespace {\nstruct Hidden {};\n}\n");
  EXPECT_THAT(Tree().CheckTypes(), ElementsAre(HasSubstr("bitplan::lower::Strange stands in src/upper/upper.cpp"),
                                               HasSubstr("Global stands in")));
}

TEST_F(SmallTree, MayDefineInARoomWhatAPublicHeaderDeclares) {
  Write("src/lower/kept.h", "namespace bitplan {\nclass Hidden {};\n}\n");
  EXPECT_THAT(Tree().CheckTypes(), IsEmpty());
}

}  // namespace
}  // namespace bitplan::architecture
