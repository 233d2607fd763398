#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using testing::ElementsAre;

std::vector<std::string> SiteNames(const Network& network) {
  std::vector<std::string> names;
  for (const Site& site : network.sites()) names.push_back(site.name);
  return names;
}

int SiteIndex(const Network& network, const std::string& name) {
  const std::vector<std::string> names = SiteNames(network);
  return static_cast<int>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::size_t VisitsOf(const Recorder& recorder, int site) {
  return static_cast<std::size_t>(std::count_if(recorder.visits().begin(), recorder.visits().end(),
                                                [&](const Recorder::Visited& visit) { return visit.site == site; }));
}

TEST(Probe, SitesAreNumberedInOrderOfExecution) {
  const Network network = ModelCase("small_resnet").Load("scripted");
  EXPECT_THAT(SiteNames(network),
              ElementsAre("conv1.input", "conv1.output", "layer1.0.conv1.input", "layer1.0.conv1.output",
                          "layer1.0.conv2.input", "layer1.0.conv2.output", "layer2.0.conv1.input",
                          "layer2.0.conv1.output", "layer2.0.conv2.input", "layer2.0.conv2.output",
                          "layer2.0.downsample.0.output", "fc.input", "fc.output"));
}

TEST(Probe, VisitsSitesInALoopOnceAnIteration) {
  const ModelCase model("own_cell");
  const Network network = model.Load("scripted");
  Recorder recorder;
  network.Forward(model.Inputs(), network.ParameterValues(), &recorder);
  EXPECT_EQ(VisitsOf(recorder, SiteIndex(network, "hidden.input")), 5u);
  EXPECT_EQ(VisitsOf(recorder, SiteIndex(network, "hidden.output")), 5u);
  EXPECT_EQ(VisitsOf(recorder, SiteIndex(network, "head.input")), 1u);
}

TEST(Probe, VisitsOnlyTheBranchThatIsTaken) {
  const ModelCase model("branch");
  const Network network = model.Load("scripted");
  for (const bool small : {false, true}) {
    Recorder recorder;
    network.Forward({small ? at::zeros({1, 4}) : at::ones({1, 4})}, network.ParameterValues(), &recorder);
    EXPECT_EQ(VisitsOf(recorder, SiteIndex(network, "big.output")), small ? 0u : 1u);
    EXPECT_EQ(VisitsOf(recorder, SiteIndex(network, "small.output")), small ? 1u : 0u);
  }
}

TEST(Probe, WhatItReturnsTakesTheTensorsPlace) {
  const ModelCase model("mlp");
  const Network network = model.Load("scripted");
  const at::Tensor replacement = at::arange(15, at::kFloat).view({5, 3});
  Replacer at_output(SiteIndex(network, "fc2.output"), [&](const at::Tensor&) { return replacement; });
  EXPECT_TRUE(at::equal(network.Forward(model.Inputs(), network.ParameterValues(), &at_output), replacement));

  const at::Tensor hidden = at::randn({5, 6});
  Replacer at_input(SiteIndex(network, "fc2.input"), [&](const at::Tensor&) { return hidden; });
  const at::Tensor weight = network.Weight(network.layers()[static_cast<std::size_t>(LayerIndex(network, "fc2"))]);
  EXPECT_LE(
      MaxDifference(network.Forward(model.Inputs(), network.ParameterValues(), &at_input), hidden.matmul(weight.t())),
      1e-5);
}

TEST(Probe, ReplacedInputReachesEveryLayerThatReadsIt) {
  const ModelCase model("shared_input");
  const Network network = model.Load("scripted");
  const int site = network.layers()[0].uses[0].input_site;
  for (const Layer& layer : network.layers())
    if (layer.name != "d") {
      EXPECT_EQ(layer.uses[0].input_site, site) << layer.name;
    }
  Replacer zero(site, [](const at::Tensor& value) { return at::zeros_like(value); });
  const at::Tensor replaced = network.Forward(model.Inputs(), network.ParameterValues(), &zero);
  EXPECT_LE(MaxDifference(replaced, network.Forward({at::zeros({5, 4})})), 1e-6);
}

TEST(Probe, ReplacingOnlyAnInputLeavesOtherReadersOfTheTensorAlone) {
  // In a residual block the input of the first convolution is also added to its result.
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  const std::vector<at::Tensor> inputs = model.Inputs();
  Replacer zero(SiteIndex(network, "layer1.0.conv1.input"),
                [](const at::Tensor& value) { return at::zeros_like(value); });
  network.Forward(inputs, network.ParameterValues(), &zero);
  Recorder plain;
  network.Forward(inputs, network.ParameterValues(), &plain);
  const at::Tensor block_input = plain.First(SiteIndex(network, "layer1.0.conv1.input"));
  const at::Tensor sum = zero.First(SiteIndex(network, "layer1.0.conv2.output")) + block_input;
  EXPECT_LE(MaxDifference(zero.First(SiteIndex(network, "layer2.0.conv1.input")), sum.relu()), 1e-5);
}

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

TEST(Probe, WhatItThrowsReachesTheCaller) {
  const ModelCase model("mlp");
  const Network network = model.Load("scripted");
  Replacer failing(0, [](const at::Tensor&) -> at::Tensor { throw Failure("stop here"); });
  try {
    network.Forward(model.Inputs(), network.ParameterValues(), &failing);
    FAIL() << "nothing was thrown";
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "stop here");
  }
  EXPECT_TRUE(network.Forward(model.Inputs()).defined());
}

