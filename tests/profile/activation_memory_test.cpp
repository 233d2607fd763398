// Liveness against what LibTorch's allocator says that a run of the float network takes.

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <random>

#include "bitplan/cost.h"
#include "bitplan/profile.h"
#include "network/activation_trace.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

/// Writes down what LibTorch's allocator gives out and gets back, and when operators begin and end.
class AllocationLog : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* pointer, std::int64_t bytes, std::size_t /*allocated*/, std::size_t /*reserved*/,
                         c10::Device /*device*/) override {
    events_.push_back({pointer, bytes, depth_ > 0 ? operators_ : -1});
  }
  bool memoryProfilingEnabled() const override { return true; }

  void Begin() { operators_ += depth_++ == 0 ? 1 : 0; }
  void End() { --depth_; }

  /// The most bytes that were out at a time, but for those that an operator had for itself and gave back before it
  /// ended.
  double Peak() const {
    std::vector<bool> workspace(events_.size());
    std::map<const void*, std::size_t> given;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (events_[i].bytes > 0) given[events_[i].pointer] = i;
      const auto found = given.find(events_[i].pointer);
      if (events_[i].bytes > 0 || found == given.end()) continue;
      const bool own = events_[i].operation >= 0 && events_[found->second].operation == events_[i].operation;
      workspace[i] = workspace[found->second] = own;
      given.erase(found);
    }
    std::int64_t live = 0, peak = 0;
    for (std::size_t i = 0; i < events_.size(); ++i)
      if (!workspace[i]) peak = std::max(peak, live += events_[i].bytes);
    return static_cast<double>(peak);
  }

 private:
  struct Event {
    const void* pointer;
    std::int64_t bytes;      // negative when it is given back
    std::int64_t operation;  // −1: outside of any
  };

  std::vector<Event> events_;
  std::int64_t operators_ = 0, depth_ = 0;
};

AllocationLog& Log() {
  return *static_cast<AllocationLog*>(c10::ThreadLocalDebugInfo::get(c10::DebugInfoKind::PROFILER_STATE));
}

std::unique_ptr<at::ObserverContext> BeginOperator(const at::RecordFunction& /*function*/) {
  Log().Begin();
  return nullptr;
}

void EndOperator(const at::RecordFunction& /*function*/, at::ObserverContext* /*context*/) { Log().End(); }

double MeasuredPeak(const Network& network, const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  network.Forward(inputs);  // what is set up once is not the activations'
  const auto log = std::make_shared<AllocationLog>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, log);
  const auto operators = at::addThreadLocalCallback(
      at::RecordFunctionCallback(BeginOperator, EndOperator).scopes({at::RecordScope::FUNCTION}));
  network.Forward(inputs);
  at::removeCallback(operators);
  return log->Peak();
}

/// The peak of a plan with one width for every layer's input.
double Peak(const std::vector<CostTable>& tables, int bits) {
  double peak = 0;
  for (const CostTable& table : tables) {
    double sum = table.fixed;
    for (std::size_t i = 0; i < table.layers.size(); ++i) sum += table.At(i, 4, bits).value();
    peak = std::max(peak, sum);
  }
  return peak;
}

std::vector<at::Tensor> Image(std::int64_t size) {
  return {at::randn({1, 3, size, size}, at::make_generator<at::CPUGeneratorImpl>(1))};
}

Network ResNet20() { return Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt"); }
Network MobileNet() {
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "profile" / "models" / "mobilenet.pt");
}

TEST(ActivationMemory, OfFloatNetworksIsWhatARunAllocates) {
  for (const auto& [name, network, size] : {std::tuple{"resnet20", ResNet20(), 32},
                                            {"mobilenet", MobileNet(), 64},
                                            {"resnet20", ResNet20(), 96},
                                            {"mobilenet", MobileNet(), 224}}) {
    const double measured = MeasuredPeak(network, Image(size)),
                 predicted = Peak(ActivationMemory(network, Image(size), {8, 32}), 32);
    RecordProperty(std::string(name) + std::to_string(size), std::to_string(measured / predicted));
    EXPECT_NEAR(measured, predicted, 0.05 * predicted) << name << " at " << size;
  }
}

// 16 × 32 × 32 numbers are 65,536 bytes in float. A block's addition reads two such tensors and makes a third. Whatever
// an addition reads or hands to another one stays in float, so that no plan needs less, and no other moment ever more.
TEST(ActivationMemory, OfResNet20IsThatOfTheAdditions) {
  const std::vector<CostTable> tables = ActivationMemory(ResNet20(), Image(32), {2, 4, 8, 32});
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].cost, "activation_memory_bytes@add");
  EXPECT_EQ(tables[0].fixed, 3 * 65536);
  for (const LayerCost& layer : tables[0].layers) EXPECT_TRUE(layer.values.empty()) << layer.name;
}

