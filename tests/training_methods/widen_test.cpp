#include "training_methods/widen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <filesystem>
#include <set>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "files/temporary_folder.h"
#include "network/model_case.h"

namespace bitplan::training_methods {
namespace {

using test::ForEachCase;
using test::ModelCase;
using testing::HasSubstr;

/// Written and loaded as any model is.
Network Widened(const Network& network, const WidenOptions& options, const NetworkOptions& load = {}) {
  const TemporaryFolder folder;
  WriteFile(folder / "wide.pt", WidenedModelFile(network, options));
  return Network::Load(folder / "wide.pt", load);
}

Network ResNet20(bool fold) {
  return Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt",
                       {.output = "", .fold_batch_norm = fold});
}

TEST(Widen, KeepsTheOutputOfEveryModelThatItTakes) {
  std::set<std::string> taken;
  ForEachCase([&](const ModelCase& each) {
    for (const std::string& kind : each.kinds())
      for (const bool fold : {false, true}) {
        const NetworkOptions options{.output = each.AnyOutput(), .fold_batch_norm = fold};
        const Network network = each.Load(kind, options);
        std::optional<Network> wide;
        try {
          wide = Widened(network, {.factor = 3}, {.output = "", .fold_batch_norm = fold});
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), HasSubstr("widened"));
          continue;
        }
        const at::Tensor expected = network.Forward(each.Inputs()), actual = wide->Forward(each.Inputs());
        EXPECT_LT(test::MaxDifference(actual, expected), 1e-4 * std::max(1.0, expected.abs().max().item<double>()))
            << each.name() << ' ' << kind;
        taken.insert(each.name());
      }
  });
  EXPECT_THAT(taken, testing::IsSupersetOf(
                         {"conv2d", "in_place_between_readers", "linear_on_sequence", "mlp", "small_resnet"}));
}

TEST(Widen, WidensEveryHiddenLayerOfAResidualNetwork) {
  at::manual_seed(1);
  const at::Tensor x = torch::randn({4, 3, 32, 32});
  for (const bool fold : {true, false}) {
    const Network network = ResNet20(fold);
    const Network wide = Widened(network, {.factor = 2}, {.output = "", .fold_batch_norm = fold});
    EXPECT_LT(test::MaxDifference(wide.Forward({x}), network.Forward({x})), 1e-4);
    ASSERT_EQ(wide.layers().size(), network.layers().size());
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const at::Tensor before = network.Weight(network.layers()[i]), after = wide.Weight(wide.layers()[i]);
      EXPECT_EQ(wide.layers()[i].name, network.layers()[i].name);
      EXPECT_EQ(after.size(0), before.size(0) * (i + 1 == network.layers().size() ? 1 : 2));
      EXPECT_EQ(after.size(1), before.size(1) * (i == 0 ? 1 : 2));
    }
  }
}

TEST(Widen, CopiesShareUnevenlyAsTheSeedSays) {
  const Network network = ResNet20(true);
  const auto last = [&](const WidenOptions& options) {
    const Network wide = Widened(network, options);
    return wide.Weight(wide.layers().back());
  };
  const at::Tensor weight = network.Weight(network.layers().back());
  const at::Tensor one = last({.seed = 1}), pairs = one.unflatten(1, {-1, 2});
  EXPECT_LT(test::MaxDifference(pairs.sum(2), weight), 1e-6);
  EXPECT_FALSE(torch::equal(pairs.select(2, 0), pairs.select(2, 1)));
  EXPECT_TRUE(torch::equal(one, last({.seed = 1})));
  EXPECT_FALSE(torch::equal(one, last({.seed = 2})));
  const at::Tensor even = last({.spread = 0}).unflatten(1, {-1, 2});
  EXPECT_TRUE(torch::equal(even.select(2, 0), even.select(2, 1)));
}

TEST(Widen, RefusesWhatItCannotDuplicateAndNamesIt) {
  const auto message = [](const char* name) {
    return MessageOf([&] { WidenedModelFile(ModelCase(name).Load("scripted")); });
  };
  EXPECT_THAT(message("called_twice"), HasSubstr("used several times"));
  EXPECT_THAT(message("own_attention"), HasSubstr("reshape reads the channels of layer 'qkv'"));
  EXPECT_THAT(message("bare_lstm"), HasSubstr("no hidden convolution or linear layer"));
}

TEST(Widen, RefusesOptionsOutsideTheirRange) {
  const Network network = ResNet20(true);
  EXPECT_THAT(MessageOf([&] { WidenedModelFile(network, {.factor = 1}); }), HasSubstr("factor: 1"));
  EXPECT_THAT(MessageOf([&] { WidenedModelFile(network, {.spread = 1}); }), HasSubstr("spread: 1"));
}

}  // namespace
}  // namespace bitplan::training_methods
