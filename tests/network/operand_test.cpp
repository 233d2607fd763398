// Sites of what operators without a weight read.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "network/model_case.h"

namespace bitplan::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

NetworkOptions WithOperands(const std::string& output = "") {
  NetworkOptions options;
  options.output = output;
  options.operand_sites = true;
  return options;
}

std::vector<std::string> Operands(const Network& network) {
  std::vector<std::string> names;
  for (const Site& site : network.sites())
    if (site.kind == Site::Kind::Operand) names.push_back(site.name);
  return names;
}

Network Encoder(const std::string& kind) {
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "target" / "models" / ("bert." + kind + ".pt"),
                       WithOperands());
}

int SiteOf(const Network& network, const std::string& name) {
  const auto found =
      std::find_if(network.sites().begin(), network.sites().end(), [&](const Site& site) { return site.name == name; });
  return found == network.sites().end() ? -1 : static_cast<int>(found - network.sites().begin());
}

/// Hands on a copy of every tensor: what shows which operators must not lose their storage.
class Copier : public Probe {
 public:
  at::Tensor Visit(int site, const at::Tensor& value) override {
    (void)site;
    return value.clone();
  }
};

TEST(OperandSites, AreThereOnRequestAndLeaveAllElseAsItIsInEveryModel) {
  std::size_t operands = 0;
  ForEachCase([&](const ModelCase& model) {
    NetworkOptions options = WithOperands(model.AnyOutput());
    options.fold_batch_norm = false;  // some cannot be folded
    for (const std::string& kind : model.kinds()) {
      SCOPED_TRACE(kind);
      const Network tapped = model.Load(kind, options);
      options.operand_sites = false;
      const Network plain = model.Load(kind, options);
      options.operand_sites = true;
      EXPECT_THAT(Operands(plain), IsEmpty());
      EXPECT_FALSE(plain.has_operand_sites());
      ASSERT_GE(tapped.sites().size(), plain.sites().size());
      for (std::size_t i = 0; i < plain.sites().size(); ++i) EXPECT_EQ(tapped.sites()[i].name, plain.sites()[i].name);
      operands += tapped.sites().size() - plain.sites().size();
      Copier copier;
      const at::Tensor expected = plain.Forward(model.Inputs());
      EXPECT_TRUE(at::equal(tapped.Forward(model.Inputs()), expected));
      EXPECT_TRUE(at::equal(tapped.Forward(model.Inputs(), tapped.ParameterValues(), &copier), expected));
    }
  });
  EXPECT_GT(operands, 100U);
}

TEST(OperandSites, HaveTheNamesOfAnEncoder) {
  for (const char* kind : {"scripted", "traced"}) {
    std::vector<std::string> names = Operands(Encoder(kind));
    std::vector<std::string> expected{"add_0.0", "add_0.1", "layer_norm_0.0"};
    for (const int layer : {0, 1}) {
      const auto add = [&](const char* op, int number, int operand) {
        expected.push_back(std::string(op) + "_" + std::to_string(number) + "." + std::to_string(operand));
      };
      for (const int operand : {0, 1}) add("matmul", 2 * layer, operand);
      add("softmax", layer, 0);
      for (const int operand : {0, 1}) add("matmul", 2 * layer + 1, operand);
      for (const int operand : {0, 1}) add("add", 2 * layer + 1, operand);
      add("layer_norm", 2 * layer + 1, 0);
      add("gelu", layer, 0);
      for (const int operand : {0, 1}) add("add", 2 * layer + 2, operand);
      add("layer_norm", 2 * layer + 2, 0);
    }
    EXPECT_EQ(names, expected) << kind;
  }
}

TEST(OperandSites, SeeWhatTheirOperatorsRead) {
  for (const char* kind : {"scripted", "traced"}) {
    const Network network = Encoder(kind);
    at::Tensor mask = at::ones({2, 12}, at::kLong);
    mask.slice(1, 9).zero_();
    Recorder seen;
    network.Forward({at::arange(24).view({2, 12}), mask}, network.ParameterValues(), &seen);
    const auto at = [&](const char* name) { return seen.First(SiteOf(network, name)); };
    EXPECT_LT(MaxDifference(at("layer.0.output.input"), at::gelu(at("gelu_0.0"))), 1e-6);
    EXPECT_LT(MaxDifference(at("layer.0.intermediate.input").mean(), at::scalar_tensor(0)), 1e-6);  // of a layer norm
    const at::Tensor hidden = (1 - mask.view({2, 1, 1, 12}).to(at::kFloat)) * -10000;
    EXPECT_GT(at("softmax_0.0").min().item<double>(), -100);  // before the mask
    EXPECT_LT(MaxDifference(at("matmul_1.0"), at::softmax(at("softmax_0.0") + hidden, -1)), 1e-6);
    EXPECT_LT(MaxDifference(at("softmax_0.0"), at::matmul(at("matmul_0.0"), at("matmul_0.1")) / std::sqrt(8.0)), 1e-5);
    EXPECT_LT(MaxDifference(at("layer_norm_2.0"), at("add_2.0") + at("add_2.1")), 1e-6);
  }
}

TEST(OperandSites, ChangeWhatOneOperatorReadsAlone) {
  const Network network = Encoder("scripted");
  const std::vector<at::Tensor> inputs{at::arange(24).view({2, 12}), at::ones({2, 12}, at::kLong)};
  Replacer replacer(SiteOf(network, "add_1.1"),
                    [](const at::Tensor& value) { return at::zeros_like(value); });  // the residual
  network.Forward(inputs, network.ParameterValues(), &replacer);
  EXPECT_TRUE(at::equal(replacer.First(SiteOf(network, "layer_norm_1.0")), replacer.First(SiteOf(network, "add_1.0"))));
}

TEST(OperandSites, OfAResidualNetworkAreItsAdditionsAndPooling) {
  const Network network =
      Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt", WithOperands());
  EXPECT_THAT(Operands(network),
              ElementsAre("add_0.0", "add_0.1", "add_1.0", "add_1.1", "add_2.0", "add_2.1", "add_3.0", "add_3.1",
                          "add_4.0", "add_4.1", "add_5.0", "add_5.1", "add_6.0", "add_6.1", "add_7.0", "add_7.1",
                          "add_8.0", "add_8.1", "avg_pool_0.0"));
}

}  // namespace
}  // namespace bitplan::test
