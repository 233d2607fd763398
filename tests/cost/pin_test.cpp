#include <gtest/gtest.h>

#include <set>

#include "bitplan/cost.h"
#include "cost/error_message.h"
#include "cost/example_layers.h"

namespace bitplan::cost {
namespace {

TEST(ParsePin, ReadsEveryForm) {
  struct PinSpelling {
    const char* text;
    const char* pattern;
    std::vector<int> weight_bits, activation_bits;
  };
  for (const PinSpelling& each : {PinSpelling{"first=8", "first", {8}, {}},
                                  {"last=w4", "last", {4}, {}},
                                  {"linear=a8", "linear", {}, {8}},
                                  {"layer1.*.conv?=w2a16", "layer1.*.conv?", {2}, {16}},
                                  {"linear=4,8", "linear", {4, 8}, {}},
                                  {"linear=w2,3a8,16", "linear", {2, 3}, {8, 16}},
                                  {"a=b=32", "a=b", {32}, {}}}) {
    const Pin pin = ParsePin(each.text);
    EXPECT_EQ(pin.pattern, each.pattern) << each.text;
    EXPECT_EQ(pin.weight_bits, each.weight_bits) << each.text;
    EXPECT_EQ(pin.activation_bits, each.activation_bits) << each.text;
  }
}

TEST(ParsePin, RefusesNonsenseInOneLineThatShowsTheForm) {
  for (const char* text : {"",         "=",           "first",     "first=",      "=8",        "first=w",
                           "first=a",  "first=wa",    "first=w8a", "first=a8w8",  "first=9",   "first=0",
                           "first=33", "first=w4a12", "first=-8",  "first=8bits", "first=8.0", "first=99999999999",
                           "first= 8", "first=w8w8",  "first=8a8", "first=4,",    "first=,4",  "first=w4,a8"})
    EXPECT_THAT([&] { ParsePin(text); }, OneLineError("keep '", text, "LAYER=w8a8")) << text;
}

TEST(ParsePin, TakesAPatternOfAnyLength) {
  EXPECT_EQ(ParsePin(std::string(1'000'000, 'x') + "=8").pattern.size(), 1'000'000U);
}

/// Weight and activation widths that a problem with these pins offers, by layer.
std::map<std::string, std::set<std::string>> Offered(const Sensitivity& sensitivity,
                                                     const std::vector<std::string>& pins) {
  ProblemOptions options;
  for (const std::string& pin : pins) options.pins.push_back(ParsePin(pin));
  std::map<std::string, std::set<std::string>> offered;
  for (const Group& group : MakeProblem(sensitivity, options).groups)
    for (const Choice& choice : group.choices) offered[group.name].insert(choice.name);
  return offered;
}

const std::set<std::string> kAll = {"w2a8", "w2a32", "w4a8", "w4a32", "w8a8", "w8a32"};
const std::set<std::string> kWeight8 = {"w8a8", "w8a32"};

TEST(Pin, OnWeightsLeavesActivationsFreeAndTheOtherWayRound) {
  const auto offered = Offered(ExampleSensitivity(), {"conv1=8", "linear=a8"});
  EXPECT_EQ(offered.at("conv1"), kWeight8);
  EXPECT_EQ(offered.at("linear"), (std::set<std::string>{"w2a8", "w4a8", "w8a8"}));
  EXPECT_EQ(offered.at("block.conv1"), kAll);
}

TEST(Pin, OfSeveralWidthsLeavesThoseToChooseFrom) {
  const auto offered = Offered(ExampleSensitivity(), {"conv2d=2,8", "linear=w4,8a8"});
  EXPECT_EQ(offered.at("conv1"), (std::set<std::string>{"w2a8", "w2a32", "w8a8", "w8a32"}));
  EXPECT_EQ(offered.at("linear"), (std::set<std::string>{"w4a8", "w8a8"}));
}

TEST(Pin, OnFirstAndLastNamesThoseLayers) {
  const auto offered = Offered(ExampleSensitivity(), {"first=8", "last=w4a8"});
  EXPECT_EQ(offered.at("conv1"), kWeight8);
  EXPECT_EQ(offered.at("linear"), std::set<std::string>{"w4a8"});
  EXPECT_EQ(offered.at("block.conv2"), kAll);
}

TEST(Pin, OnALayerCalledFirstIsThatLayer) {
  Sensitivity sensitivity = ExampleSensitivity();
  sensitivity.layers[2].name = "first";
  const auto offered = Offered(sensitivity, {"first=8"});
  EXPECT_EQ(offered.at("first"), kWeight8);
  EXPECT_EQ(offered.at("conv1"), kAll);
}

TEST(Pin, OnAnOperatorNamesAllOfItsLayers) {
  const auto offered = Offered(ExampleSensitivity(), {"conv2d=8"});
  for (const char* name : {"conv1", "block.conv1", "block.conv2"}) EXPECT_EQ(offered.at(name), kWeight8);
  EXPECT_EQ(offered.at("linear"), kAll);
}

TEST(Pin, OnANameWinsOverTheOperatorOfThatName) {
  Sensitivity sensitivity = ExampleSensitivity();
  sensitivity.layers[0].name = "conv2d";
  const auto offered = Offered(sensitivity, {"conv2d=8"});
  EXPECT_EQ(offered.at("conv2d"), kWeight8);
  EXPECT_EQ(offered.at("block.conv1"), kAll);
}

TEST(Pin, WithWildcardsNamesLayersBeforeOperators) {
  auto offered = Offered(ExampleSensitivity(), {"block.*=8"});
  EXPECT_EQ(offered.at("block.conv1"), kWeight8);
  EXPECT_EQ(offered.at("block.conv2"), kWeight8);
  EXPECT_EQ(offered.at("conv1"), kAll);
  offered = Offered(ExampleSensitivity(), {"block.conv?=8", "*conv1=w2"});
  EXPECT_EQ(offered.at("block.conv1"), (std::set<std::string>{"w2a8", "w2a32"}));
  EXPECT_EQ(offered.at("block.conv2"), kWeight8);
  EXPECT_EQ(offered.at("conv1"), (std::set<std::string>{"w2a8", "w2a32"}));
}

TEST(Pin, LaterWinsOverEarlier) {
  EXPECT_EQ(Offered(ExampleSensitivity(), {"conv1=2,8", "*=8"}).at("conv1"), kWeight8);
  EXPECT_EQ(Offered(ExampleSensitivity(), {"conv2d=2", "conv1=8"}).at("conv1"), kWeight8);
  EXPECT_EQ(Offered(ExampleSensitivity(), {"*=8", "conv1=w2a8"}).at("conv1"), std::set<std::string>{"w2a8"});
}

TEST(Pin, ThatLaterOnesContradictThroughoutIsAnError) {
  const auto refused = [](const std::vector<std::string>& pins) {
    return [pins] { Offered(ExampleSensitivity(), pins); };
  };
  EXPECT_THAT(refused({"first=8", "first=4"}), OneLineError("keep first=w8", "contradicted by keep first=w4"));
  EXPECT_THAT(refused({"conv1=2", "*=8"}), OneLineError("keep conv1=w2", "keep *=w8"));
  EXPECT_THAT(refused({"first=8", "linear=a8", "conv1=2"}), OneLineError("keep first=w8", "keep conv1=w2"));
  EXPECT_THAT(refused({"linear=w2a8", "linear=a32"}), OneLineError("keep linear=w2a8", "keep linear=a32"));
  EXPECT_NO_THROW(refused({"linear=w2", "linear=a8", "linear=2,4"})());
}

TEST(Pin, OnWhatIsNotThereOrWasNotAnalyzedIsAnError) {
  EXPECT_THAT([] { Offered(ExampleSensitivity(), {"conv9=8"}); }, OneLineError("conv9", "no layer or operator"));
  EXPECT_THAT([] { Offered(ExampleSensitivity(), {"conv1=3"}); }, OneLineError("conv1", "2, 4, 8", "not 3"));
  EXPECT_THAT([] { Offered(ExampleSensitivity(), {"conv1=a4"}); }, OneLineError("conv1", "8, 32", "not 4"));
}

TEST(Pin, OnActivationsSkipsLayersWithoutAnInputUnlessNamedExactly) {
  Sensitivity sensitivity = ExampleSensitivity();
  sensitivity.layers[1].input_count = 0;
  sensitivity.layers[1].activation_choices = Choices({32}, 0);
  for (const char* pin : {"conv2d=a8", "*=a8", "block.*=a8"}) {
    const auto offered = Offered(sensitivity, {pin});
    EXPECT_EQ(offered.at("block.conv1"), (std::set<std::string>{"w2a32", "w4a32", "w8a32"})) << pin;
    EXPECT_EQ(offered.at("block.conv2"), (std::set<std::string>{"w2a8", "w4a8", "w8a8"})) << pin;
  }
  EXPECT_THAT([&] { Offered(sensitivity, {"block.conv1=a8"}); }, OneLineError("block.conv1", "32", "not 8"));
}

}  // namespace
}  // namespace bitplan::cost
