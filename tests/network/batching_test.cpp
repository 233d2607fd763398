#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "bitplan/network.h"
#include "network/activation_trace.h"
#include "network/baked_batch.h"
#include "network/function_file.h"
#include "network/model_case.h"
#include "network/tails.h"
#include "readers/model_reader.h"

namespace bitplan::test {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;

/// A model of make_batches.py, seven samples, and what PyTorch makes of each of them by itself.
struct BatchCase {
  explicit BatchCase(const std::string& name) : network(Load(name)) {
    std::ifstream file(Path(name + ".json"));
    const auto json = nlohmann::json::parse(file);
    for (const auto& input : json.at("inputs")) all_inputs.push_back(ToTensor(input));
    inputs = all_inputs[0];
    output = ToTensor(json.at("output"));
  }
  static std::filesystem::path Path(const std::string& file) {
    return std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "batches" / file;
  }
  static Network Load(const std::string& name) { return Network::Load(Path(name + ".pt")); }

  /// Of the first samples, one per input.
  std::vector<at::Tensor> First(std::int64_t samples) const {
    std::vector<at::Tensor> first;
    for (const at::Tensor& input : all_inputs) first.push_back(input.narrow(0, 0, samples));
    return first;
  }

  Network network;
  std::vector<at::Tensor> all_inputs;
  at::Tensor inputs, output;  // inputs: the first one
};

const std::vector<std::string> kCases = {
    "one",  "one_frozen", "four",  "four_frozen", "two",         "state",      "state_frozen",  "steps",
    "each", "squeezed",   "block", "block_one",   "block_three", "block_four", "three_hundred", "rows"};

TEST(Batching, GivesEverySampleItsOwnOutputInAnyNumber) {
  for (const std::string& name : kCases)
    for (const std::int64_t samples : {1, 2, 3, 4, 5, 7}) {
      const BatchCase model(name);  // anew: what it finds out first is of these samples
      const at::Tensor output = model.network.Forward({model.inputs.narrow(0, 0, samples)});
      EXPECT_LE(MaxDifference(output, model.output.narrow(0, 0, samples)), 1e-5) << name << " " << samples;
    }
}

TEST(Batching, FindsOutOnceForAllNumbers) {
  for (const std::string& name : kCases) {
    const BatchCase model(name);
    for (const std::int64_t samples : {7, 1, 5, 2, 1, 6})
      EXPECT_LE(MaxDifference(model.network.Forward({model.inputs.narrow(0, 0, samples)}),
                              model.output.narrow(0, 0, samples)),
                1e-5)
          << name << " " << samples;
  }
}

TEST(Batching, SeveralInputsAreDividedAlike) {
  for (const std::string name : {"pair", "pair_one", "pair_four"})
    for (const std::int64_t samples : {1, 2, 4, 5, 7}) {
      const BatchCase model(name);
      EXPECT_LE(MaxDifference(model.network.Forward(model.First(samples)), model.output.narrow(0, 0, samples)), 1e-5)
          << name << " " << samples;
    }
}

Network LoadSeveral(const FunctionFile& file) {
  NetworkOptions options;
  options.output = "all";
  return Network::Load(file.path(), options);
}

TEST(Batching, SeveralOutputsAreDividedAlike) {
  const FunctionFile file(
      "def forward(self, x):\n"
      "    y = torch.view(x, [4, 3])\n"
      "    return {'twice': y * 2.0, 'deep': torch.unsqueeze(torch.tanh(y), 2)}\n");
  const at::Tensor x = at::linspace(-1, 1, 21).view({7, 3});
  for (const std::int64_t samples : {1, 3, 4, 7}) {
    const at::Tensor some = x.narrow(0, 0, samples);
    EXPECT_LE(MaxDifference(LoadSeveral(file).Forward({some}), at::cat({some * 2, some.tanh()}, 1)), 1e-6) << samples;
    EXPECT_EQ(LoadSeveral(file).Outputs({some}).at(1).shape, (std::vector<std::int64_t>{3, 1}));
  }
}

/// However small its numbers are beside the others'.
TEST(Batching, OneOfSeveralOutputsThatMixesSamplesIsRefused) {
  const FunctionFile file("def forward(self, x):\n    return x * 1000.0, (x - torch.mean(x, [0], True)) * 0.001\n");
  const at::Tensor x = at::linspace(-1, 1, 12).view({4, 3});
  EXPECT_THAT(MessageOf([&] { LoadSeveral(file).Forward({x}); }), HasSubstr("mixes"));
}

/// Frozen files keep nothing of the example, scripted ones have none.
TEST(Batching, TheExamplesSamplesAreReadFromTheFile) {
  const std::map<std::string, std::optional<std::int64_t>> samples = {{"one", 1},
                                                                      {"four", 4},
                                                                      {"two", 2},
                                                                      {"three_hundred", 300},
                                                                      {"pair_one", 1},
                                                                      {"pair_four", 4},
                                                                      {"block_three", 3},
                                                                      {"state", 1},
                                                                      {"centered_traced", 4},
                                                                      {"pair", std::nullopt},
                                                                      {"block", std::nullopt},
                                                                      {"mean", std::nullopt},
                                                                      {"one_frozen", std::nullopt},
                                                                      {"four_frozen", std::nullopt}};
  for (const auto& [name, expected] : samples) {
    const LoweredGraph lowered = network::ReadModel(BatchCase::Path(name + ".pt"), {});
    EXPECT_EQ(network::FindBakedBatch(lowered).traced, expected) << name;
  }
}

TEST(Batching, SamplesThatAreAllTheSameDoNotDeceive) {
  for (const std::string name : {"one", "four", "squeezed", "steps"}) {
    const BatchCase model(name);
    const at::Tensor same = model.inputs.narrow(0, 0, 1).repeat_interleave(3, 0);
    EXPECT_LE(MaxDifference(model.network.Forward({same}), model.output.narrow(0, 0, 1).repeat_interleave(3, 0)), 1e-5);
    EXPECT_LE(MaxDifference(model.network.Forward({model.inputs}), model.output), 1e-5) << name;
  }
}

TEST(Batching, AProbeSeesAllSamplesAtOnce) {
  for (const std::string name : {"one", "four", "two"}) {
    const BatchCase model(name);
    const Layer& conv = model.network.layers()[0];
    Recorder recorder;
    model.network.Forward({model.inputs}, model.network.ParameterValues(), &recorder);
    EXPECT_LE(MaxDifference(recorder.First(conv.uses[0].input_site), model.inputs), 0) << name;
    const at::Tensor expected =
        at::conv2d(model.inputs, model.network.Weight(conv),
                   model.network.parameters()[static_cast<std::size_t>(conv.bias)].value, {1, 1}, {1, 1});
    EXPECT_LE(MaxDifference(recorder.First(conv.uses[0].output_site), expected), 1e-5) << name;
    EXPECT_EQ(recorder.visits().size(), 6u) << name;  // three layers, each site once
  }
}

TEST(Batching, WhatAProbePutsInAnothersPlaceIsReadOn) {
  for (const std::string& name : kCases) {
    const BatchCase model(name);
    const auto site = model.network.layers().back().uses[0].input_site;
    if (model.network.layers().back().uses.size() != 1) continue;
    Replacer doubled(site, [](const at::Tensor& value) { return value * 2; });
    std::vector<at::Tensor> parameters = model.network.ParameterValues();
    const auto given = model.network.Forward({model.inputs}, parameters, &doubled);
    // the last layer is linear: twice its input is twice its weight
    at::Tensor& weight = parameters[static_cast<std::size_t>(model.network.layers().back().weight)];
    weight = weight * 2;
    EXPECT_LE(MaxDifference(given, model.network.Forward({model.inputs}, parameters)), 1e-5) << name;
  }
}

/// Adds, to every sample's rows at a site, a number of its own.
class NumberedShift : public Probe {
 public:
  NumberedShift(int site, std::int64_t samples) : site_(site), samples_(samples) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (site != site_) return value;
    EXPECT_EQ(value.size(0), samples_);
    std::vector<std::int64_t> shape(static_cast<std::size_t>(value.dim()), 1);
    shape[0] = samples_;
    return value + at::arange(samples_, at::kFloat).view(shape);
  }

