// Plans that were made on images, whose preparation they remember.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

TEST(ImagesOfAPlan, ArePreparedAsThoseItWasMadeOn) {
  const Workspace work;
  fs::create_directories(work / "images/cat");
  fs::create_directories(work / "images/dog");
  for (const char* name : {"cat/plain.jpg", "cat/lossy.webp", "dog/progressive.jpg", "dog/gray.png"})
    fs::copy_file(fs::path(BITPLAN_TEST_DIR) / "data/images" / fs::path(name).filename(), work / "images" / name);
  fs::copy_file(fs::path(BITPLAN_EXAMPLES_DIR) / "cifar10/resnet20.pt", work / "rimages.pt");
  const auto done = [&](const std::string& arguments) {
    const ToolRun run = work.Run(arguments);
    EXPECT_EQ(run.code, 0) << run.err;
    return run;
  };
  const std::string prepared = " --resize 36 --crop 32 --interpolation bicubic --mean 0.5,0.4,0.3 --std 0.2,0.3,0.4 ";
  done("analyze rimages.pt --data images:images" + prepared +
       "--measures relative-error --weight-bits 4,8 --out si.json");
  done("search si.json --measure relative-error --budget weight_size=15% --out pi.json");
  const json data = json::parse(std::ifstream(work / "pi.json"))["data"];
  EXPECT_EQ(data["resize"], 36);
  EXPECT_EQ(data["crop"], 32);
  EXPECT_EQ(data["interpolation"], "bicubic");
  const auto evaluate = [&](const std::string& options) {
    return json::parse(done("eval rimages.pt --plan pi.json --data images:images --json - " + options).out);
  };
  EXPECT_EQ(evaluate(""), evaluate(prepared));
  done("quantize rimages.pt pi.json --out qi.pt");  // reads the images anew, for the output correction
  const ToolRun other = done("eval rimages.pt --plan pi.json --data images:images --resize 40");
  EXPECT_THAT(other.err, testing::HasSubstr("--resize 40: the plan was made on data prepared with 36"));
}

}  // namespace
}  // namespace bitplan::test
