// Every model of make_models.py, in every kind of file, against what PyTorch and formulas made of it.

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using nlohmann::json;

bool IsFrozen(const std::string& kind) { return kind.starts_with("frozen"); }

TEST(PyTorch, GivesTheSameOutputRunAfterRun) {
  ForEachCase([](const ModelCase& model) {
    for (const std::string& kind : model.kinds()) {
      for (const bool fold : {false, true}) {
        SCOPED_TRACE(kind + (fold ? ", batch norm folded" : ""));
        for (const auto& [selector, expected] : model.expected().at("outputs").items()) {
          NetworkOptions options;
          options.output = selector;
          options.fold_batch_norm = fold && model.expected().at("foldable").get<bool>();
          const Network network = model.Load(kind, options);
          const std::vector<at::Tensor> inputs = model.Inputs();
          const at::Tensor wanted = ToTensor(expected).to(at::kDouble);
          const double tolerance = model.expected().at("tolerance").get<double>() *
                                   std::max(1.0, wanted.abs().max().item<double>()) * (fold ? 5 : 1);
          const at::Tensor first = network.Forward(inputs);
          EXPECT_LE(MaxDifference(first, wanted), tolerance) << "output " << selector;
          EXPECT_TRUE(at::equal(network.Forward(inputs), first)) << "the second run differs";
          EXPECT_EQ(first.scalar_type(), at::kFloat);
          const std::vector<at::Tensor> originals = model.Inputs();
          for (std::size_t i = 0; i < inputs.size(); ++i)
            EXPECT_TRUE(at::equal(inputs[i], originals[i])) << "input was written to";
        }
      }
    }
  });
}

TEST(PyTorch, FindsTheLayersWithTheirMacs) {
  ForEachCase([](const ModelCase& model) {
    for (const std::string& kind : model.kinds()) {
      for (const bool fold : {false, true}) {
        SCOPED_TRACE(kind + (fold ? ", batch norm folded" : ""));
        const Network network = model.Load(kind, fold);
        const NetworkSummary profile = Summarize(network, model.SampleInputs());
        ASSERT_EQ(profile.layers.size(), network.layers().size());
        std::vector<json> found, expected = model.expected().at("layers");
        for (std::size_t i = 0; i < network.layers().size(); ++i) {
          const Layer& layer = network.layers()[i];
          found.push_back({{"name", layer.name},
                           {"op", layer.op},
                           {"weight", network.Weight(layer).sizes().vec()},
                           {"macs", profile.layers[i].macs},
                           {"channel_axis", layer.channel_axis}});
        }
        if (IsFrozen(kind)) {  // freezing forgets the names
          for (json& layer : found) layer.erase("name");
          for (json& layer : expected) layer.erase("name");
        }
        EXPECT_EQ(json(found).dump(1), json(expected).dump(1));
      }
    }
  });
}

TEST(PyTorch, TiesLayersThatReadOneTensor) {
  ForEachCase([](const ModelCase& model) {
    if (!model.expected().contains("tied")) return;
    for (const std::string& kind : model.kinds()) {
      if (IsFrozen(kind)) continue;
      SCOPED_TRACE(kind);
      const Network network = model.Load(kind);
      std::map<int, std::vector<std::string>> groups;
      for (const Layer& layer : network.layers())
        if (layer.tied_group >= 0) groups[layer.tied_group].push_back(layer.name);
      std::vector<std::vector<std::string>> found;
      for (const auto& [number, names] : groups) found.push_back(names);
      EXPECT_EQ(json(found), model.expected().at("tied"));
    }
  });
}

