#include "architecture/type_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitplan::architecture {
namespace {

using testing::ElementsAre;

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