TEST(Probe, ATensorOfAnotherShapeIsAnError) {
  const ModelCase model("mlp");
  const Network network = model.Load("scripted");
  Replacer wrong(SiteIndex(network, "fc2.input"), [](const at::Tensor& value) { return value.narrow(1, 0, 2); });
  EXPECT_TRUE(IsOneLine(MessageOf([&] { network.Forward(model.Inputs(), network.ParameterValues(), &wrong); })));
}

TEST(Probe, RunsInOtherThreadsSeeNothingOfIt) {
  for (const std::string name : {"small_resnet", "writes_buffers", "grows_list", "keeps_cache", "sets_in_loop"}) {
    SCOPED_TRACE(name);
    const ModelCase model(name);
    const Network network = model.Load("scripted");
    const std::vector<at::Tensor> inputs = model.Inputs();
    const auto scaled_run = [&](double factor) {
      Replacer scale(0, [&](const at::Tensor& value) { return value * factor; });
      return network.Forward(inputs, network.ParameterValues(), &scale);
    };
    const std::vector<double> factors = {1, 2, 3, 4};
    std::vector<at::Tensor> expected;
    for (const double factor : factors) expected.push_back(scaled_run(factor));
    EXPECT_FALSE(at::equal(expected[0], expected[1]));
    std::vector<int> equal(factors.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < factors.size(); ++i)
      threads.emplace_back([&, i] {
        for (int run = 0; run < 25; ++run) equal[i] += at::equal(scaled_run(factors[i]), expected[i]) ? 1 : 0;
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(equal, std::vector<int>(factors.size(), 25));
  }
}

TEST(Probe, ProfileCountsWhatOneSampleReads) {
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  const NetworkSummary profile = Summarize(network, model.SampleInputs());
  EXPECT_THAT(profile.output_shape, ElementsAre(1, 5));
  const auto& down = profile.layers[static_cast<std::size_t>(LayerIndex(network, "layer2.0.downsample.0"))];
  EXPECT_THAT(down.input_shape, ElementsAre(1, 4, 8, 8));
  EXPECT_THAT(down.output_shape, ElementsAre(1, 6, 4, 4));
  EXPECT_EQ(down.input_count, 4 * 8 * 8);
  const ModelCase loop("own_cell");
  const Network cell = loop.Load("scripted");
  EXPECT_EQ(Summarize(cell, loop.SampleInputs()).layers[0].input_count, 5 * 7);
}

TEST(Probe, ProfileLeavesTheShapesOfLayersThatDidNotRunEmpty) {
  const ModelCase model("branch");
  const Network network = model.Load("scripted");
  const NetworkSummary profile = Summarize(network, model.SampleInputs());
  const auto& small = profile.layers[static_cast<std::size_t>(LayerIndex(network, "small"))];
  EXPECT_TRUE(small.input_shape.empty());
  EXPECT_TRUE(small.output_shape.empty());
  EXPECT_EQ(small.macs, 0);
  EXPECT_EQ(small.input_count, 0);
}

}  // namespace
}  // namespace bitplan::test