TEST(PyTorch, SaysWhatStaysInFloatAndWhy) {
  ForEachCase([](const ModelCase& model) {
    for (const std::string& kind : model.kinds()) {
      for (const bool fold : {false, true}) {
        SCOPED_TRACE(kind + (fold ? ", batch norm folded" : ""));
        const Network network = model.Load(kind, fold);
        std::vector<FloatOperator> entries = network.left_in_float();
        for (const FloatOperator& entry : entries) {
          EXPECT_NE(entry.op, "");
          EXPECT_NE(entry.name, "");
          EXPECT_NE(entry.reason, "");
        }
        if (IsFrozen(kind)) continue;  // freezing computes weights and folds batch norms itself
        const auto norms = std::erase_if(entries, [](const FloatOperator& entry) { return entry.op == "batch_norm"; });
        EXPECT_EQ(norms, model.expected().at("batch_norms").at(fold ? 1 : 0).get<std::size_t>());
        for (const json& expected : model.expected().at("left_in_float")) {
          const auto match = std::find_if(entries.begin(), entries.end(), [&](const FloatOperator& entry) {
            return (expected.at("op") == "" || expected.at("op") == entry.op) &&
                   entry.name.find(expected.at("name").get<std::string>()) != std::string::npos &&
                   entry.reason.find(expected.at("reason").get<std::string>()) != std::string::npos;
          });
          if (match == entries.end()) {
            ADD_FAILURE() << "missing: " << expected;
          } else {
            entries.erase(match);
          }
        }
        if (model.expected().at("left_in_float").empty())
          for (const FloatOperator& entry : entries)
            ADD_FAILURE() << entry.op << " " << entry.name << ": " << entry.reason;
      }
    }
  });
}

TEST(PyTorch, ShowsProbesWhatTheLayersReadAndMake) {
  ForEachCase([](const ModelCase& model) {
    if (!model.expected().contains("visits")) return;
    const std::string kind = model.kinds().front();
    const Network network = model.Load(kind, false);
    std::map<int, std::set<std::string>> layers_of_site;
    for (const Layer& layer : network.layers()) {
      for (const LayerUse& use : layer.uses) {
        if (use.input_site >= 0) layers_of_site[use.input_site].insert(layer.name);
        if (use.output_site >= 0) layers_of_site[use.output_site].insert(layer.name);
      }
    }
    Recorder recorder;
    network.Forward(model.SampleInputs(), network.ParameterValues(), &recorder);
    const json& expected = model.expected().at("visits");
    ASSERT_EQ(recorder.visits().size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto& [site, value] = recorder.visits()[i];
      const Site& found = network.sites()[static_cast<std::size_t>(site)];
      const auto layer = expected[i].at("layer").get<std::string>();
      EXPECT_TRUE(layers_of_site[site].contains(layer))
          << "visit " << i << " at " << found.name << " instead of " << layer;
      EXPECT_EQ(found.kind == Site::Kind::LayerInput ? "input" : "output", expected[i].at("kind"));
      EXPECT_EQ(value.sizes().vec(), expected[i].at("shape").get<std::vector<std::int64_t>>()) << found.name;
      const at::Tensor flat = value.flatten().to(at::kDouble);
      const double fingerprint = (flat * at::arange(flat.numel(), at::kDouble).cos()).sum().item<double>();
      const double scale = model.expected().at("tolerance").get<double>() * (1 + flat.abs().sum().item<double>());
      EXPECT_NEAR(fingerprint, expected[i].at("value").get<double>(), scale) << found.name;
    }
  });
}

TEST(PyTorch, IdentityProbeLeavesTheOutputBitIdentical) {
  ForEachCase([](const ModelCase& model) {
    for (const std::string& kind : model.kinds()) {
      SCOPED_TRACE(kind);
      const Network network = model.Load(kind);
      Recorder recorder;
      const at::Tensor probed = network.Forward(model.Inputs(), network.ParameterValues(), &recorder);
      EXPECT_TRUE(at::equal(probed, network.Forward(model.Inputs())));
      for (const auto& visit : recorder.visits()) {
        ASSERT_GE(visit.site, 0);
        ASSERT_LT(static_cast<std::size_t>(visit.site), network.sites().size());
      }
    }
  });
}

TEST(PyTorch, KnowsTheModelFileByItsSha256) {
  ForEachCase([](const ModelCase& model) {
    for (const std::string& kind : model.kinds())
      EXPECT_EQ(model.Load(kind).sha256(), model.expected().at("sha256").at(kind).get<std::string>());
  });
}

}  // namespace
}  // namespace bitplan::test