 private:
  int site_;
  std::int64_t samples_;
};

TEST(Batching, AProbesSamplesAreTheRunsSamples) {
  for (const std::string name : {"one", "four", "two", "squeezed"}) {
    const BatchCase model(name);
    const Layer& head = model.network.layers().back();
    for (const std::int64_t samples : {1, 3, 7}) {
      NumberedShift shift(head.uses[0].output_site, samples);
      const at::Tensor given =
          model.network.Forward({model.inputs.narrow(0, 0, samples)}, model.network.ParameterValues(), &shift);
      std::vector<std::int64_t> shape(static_cast<std::size_t>(given.dim()), 1);
      shape[0] = samples;
      const at::Tensor expected = model.output.narrow(0, 0, samples) + at::arange(samples, at::kFloat).view(shape);
      EXPECT_LE(MaxDifference(given, expected), 1e-5) << name << " " << samples;
    }
  }
}

TEST(Batching, TailsGiveWhatTheWholeNetworkGives) {
  for (const std::string& name : kCases) {
    const BatchCase model(name);
    const network::Tails tails(model.network);
    const network::Tails::Prefix prefix = tails.Run({model.inputs});
    EXPECT_LE(MaxDifference(prefix.output(), model.output), 1e-5) << name;
    for (std::size_t i = 0; i < model.network.layers().size(); ++i) {
      std::vector<at::Tensor> parameters = model.network.ParameterValues();
      at::Tensor& weight = parameters[static_cast<std::size_t>(model.network.layers()[i].weight)];
      weight = weight * 0.5;
      EXPECT_LE(MaxDifference(tails.Run(prefix, static_cast<int>(i), parameters),
                              model.network.Forward({model.inputs}, parameters)),
                1e-5)
          << name;
    }
  }
}

