#include "architecture/includes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitplan::architecture {
namespace {

TEST(Includes, AreFoundInEverySpelling) {
  EXPECT_THAT(
      FindIncludes("#include \"a/plain.h\"\n"
                   "  #include \"a/indented.h\"\n"
                   "#  include \"a/spaced.h\"\n"
                   "#include<a/brackets.h>\n"
                   "\t# include\t<a/tabs.h>  // why\n"
                   "#/* so */include /* or */ \"a/comments.h\"\n"
                   "#inc\\\nlude \"a/continued.h\"\n"
                   "%:include \"a/digraph.h\"\n"
                   "#import \"a/imported.h\"\n"
                   "#include_next <a/next.h>\r\n"
                   "#include A_MACRO"),
      testing::ElementsAre("a/plain.h", "a/indented.h", "a/spaced.h", "a/brackets.h", "a/tabs.h", "a/comments.h",
                           "a/continued.h", "a/digraph.h", "a/imported.h", "a/next.h", "A_MACRO"));
}

TEST(Includes, AreNotFoundInCommentsAndTexts) {
  EXPECT_THAT(FindIncludes("// #include \"a.h\"\n/*\n#include \"b.h\"\n*/\nconst char* c = \"#include <c.h>\";\n"
                           "#define included \"d.h\"\n#if __has_include(\"e.h\")\n#endif\n"),
              testing::IsEmpty());
}

}  // namespace
}  // namespace bitplan::architecture
