// quantize --export NAME=FILE: every exporter by its name, beside --out and --packed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kByHand = "quantize resnet20.pt --weight-bits 4 --output-correction none ";

TEST(ExportOption, WritesWhatOutAndPackedWrite) {
  const Workspace work;
  const ToolRun run = work.Run(kByHand +
                               "--out q.pt --packed p.safetensors --export packed=p2.safetensors --export "
                               "torchscript=q2.pt --json r.json");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(work.Read("q.pt") == work.Read("q2.pt"));
  EXPECT_TRUE(work.Read("p.safetensors") == work.Read("p2.safetensors"));
  EXPECT_THAT(run.out, AllOf(HasSubstr("p2.safetensors: "), HasSubstr("bytes, torchscript")));
  const auto report = nlohmann::json::parse(work.Read("r.json"));
  ASSERT_EQ(report.at("exports").size(), 2u);
  EXPECT_EQ(report["exports"][0].at("name"), "packed");
  EXPECT_EQ(report["exports"][0].at("size_bytes"), report.at("packed_size_bytes"));
  EXPECT_EQ(report["exports"][1].at("name"), "torchscript");
  EXPECT_EQ(report["exports"][1].at("sha256"), report.at("quantized_sha256"));
}

TEST(ExportOption, AloneIsEnough) {
  const Workspace work;
  const std::size_t before = work.Files();
  const ToolRun run = work.Run(kByHand + "--export packed=p.safetensors");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(work.Files(), before + 1);
}

TEST(ExportOption, ListsTheNamesInHelpAndWhereOneIsUnknown) {
  const Workspace work;
  EXPECT_THAT(work.Run("quantize --help").out, AllOf(HasSubstr("torchscript ("), HasSubstr("packed (")));
  for (const char* wrong : {"onyx=q", "packed", "=q", "packed="}) {
    const ToolRun run = work.Run(kByHand + "--export " + wrong);
    EXPECT_EQ(run.code, 2) << wrong;
    EXPECT_THAT(run.err, AllOf(HasSubstr("--export " + std::string(wrong)), HasSubstr("torchscript, packed")));
  }
  EXPECT_THAT(work.Run(kByHand + "--export packed=no/such/folder/p").err, HasSubstr("no/such/folder"));
}

}  // namespace
}  // namespace bitplan::test
