#include "table.h"

#include <gtest/gtest.h>

namespace bitplan::cli {
namespace {

TEST(Table, AlignsNumbersToTheRightAndTextToTheLeft) {
  Table table({"layer", "bits"});
  table.Add({"conv1", "8"});
  table.Add({"fc", "16"});
  EXPECT_EQ(table.Text(), "layer  bits\nconv1     8\nfc       16\n");
}

TEST(Table, CountsCharactersAndNotBytes) {
  Table table({"loss", "±", "–", "kept"});
  table.Add({"0.5", "1", "2", "yes"});
  table.Add({"0.25", "3", "4", "no"});
  EXPECT_EQ(table.Text(), "loss  ±  –  kept\n 0.5  1  2  yes\n0.25  3  4  no\n");
}

TEST(Table, CellsOfManyBytesWidenNoColumn) {
  Table table({"couche", "what"});
  table.Add({"éèêàç", "a"});
  table.Add({"layer1", "b"});
  EXPECT_EQ(table.Text(), "couche  what\néèêàç   a\nlayer1  b\n");
  Table wide({"name", "what"});  // a character of two columns
  wide.Add({"層", "a"});
  EXPECT_EQ(wide.Text(), "name  what\n層    a\n");
}

}  // namespace
}  // namespace bitplan::cli
