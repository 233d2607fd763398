#include "architecture/links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitplan::architecture {
namespace {

// The rooms of this folder's CMakeLists.txt, each of which links the room example_lower in another way.
TEST(Links, AreFoundInEverySpelling) {
  const Links links = ReadLinks(BITPLAN_EXAMPLE_LINKS);
  for (const char* how :
       {"plain", "beside", "alias", "expression", "conditional", "helper", "file", "property", "shown"}) {
    const std::string room = std::string("example_") + how;
    ASSERT_TRUE(links.all.contains(room)) << how;
    EXPECT_TRUE(links.all.at(room).contains("example_lower")) << how;
  }
  EXPECT_FALSE(links.shown.at("example_plain").contains("example_lower"));
  EXPECT_TRUE(links.shown.at("example_shown").contains("example_lower"));
  EXPECT_FALSE(links.all.at("example_lower").contains("example_lower"));
}

}  // namespace
}  // namespace bitplan::architecture
