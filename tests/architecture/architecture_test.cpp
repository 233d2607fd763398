// The project's own sources keep to docs/architecture.md; and trees that do not are complained of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "architecture/source_tree.h"
#include "architecture/type_names.h"

namespace bitplan::architecture {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SourceTree Project() { return SourceTree(BITPLAN_SOURCE_DIR); }

TEST(Architecture, HasARoomForEachRowOfItsTable) { EXPECT_GT(Project().rooms().size(), 20U); }

TEST(Architecture, RoomsLinkWhatTheTableNames) { EXPECT_THAT(Project().CheckLinks(), IsEmpty()); }

TEST(Architecture, RoomsIncludeOnlyWhatIsOfferedToThem) { EXPECT_THAT(Project().CheckIncludes(), IsEmpty()); }

TEST(Architecture, RoomsOfferOnlyWhatOthersInclude) { EXPECT_THAT(Project().CheckOffers(), IsEmpty()); }

TEST(Architecture, NoRoomUsesItself) { EXPECT_THAT(Project().CheckOrder(), IsEmpty()); }

TEST(Architecture, EveryTypeIsDefinedOnceInItsRoomsNamespace) { EXPECT_THAT(Project().CheckTypes(), IsEmpty()); }

/// A small project of two rooms: `upper` uses `lower`, which offers one header and keeps another.
class SmallTree : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() /
            ("bitplan-architecture-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    Write("include/bitplan/thing.h", "namespace bitplan {\nstruct Thing {};\nclass Hidden;\n}\n");
    Write("src/lower/CMakeLists.txt", "bitplan_room(lower\n  SOURCES lower.cpp)\n");
    Write("src/lower/include/lower/shown.h", "namespace bitplan::lower {\nstruct Shown {};\n}\n");
    Write("src/lower/kept.h", "namespace bitplan::lower {\nstruct Kept {};\n}\n");
    Write("src/lower/lower.cpp", "#include \"kept.h\"\n#include \"lower/shown.h\"\n#include \"bitplan/thing.h\"\n");
    Write("src/upper/CMakeLists.txt", "bitplan_room(upper\n  SOURCES upper.cpp\n  PRIVATE bitplan_lower fmt::fmt)\n");
    Write("src/upper/upper.cpp", "#include \"lower/shown.h\"\n");
    Write("docs/architecture.md",
          "## What may use what\n\n| room | folder | uses |\n|---|---|---|\n| `lower` | src/lower | |\n| `upper` | "
          "src/upper | lower |\n\n## Next\n");
  }

  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  SourceTree Tree() const { return SourceTree(root_); }

  fs::path root_;
};

TEST_F(SmallTree, IsInOrder) {
  EXPECT_THAT(Tree().CheckLinks(), IsEmpty());
  EXPECT_THAT(Tree().CheckIncludes(), IsEmpty());
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
  Write("src/upper/CMakeLists.txt",
        "bitplan_room(upper\n  SOURCES upper.cpp\n  PUBLIC bitplan_lower\n  PRIVATE fmt::fmt)\n");
  EXPECT_THAT(Tree().CheckIncludes(), IsEmpty());
}

TEST_F(SmallTree, MayNotShowARoomInAPublicHeader) {
  Write("include/bitplan/thing.h", "#include \"lower/shown.h\"\n");
  EXPECT_THAT(Tree().CheckIncludes(), ElementsAre(HasSubstr("thing.h includes lower/shown.h")));
}

TEST_F(SmallTree, MayNotLinkBesideItsTable) {
  Write("src/lower/CMakeLists.txt", "bitplan_room(lower\n  SOURCES lower.cpp\n  PUBLIC bitplan_upper)\n");
  EXPECT_THAT(Tree().CheckLinks(), ElementsAre(HasSubstr("lower links upper")));
}

TEST_F(SmallTree, LinksAllThatItsTableNames) {
  Write("src/upper/CMakeLists.txt", "bitplan_room(upper\n  SOURCES upper.cpp)\n");
  EXPECT_THAT(Tree().CheckLinks(), ElementsAre(HasSubstr("upper does not link lower")));
}

TEST_F(SmallTree, HasARowForEveryRoom) {
  Write("src/third/CMakeLists.txt", "bitplan_room(third)\n");
  EXPECT_THAT(Tree().CheckLinks(), ElementsAre(HasSubstr("third has no row")));
}

TEST_F(SmallTree, HasNoCircles) {
  Write("docs/architecture.md", "## What may use what\n\n| `lower` | x | upper |\n| `upper` | x | lower |\n");
  EXPECT_THAT(Tree().CheckOrder(), ElementsAre(HasSubstr("lower uses itself"), HasSubstr("upper uses itself")));
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

TEST_F(SmallTree, MayDefineInARoomWhatAPublicHeaderDeclares) {
  Write("src/lower/kept.h", "namespace bitplan {\nclass Hidden {};\n}\n");
  EXPECT_THAT(Tree().CheckTypes(), IsEmpty());
}

TEST(TypeNames, AreThoseThatOtherFilesSee) {
  const TypeNames names = FindTypes(R"(
#define X struct Never {
namespace a::b {
// struct Comment {};
class Declared;
enum class Kind : int { One, Two };
template <class T, typename U = struct Tag>
struct Box final : public Base<T> {
  struct Inner { int x[2] = {1'000, '{'}; };
  const char* text = "struct Literal {";
  void Method(struct Argument* argument) { struct Local {}; }
};
struct Outer::Impl {};
namespace { struct Anonymous {}; }
void Function() { class Local {}; }
}
struct Global {};
)");
  EXPECT_THAT(names.defined, ElementsAre("a::b::Kind", "a::b::Box", "a::b::Box::Inner", "a::b::Outer::Impl", "Global"));
  EXPECT_THAT(names.declared, testing::Contains("a::b::Declared"));
}

}  // namespace
}  // namespace bitplan::architecture
