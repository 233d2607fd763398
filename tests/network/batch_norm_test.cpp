#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

TEST(BatchNorm, FoldedWeightAndBiasAreThoseOfTheFormula) {
  const ModelCase model("small_resnet");
  const Network plain = model.Load("scripted", false), folded = model.Load("scripted", true);
  EXPECT_FALSE(plain.batch_norm_folded());
  EXPECT_TRUE(folded.batch_norm_folded());
  const auto value = [&](const Network& network, const std::string& name) {
    for (const Parameter& parameter : network.parameters())
      if (parameter.name == name) return parameter.value.to(at::kDouble);
    ADD_FAILURE() << "no parameter " << name;
    return at::zeros({1}, at::kDouble);
  };
  const at::Tensor scale = value(plain, "bn1.weight") / (value(plain, "bn1.running_var") + 1e-5).sqrt();
  const at::Tensor bias = value(plain, "bn1.bias") - value(plain, "bn1.running_mean") * scale;
  const Layer& layer = folded.layers()[0];
  EXPECT_LE(MaxDifference(folded.Weight(layer), value(plain, "conv1.weight") * scale.view({4, 1, 1, 1})), 1e-6);
  ASSERT_GE(layer.bias, 0);
  EXPECT_LE(MaxDifference(folded.parameters()[static_cast<std::size_t>(layer.bias)].value, bias), 1e-6);
  EXPECT_EQ(plain.layers()[0].bias, -1);
}

TEST(BatchNorm, FoldedStatisticsAreNoParametersAnymore) {
  const Network folded = ModelCase("small_resnet").Load("scripted", true);
  for (const Parameter& parameter : folded.parameters()) {
    EXPECT_EQ(parameter.name.find("running_"), std::string::npos) << parameter.name;
    EXPECT_EQ(parameter.name.find("bn"), std::string::npos) << parameter.name;
  }
  EXPECT_EQ(folded.parameters().size(), 14u);  // seven layers, each with its bias
}

TEST(BatchNorm, EveryLayerThatIsFoldedIntoHasABias) {
  const ModelCase model("bn_after_each_layer");
  for (const std::string& kind : model.kinds()) {
    const Network network = model.Load(kind);
    for (const Layer& layer : network.layers()) EXPECT_GE(layer.bias, 0) << layer.name;
  }
}

TEST(BatchNorm, FoldingKeepsTheLayersAndTheirNames) {
  const ModelCase model("bn_after_each_layer");
  const Network plain = model.Load("scripted", false), folded = model.Load("scripted", true);
  ASSERT_EQ(plain.layers().size(), folded.layers().size());
  for (std::size_t i = 0; i < plain.layers().size(); ++i) {
    EXPECT_EQ(plain.layers()[i].name, folded.layers()[i].name);
    EXPECT_EQ(plain.layers()[i].op, folded.layers()[i].op);
  }
  ASSERT_EQ(plain.sites().size(), folded.sites().size());
  for (std::size_t i = 0; i < plain.sites().size(); ++i) EXPECT_EQ(plain.sites()[i].name, folded.sites()[i].name);
}

/// Equal in all that is told of it, and in the very bits that it computes.
void ExpectSame(const Network& actual, const Network& expected, const std::vector<at::Tensor>& inputs) {
  ASSERT_EQ(actual.parameters().size(), expected.parameters().size());
  for (std::size_t i = 0; i < expected.parameters().size(); ++i) {
    EXPECT_EQ(actual.parameters()[i].name, expected.parameters()[i].name);
    EXPECT_EQ(actual.parameters()[i].trainable, expected.parameters()[i].trainable);
    EXPECT_TRUE(actual.parameters()[i].value.equal(expected.parameters()[i].value)) << expected.parameters()[i].name;
  }
  ASSERT_EQ(actual.layers().size(), expected.layers().size());
  for (std::size_t i = 0; i < expected.layers().size(); ++i) {
    EXPECT_EQ(actual.layers()[i].name, expected.layers()[i].name);
    EXPECT_EQ(actual.layers()[i].bias, expected.layers()[i].bias);
    EXPECT_EQ(actual.layers()[i].tied_group, expected.layers()[i].tied_group);
  }
  ASSERT_EQ(actual.sites().size(), expected.sites().size());
  for (std::size_t i = 0; i < expected.sites().size(); ++i) EXPECT_EQ(actual.sites()[i].name, expected.sites()[i].name);
  EXPECT_EQ(actual.batch_norm_folded(), expected.batch_norm_folded());
  EXPECT_EQ(actual.weights_sha256(), expected.weights_sha256());
  EXPECT_EQ(actual.sha256(), expected.sha256());
  Recorder seen, seen_in_expected;
  EXPECT_TRUE(actual.Forward(inputs, actual.ParameterValues(), &seen)
                  .equal(expected.Forward(inputs, expected.ParameterValues(), &seen_in_expected)));
  ASSERT_EQ(seen.visits().size(), seen_in_expected.visits().size());
  for (std::size_t i = 0; i < seen.visits().size(); ++i) {
    EXPECT_EQ(seen.visits()[i].site, seen_in_expected.visits()[i].site);
    EXPECT_TRUE(seen.visits()[i].value.equal(seen_in_expected.visits()[i].value));
  }
}

TEST(BatchNorm, FoldedLaterIsAsFoldedWhenLoaded) {
  for (const std::string name : {"small_resnet", "bn_after_each_layer", "bn_in_branch", "bn_output_used_elsewhere",
                                 "bn_shape_asked", "encoder", "mlp"}) {
    const ModelCase model(name);
    for (const std::string& kind : model.kinds())
      for (const bool operands : {false, true}) {
        SCOPED_TRACE(name + " " + kind + (operands ? " with operands" : ""));
        NetworkOptions options{.output = model.AnyOutput(), .fold_batch_norm = false, .operand_sites = operands};
        const Network plain = model.Load(kind, options);
        options.fold_batch_norm = true;
        ExpectSame(plain.WithBatchNormFolded(), model.Load(kind, options), model.Inputs());
        EXPECT_FALSE(plain.batch_norm_folded());
        options.fold_batch_norm = false;
        ExpectSame(plain, model.Load(kind, options), model.Inputs());
      }
  }
}

TEST(BatchNorm, FoldedTwiceIsFolded) {
  const ModelCase model("small_resnet");
  const Network folded = model.Load("scripted", true);
  EXPECT_EQ(&folded.WithBatchNormFolded().impl(), &folded.impl());
}

TEST(BatchNorm, OverAnotherAxisThanTheLayersChannelsIsNeverFoldedSilently) {
  for (const std::string name : {"bn_over_sequence", "bn_unbatched_conv"}) {
    const ModelCase model(name);
    NetworkOptions options;
    options.fold_batch_norm = true;
    const Network network = model.Load("scripted", options);
    const std::string message = MessageOf([&] { network.Forward(model.Inputs()); });
    EXPECT_TRUE(IsOneLine(message)) << message;
    EXPECT_NE(message.find("--no-fold-batch-norm"), std::string::npos) << message;
  }
}

TEST(BatchNorm, ABiasOfTwoLayersIsNeitherLayersOwn) {
  const Network network = ModelCase("bn_bias_of_two_layers").Load("scripted");
  for (const Layer& layer : network.layers()) EXPECT_EQ(layer.bias, -1) << layer.name;
}

}  // namespace
}  // namespace bitplan::test
