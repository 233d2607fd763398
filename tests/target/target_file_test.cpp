#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bitplan/error.h"
#include "bitplan/target.h"
#include "files/temporary_folder.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

std::string MessageOf(const std::string& target) {
  try {
    ReadTarget(target);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

json Good() {
  const json numbers{{"type", "integer"},
                     {"scheme", "symmetric"},
                     {"scale_type", "float32"},
                     {"narrow_range", false},
                     {"reduce_range", false}};
  json weight = numbers;
  weight["granularity"] = "channel";
  return {{"schema", "bitplan.target/1"},
          {"name", "mine"},
          {"source", "this test"},
          {"weight", weight},
          {"activation", numbers},
          {"layers", {{"conv2d", {{"weight_bits", {8, 4}}, {"input_bits", {8}}}}}},
          {"first_layer", nullptr},
          {"last_layer", {{"weight_bits", {8}}, {"input_bits", {32}}}},
          {"operators", {{"add", {{"bits", {8}}, {"operands", "one"}}}}}};
}

class TargetFile : public ::testing::Test {
 protected:
  void ExpectRefused(const json& bad, const std::string& key, const std::string& expected) const {
    const auto file = folder.Put("bad.json", bad.dump());
    EXPECT_THAT(MessageOf(file.string()), AllOf(HasSubstr("bad.json"), HasSubstr(key), HasSubstr(expected)));
  }

  const TemporaryFolder folder;
};

TEST_F(TargetFile, IsRead) {
  const Target target = ReadTarget(folder.Put("mine.json", Good().dump()).string());
  EXPECT_EQ(target.name, "mine");
  EXPECT_EQ(target.weight.granularity, Granularity::Channel);
  EXPECT_EQ(target.activation.scheme, Scheme::Symmetric);
  EXPECT_EQ(target.layers.at("conv2d").weight_bits, (std::vector<int>{8, 4}));
  EXPECT_FALSE(target.first_layer.has_value());
  EXPECT_EQ(target.last_layer->input_bits, std::vector<int>{32});
  EXPECT_TRUE(target.operators.at("add").fused);
}

TEST_F(TargetFile, OfEveryShippedTargetIsRead) {
  EXPECT_EQ(TargetNames().size(), 9U);
  for (const std::string& name : TargetNames()) {
    EXPECT_EQ(ReadTarget(name).name, name);
    EXPECT_FALSE(ReadTarget(name).source.empty());
  }
  EXPECT_EQ(ReadTarget("tvm").weight.scale_type, ScaleType::PowerOfTwo);
  EXPECT_EQ(ReadTarget("tvm").activation.scale_type, ScaleType::PowerOfTwo);
}

TEST_F(TargetFile, WithKeysThatAreMissingOrUnknownIsRefused) {
  const json good = Good();
  for (const auto& [key, value] : good.items()) {
    json without = Good();
    without.erase(key);
    ExpectRefused(without, key, "");
  }
  json more = Good();
  more["cores"] = 4;
  ExpectRefused(more, "cores", "");
  more = Good();
  more["weight"]["calibrator"] = "max";
  ExpectRefused(more, "weight.calibrator", "");
  more = Good();
  more["operators"]["add"]["fused"] = true;
  ExpectRefused(more, "operators.add.fused", "");
}

TEST_F(TargetFile, WithOperatorsThatThereAreNotIsRefused) {
  json bad = Good();
  bad["layers"]["conv7d"] = bad["layers"]["conv2d"];
  ExpectRefused(bad, "layers.conv7d", "conv_transpose2d");
  bad = Good();
  bad["operators"]["adding"] = bad["operators"]["add"];
  ExpectRefused(bad, "operators.adding", "layer_norm");
  bad = Good();
  bad["operators"]["softmax"] = {{"bits", {8}}, {"operands", "one"}};
  ExpectRefused(bad, "operators.softmax.operands", "only additions");
  bad = Good();
  bad["operators"]["add"]["operands"] = "some";
  ExpectRefused(bad, "operators.add.operands", "all");
}

TEST_F(TargetFile, WithWidthsThatTheNumbersHaveNotIsRefused) {
  json bad = Good();
  bad["layers"]["conv2d"]["weight_bits"] = {9};
  ExpectRefused(bad, "layers.conv2d.weight_bits", "1 to 8, 16 and 32");
  bad["layers"]["conv2d"]["weight_bits"] = {7.5};
  ExpectRefused(bad, "layers.conv2d.weight_bits", "1 to 8, 16 and 32");
  bad["layers"]["conv2d"]["weight_bits"] = json::array();
  ExpectRefused(bad, "layers.conv2d.weight_bits", "one width or more");
  bad = Good();
  bad["weight"]["type"] = "e4m3";
  ExpectRefused(bad, "layers.conv2d.weight_bits", "e4m3");  // 4 of them
  bad = Good();
  bad["activation"]["type"] = "ternary";
  ExpectRefused(bad, "input_bits", "ternary");
}

TEST_F(TargetFile, ThatIsNotThereIsRefusedWithTheNamesThereAre) {
  EXPECT_THAT(MessageOf("tensorflow"), AllOf(HasSubstr("tensorflow"), HasSubstr("tensorrt"), HasSubstr("academic")));
  EXPECT_THAT(MessageOf(folder.path().string()), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace bitplan::test
