#include "corrections/layer_by_layer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "corrections/sample_passes.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

/// Sees every part at a layer's output, then doubles that output from there on, and goes on to the next layer.
class Doubler : public Probe {
 public:
  explicit Doubler(const Network& network) : network_(network) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (network_.sites()[static_cast<std::size_t>(site)].kind != Site::Kind::LayerOutput) return value;
    ++visits;
    if (done_.contains(site)) return value * 2;
    if (!reached_) reached_ = site;
    if (*reached_ == site) seen[site].push_back(value);
    throw RunEnds();
  }

  bool Reached() {
    if (!reached_) return false;
    done_.insert(*reached_);
    reached_.reset();
    return true;
  }

  std::map<int, std::vector<at::Tensor>> seen;
  std::size_t visits = 0;

 private:
  const Network& network_;
  std::optional<int> reached_;
  std::set<int> done_;
};

/// What one run over all samples sees, where every output is doubled.
class Doubled : public Probe {
 public:
  explicit Doubled(const Network& network) : network_(network) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (network_.sites()[static_cast<std::size_t>(site)].kind != Site::Kind::LayerOutput) return value;
    seen[site] = value;
    return value * 2;
  }
  std::map<int, at::Tensor> seen;

 private:
  const Network& network_;
};

class LayerByLayer : public testing::Test {
 protected:
  /// The probe, once all parts of so many samples have come to all layers.
  Doubler Run(std::int64_t samples_a_part, std::int64_t memory_bytes) const {
    const at::NoGradGuard no_grad;
    Doubler probe(network_);
    RunLayerByLayer(network_, InPasses(inputs_, samples_a_part), network_.ParameterValues(), memory_bytes, probe,
                    [&] { return probe.Reached(); });
    return probe;
  }

  const Network network_ = Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt");
  const std::vector<at::Tensor> inputs_ = AllInputs(Samples({6, 3, 32, 32}));
};

constexpr std::int64_t kAmple = std::int64_t{1} << 30;

TEST_F(LayerByLayer, EveryPartComesToEveryLayerAsInOneRun) {
  const at::NoGradGuard no_grad;
  Doubled whole(network_);
  network_.Forward(inputs_, network_.ParameterValues(), &whole);
  constexpr std::int64_t kSmallest =
      2 * 4 * 2 * 2 * 64 * 8 * 8 * 4;  // room for what the last blocks keep, not the first ones
  for (const std::int64_t memory_bytes : {std::int64_t{0}, kSmallest, kAmple}) {
    const Doubler probe = Run(4, memory_bytes);
    ASSERT_EQ(probe.seen.size(), whole.seen.size());
    for (const auto& [site, parts] : probe.seen) {
      const at::Tensor& expected = whole.seen.at(site);
      const double most = expected.abs().max().item<double>();
      EXPECT_LT((at::cat(parts) - expected).abs().max().item<double>(), 1e-3 * most) << site;
    }
  }
}

TEST_F(LayerByLayer, WhatIsKeptIsNotComputedAgain) {
  const std::size_t layers = network_.layers().size();
  EXPECT_EQ(Run(3, kAmple).visits, 2 * 2 * layers);  // two parts, each to a layer's output and beyond
  EXPECT_GT(Run(3, 0).visits, layers * layers);
}

}  // namespace
}  // namespace bitplan::quantize
