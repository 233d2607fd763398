// The project's own sources keep to docs/architecture.md. small_tree_test.cpp shows that trees that do not are
// complained of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "architecture/source_tree.h"

namespace bitplan::architecture {
namespace {

using testing::IsEmpty;

const SourceTree& Project() {
  static const SourceTree tree(BITPLAN_SOURCE_DIR, ReadLinks(BITPLAN_LINKS));
  return tree;
}

TEST(Architecture, HasARoomForEachRowOfItsTable) { EXPECT_GT(Project().rooms().size(), 20U); }

TEST(Architecture, RoomsLinkWhatTheTableNames) { EXPECT_THAT(Project().CheckLinks(), IsEmpty()); }

TEST(Architecture, RoomsIncludeOnlyWhatIsOfferedToThem) { EXPECT_THAT(Project().CheckIncludes(), IsEmpty()); }

TEST(Architecture, RoomsIncludePublicHeadersAndLibTorchOnlyWhereTheirRowsReachThem) {
  EXPECT_THAT(Project().CheckPublicIncludes(), IsEmpty());
}

TEST(Architecture, RoomsOfferOnlyWhatOthersInclude) { EXPECT_THAT(Project().CheckOffers(), IsEmpty()); }

TEST(Architecture, RoomsUseOnlyRoomsAboveThem) { EXPECT_THAT(Project().CheckOrder(), IsEmpty()); }

TEST(Architecture, EveryTypeIsDefinedOnceInItsRoomsNamespace) { EXPECT_THAT(Project().CheckTypes(), IsEmpty()); }

}  // namespace
}  // namespace bitplan::architecture