TEST(Batching, GradientsAreThoseOfTheSamples) {
  const at::AutoGradMode with_gradient(true);
  for (const std::string name : {"one", "four", "two", "squeezed", "state"}) {
    const BatchCase model(name);
    const auto gradient = [&](const at::Tensor& inputs) {
      std::vector<at::Tensor> parameters = model.network.ParameterValues();
      std::vector<at::Tensor> weights;
      for (const Layer& layer : model.network.layers()) {
        at::Tensor& weight = parameters[static_cast<std::size_t>(layer.weight)];
        weights.push_back(weight = weight.detach().clone().requires_grad_());
      }
      return torch::autograd::grad({model.network.Forward({inputs}, parameters).square().sum()}, weights);
    };
    const auto of_all = gradient(model.inputs);
    std::vector<at::Tensor> sums;
    for (const at::Tensor& weight : of_all) sums.push_back(at::zeros_like(weight));
    for (std::int64_t n = 0; n < model.inputs.size(0); ++n) {
      const auto of_one = gradient(model.inputs.narrow(0, n, 1));
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += of_one[i];
    }
    for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_LE(MaxDifference(of_all[i], sums[i]), 1e-4) << name;
  }
}

/// Asks, where gradients pass, for those at what it leaves as it is.
class Watcher : public Probe {
 public:
  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (value.requires_grad()) value.register_hook([this, site](const at::Tensor& g) { gradients[site] = g; });
    return value;
  }
  std::map<int, at::Tensor> gradients;
};

TEST(Batching, GradientsAtLayerOutputsAreThoseOfTheSamples) {
  const at::AutoGradMode with_gradient(true);
  for (const std::string name : {"one", "one_frozen", "four", "two", "block_one", "block_three", "block_four"}) {
    const BatchCase model(name);
    const auto gradients = [&](std::int64_t begin, std::int64_t samples) {
      Watcher watcher;
      const at::Tensor inputs = model.inputs.narrow(0, begin, samples).clone().requires_grad_();
      model.network.Forward({inputs}, model.network.ParameterValues(), &watcher).square().sum().backward();
      return watcher.gradients;
    };
    const auto of_all = gradients(0, model.inputs.size(0));
    for (std::int64_t n = 0; n < model.inputs.size(0); ++n) {
      const auto of_one = gradients(n, 1);
      for (const Layer& layer : model.network.layers()) {
        const int site = layer.uses[0].output_site;
        EXPECT_LE(MaxDifference(of_all.at(site).narrow(0, n, 1), of_one.at(site)), 1e-4)
            << name << " " << n << " " << layer.name;
      }
    }
  }
}

TEST(Batching, AProfileIsOfOneSample) {
  for (const std::string name : {"one", "four", "two"}) {
    const BatchCase model(name);
    const std::vector<at::Tensor> sample{model.inputs.narrow(0, 0, 1).clone()};
    const NetworkSummary profile = Summarize(model.network, sample);
    EXPECT_EQ(profile.layers[0].macs, 16 * 4 * 27) << name;
    EXPECT_EQ(profile.layers[1].macs, 64 * 6) << name;
    EXPECT_EQ(profile.layers[2].input_count, 6) << name;
    EXPECT_EQ(profile.output_shape, (std::vector<std::int64_t>{1, 5})) << name;
    const network::ActivationTrace trace = network::TraceActivations(model.network, sample);
    EXPECT_EQ(trace.versions.front().elements, 3 * 16) << name;
  }
}

TEST(Batching, ANetworkThatMixesSamplesIsRefused) {
  const at::Tensor inputs = BatchCase("each").inputs;
  for (const std::string name : {"mean", "mean_vector", "mean_traced", "own_statistics", "whole", "centered_traced"})
    for (const std::int64_t samples : {2, 4, 7}) {
      const Network network = BatchCase::Load(name);
      EXPECT_THAT(MessageOf([&] { network.Forward({inputs.narrow(0, 0, samples)}); }),
                  AnyOf(HasSubstr("mixes the samples"), HasSubstr("first axis must count the samples")))
          << name << " " << samples;
    }
}

TEST(Batching, AnOutputThatIsNoRowASampleIsRefusedForOneSampleToo) {
  const at::Tensor inputs = BatchCase("each").inputs;
  for (const std::string name : {"mean_vector", "whole", "classes_first"}) {
    const Network network = BatchCase::Load(name);
    EXPECT_THAT(MessageOf([&] { network.Forward({inputs.narrow(0, 0, 1)}); }),
                HasSubstr("first axis must count the samples"))
        << name;
  }
}

TEST(Batching, IsLeftOffOnRequest) {
  NetworkOptions options;
  options.samples_first = false;
  const Network network = Network::Load(BatchCase::Path("mean_vector.pt"), options);
  EXPECT_EQ(network.Forward({BatchCase("each").inputs}).sizes(), (std::vector<std::int64_t>{4}));
}

}  // namespace
}  // namespace bitplan::test
