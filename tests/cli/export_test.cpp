// quantize --export NAME=FILE: every exporter by its name, beside --out and --packed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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

/// A workspace with a plan: 4-bit weights, 8-bit inputs.
class ExportCommand : public testing::Test {
 protected:
  ExportCommand() {
    EXPECT_EQ(work_
                  .Run("analyze resnet20.pt --data cifar10:train.bin --samples 8 --measures relative-error "
                       "--weight-bits 4 --activation-bits 8 --out s.json")
                  .code,
              0);
    EXPECT_EQ(work_.Run("search s.json --budget weight_size=20% --measure relative-error --out plan.json").code, 0);
    before_ = work_.Files();
  }

  /// One line on stderr that has all of `parts`, and no new file.
  void ExpectRefused(const std::string& arguments, const std::vector<std::string>& parts) const {
    const ToolRun run = work_.Run("export " + arguments);
    EXPECT_EQ(run.code, 2) << arguments << run.err;
    for (const std::string& part : parts) EXPECT_THAT(run.err, HasSubstr(part)) << arguments;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    EXPECT_EQ(work_.Files(), before_) << arguments;
  }

  const Workspace work_;
  std::size_t before_ = 0;
};

TEST_F(ExportCommand, WritesWhatQuantizeWrites) {
  const std::string data = " --calibration cifar10:train.bin --calibration-samples 8 ";
  ASSERT_EQ(work_.Run("quantize resnet20.pt plan.json" + data + "--out q.pt").code, 0);
  const ToolRun run =
      work_.Run("export plan.json resnet20.pt" + data + "--to torchscript=t.pt --to packed=p --json r.json");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(work_.Read("q.pt") == work_.Read("t.pt"));
  const auto report = nlohmann::json::parse(work_.Read("r.json"));
  EXPECT_EQ(report.at("schema"), "bitplan.quantization/1");
  EXPECT_EQ(report.at("exports").at(1).at("name"), "packed");
}

TEST_F(ExportCommand, OfWidthsAloneNeedsNoData) {
  work_.Write("elsewhere.json", work_.Read("plan.json"));
  const ToolRun run = work_.Run("export elsewhere.json resnet20.pt --to hawq=b.py --calibration cifar10:no_such.bin");
  EXPECT_THAT(run.err, HasSubstr("hawq has no place for"));  // the names of this network, and no word of data
  EXPECT_THAT(work_.Run("export plan.json resnet20.pt --to aimet=e --calibration cifar10:no_such.bin").err,
              HasSubstr("--output-correction none"));
}

TEST_F(ExportCommand, CarriesScalesOfAPlanWithoutCorrections) {
  const ToolRun run = work_.Run(
      "export plan.json resnet20.pt --calibration cifar10:train.bin --calibration-samples 8 "
      "--output-correction none --to aimet=e.json");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("batch norm folded"));
  const auto written = nlohmann::json::parse(work_.Read("e.json"));
  EXPECT_EQ(written.at("param_encodings").size(), 20u);
  EXPECT_EQ(written.at("activation_encodings").size(), 20u);
}

TEST_F(ExportCommand, RefusesByLayerToolAndReasonAndLeavesNoFile) {
  const std::string model = "plan.json resnet20.pt --output-correction none --calibration cifar10:train.bin ";
  ExpectRefused(model + "--to packed=p --to modelopt=m.json", {"layer conv1", "modelopt", "asymmetric integers"});
  ExpectRefused(model + "--to torchao=t.json", {"layer conv1", "torchao", "conv2d"});
  ExpectRefused(model + "--to aimet=e --for 3.0", {"--for 3.0", "torch, 1.0.0, 2.0.0"});
  ExpectRefused(model + "--to packed=p --for torch", {"--for torch", "packed has no use for it"});
  ExpectRefused(model + "--to packed=p --from resnet20.pt", {"--from resnet20.pt", "packed has no use for it"});
  ExpectRefused(model + "--to packed=plan.json", {"--to packed would overwrite plan.json"});
  ExpectRefused("plan.json resnet20.pt", {"--to is missing"});
  ExpectRefused("--to packed=p", {"plan.json is missing"});
}

TEST(ExportCommandAlone, ListsWhatExportersCarry) {
  const Workspace work;
  const ToolRun run = work.Run("export --list --json l.json");
  ASSERT_EQ(run.code, 0) << run.err;
  const auto written = nlohmann::json::parse(work.Read("l.json"));
  EXPECT_EQ(written.at("schema"), "bitplan.exporters/1");
  for (const auto& exporter : written.at("exporters")) {
    EXPECT_THAT(run.out, HasSubstr(exporter.at("name").get<std::string>() + ": "));
    EXPECT_THAT(run.out, HasSubstr(exporter.at("refuses").get<std::string>()));
  }
}

}  // namespace
}  // namespace bitplan::test