// The first bottleneck [8 → 48 → 48 → 8] on 32 × 32 (image 64): its input stays in float for the addition. The
// depthwise convolution has that and both its sides, which shrink, the ReLU6 in place notwithstanding; the last
// convolution has its own input and output, which stays in float.
TEST(ActivationMemory, OfMobileNetIsThatOfADepthwiseOrAProjectingConvolution) {
  const std::vector<CostTable> tables = ActivationMemory(MobileNet(), Image(64), {4, 8, 32});
  const double wide = 48 * 32 * 32, narrow = 4 * 8 * 32 * 32;
  EXPECT_EQ(Peak(tables, 32), narrow + 2 * 4 * wide);
  EXPECT_EQ(Peak(tables, 8), narrow + 2 * wide);
  EXPECT_EQ(Peak(tables, 4), 2 * narrow + wide / 2);
}

/// By how much `a` is above `b` in the plan where that is least; widths of layers do not hang together.
double LeastExcess(const CostTable& a, const CostTable& b, const std::vector<int>& widths) {
  double excess = a.fixed - b.fixed;
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    double least = std::numeric_limits<double>::infinity();
    for (const int width : widths) least = std::min(least, a.At(i, 4, width).value() - b.At(i, 4, width).value());
    excess += least;
  }
  return excess;
}

TEST(ActivationMemory, KeepsNoMomentThatAnotherOneExceedsInEveryPlan) {
  const std::vector<int> widths = {2, 4, 8, 32};
  const std::vector<CostTable> tables = ActivationMemory(MobileNet(), Image(64), widths);
  ASSERT_GT(tables.size(), 1U);
  for (const CostTable& a : tables)
    for (const CostTable& b : tables)
      if (&a != &b) {
        EXPECT_LT(LeastExcess(a, b, widths), 0) << b.cost << " is never above " << a.cost;
      }
}

// Every plan's peak, summed anew over all moments of the trace, none left out.
TEST(ActivationMemory, LeavesOutOnlyMomentsThatNeverAreThePeak) {
  const Network network = MobileNet();
  const std::vector<int> widths = {2, 4, 8, 32};
  const std::vector<CostTable> tables = ActivationMemory(network, Image(64), widths);
  const network::ActivationTrace trace = network::TraceActivations(network, Image(64));
  EXPECT_LT(tables.size(), trace.moments.size());
  std::mt19937 random(1);
  for (int plan = 0; plan < 200; ++plan) {
    std::vector<int> bits;
    for (std::size_t i = 0; i < network.layers().size(); ++i) bits.push_back(widths[random() % widths.size()]);
    double peak = 0, tabulated = 0;
    for (const network::Moment& moment : trace.moments) {
      std::map<std::size_t, double> buffers;
      for (const std::size_t index : moment.live) {
        const network::BufferVersion& version = trace.versions[index];
        const int width = version.layer < 0 ? 32 : bits[static_cast<std::size_t>(version.layer)];
        double& bytes = buffers[version.buffer];
        bytes = std::max(bytes, std::ceil(static_cast<double>(version.elements * width) / 8));
      }
      double sum = 0;
      for (const auto& [buffer, bytes] : buffers) sum += bytes;
      peak = std::max(peak, sum);
    }
    for (const CostTable& table : tables) {
      double sum = table.fixed;
      for (std::size_t i = 0; i < bits.size(); ++i) sum += table.At(i, 4, bits[i]).value();
      tabulated = std::max(tabulated, sum);
    }
    EXPECT_EQ(tabulated, peak);
  }
}

TEST(ActivationMemory, NeverGrowsWithNarrowerInputsAndNeverExceedsTheFloatPeak) {
  ForEachCase([&](const ModelCase& model) {
    const std::string kind = model.kinds().front();
    NetworkOptions options;
    options.output = model.AnyOutput();
    options.fold_batch_norm = false;  // some of these are there to be refused
    const Network network = model.Load(kind, options);
    const std::vector<CostTable> tables = ActivationMemory(network, model.SampleInputs(), {2, 4, 8, 16, 32});
    double before = 0;
    for (const int bits : {2, 4, 8, 16, 32}) {
      EXPECT_GE(Peak(tables, bits), before) << bits;
      before = Peak(tables, bits);
    }
    EXPECT_GT(before, 0);
    // In LibTorch's own operators there is no telling what is workspace: the measure bounds from above, but for the
    // inputs.
    double inputs = 0;
    for (const at::Tensor& input : model.SampleInputs()) inputs += static_cast<double>(input.nbytes());
    const double measured = MeasuredPeak(network, model.SampleInputs());
    EXPECT_LE(before, measured + inputs + 64) << kind;
  });
}

}  // namespace
}  // namespace bitplan::test
