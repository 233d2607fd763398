#include "network/weights_sha256.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network/model_case.h"

namespace bitplan::test {
namespace {

TEST(WeightsSha256, IsTheSameHoweverTheModelWasSaved) {
  NetworkOptions unfolded;
  unfolded.fold_batch_norm = false;
  for (const std::string name : {"mlp", "bn_after_each_layer", "bilinear"}) {
    const Network scripted = Network::Load(ModelPath(name + ".scripted.pt"));
    const Network traced = Network::Load(ModelPath(name + ".traced.pt"), unfolded);
    EXPECT_NE(scripted.sha256(), traced.sha256());
    EXPECT_EQ(scripted.weights_sha256(), traced.weights_sha256()) << name;
    EXPECT_TRUE(network::IsMadeFor(traced, scripted.sha256(), scripted.weights_sha256()));
    EXPECT_FALSE(network::IsMadeFor(traced, scripted.sha256(), ""));  // of earlier versions
    EXPECT_TRUE(network::IsMadeFor(traced, traced.sha256(), ""));
    EXPECT_TRUE(network::IsMadeFor(traced, "", ""));
  }
}

TEST(WeightsSha256, IsOfNamesShapesAndValuesInAnyOrder) {
  const at::Tensor a = at::arange(6, at::kFloat), b = at::ones({2});
  const std::string digest = network::WeightsSha256({{"a", a}, {"b", b}});
  EXPECT_EQ(network::WeightsSha256({{"b", b}, {"a", a}}), digest);
  EXPECT_EQ(network::WeightsSha256({{"a", a.to(at::kHalf)}, {"b", b.to(at::kDouble)}}), digest);
  EXPECT_EQ(network::WeightsSha256({{"a", at::stack({a, a}, 1).select(1, 0)}, {"b", b}}), digest);  // not contiguous
  EXPECT_NE(network::WeightsSha256({{"c", a}, {"b", b}}), digest);
  EXPECT_NE(network::WeightsSha256({{"a", a.view({2, 3})}, {"b", b}}), digest);
  EXPECT_NE(network::WeightsSha256({{"a", a}, {"b", b + 1e-6}}), digest);
  EXPECT_NE(network::WeightsSha256({{"a", a}}), digest);
}

}  // namespace
}  // namespace bitplan::test
