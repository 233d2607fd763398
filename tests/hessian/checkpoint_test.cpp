// What an analysis can be gone on from: its own checkpoint, and no other.
#include <gmock/gmock.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "bitplan/analyze.h"
#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "data/npy_file.h"
#include "files/temporary_folder.h"
#include "hessian/options_fields.h"
#include "message_of.h"

namespace bitplan::hessian {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AnalysisCheckpoint : public ::testing::Test {
 protected:
  AnalysisCheckpoint() {
    at::manual_seed(1);
    torch::jit::Module module("TwoHeads");
    for (const char* name : {"body", "first", "second"}) module.register_parameter(name, at::randn({4, 4}), false);
    module.define(R"(
      def forward(self, x):
          features = torch.relu(torch.linear(x, self.body))
          return torch.linear(features, self.first), torch.linear(features, self.second)
    )");
    module.save((folder_ / "model.pt").string());
    const at::Tensor samples = at::randn({kSamples, 4});
    const std::vector<float> numbers(samples.const_data_ptr<float>(),
                                     samples.const_data_ptr<float>() + samples.numel());
    WriteFile(folder_ / "samples.npy", test::NpyOfFloats({kSamples, 4}, numbers));
    options_.checkpoint = folder_ / "checkpoint";
    options_.weight_bits = {2, 4};
  }

  Network WithOutput(const std::string& output) const {
    NetworkOptions options;
    options.output = output;
    return Network::Load(folder_ / "model.pt", options);
  }

  Dataset Samples(std::int64_t count = 0, std::uint64_t seed = 0) const {
    DataOptions options;
    options.samples = count;
    options.seed = seed;
    return Dataset::Load((folder_ / "samples.npy").string(), options);
  }

  std::string Message(const Network& network, const Dataset& data, const AnalyzeOptions& options) const {
    return MessageOf([&] { Analyze(network, data, options); });
  }

  static constexpr std::int64_t kSamples = 24;
  const TemporaryFolder folder_;
  AnalyzeOptions options_;
};

TEST_F(AnalysisCheckpoint, OfAnotherOutputOfTheSameModelIsRefused) {
  Analyze(WithOutput("0"), Samples(), options_);
  EXPECT_THAT(Message(WithOutput("1"), Samples(), options_),
              HasSubstr("another output of options of network: 0 there, 1"));
  EXPECT_EQ(Message(WithOutput("0"), Samples(), options_), "no error");
}

TEST_F(AnalysisCheckpoint, OfAnotherDrawOrPartOfTheSameDataIsRefused) {
  const Network network = WithOutput("0");
  Analyze(network, Samples(12, 1), options_);
  EXPECT_THAT(Message(network, Samples(12, 2), options_),
              HasSubstr("another seed of options of data: 1 there, 2 here"));
  EXPECT_EQ(Message(network, Samples(12, 1), options_), "no error");
  std::filesystem::remove(options_.checkpoint);
  Analyze(network, Samples().First(12), options_);
  EXPECT_THAT(Message(network, Samples().From(12), options_), HasSubstr("another first of data: 0 there, 12 here"));
}

/// What memory is left depends on the rest: the user is told what he changed.
TEST_F(AnalysisCheckpoint, OfOtherSamplesAndSoOfOtherMemoryIsRefusedForTheSamples) {
  const Network network = WithOutput("0");
  Analyze(network, Samples(12, 1), options_);
  AnalyzeOptions changed = options_;
  changed.memory_bytes -= 1;
  EXPECT_THAT(Message(network, Samples(13, 1), changed), HasSubstr("another samples: 12 there, 13 here"));
  changed.seed = 9;
  EXPECT_THAT(Message(network, Samples(12, 1), changed), HasSubstr("another seed"));
}

/// Each option changed, by name; a new one needs a line here.
TEST_F(AnalysisCheckpoint, OfAnyOtherOptionIsRefused) {
  using Change = std::function<void(AnalyzeOptions&)>;
  const std::map<std::string, Change> changes = {
      {"weight_bits", [](auto& o) { o.weight_bits = {2, 3}; }},
      {"activation_bits", [](auto& o) { o.activation_bits = {8}; }},
      {"measures", [](auto& o) { o.measures = {Measure::Divergence}; }},
      {"weight_format", [](auto& o) { o.weight_format.percentile = 50; }},
      {"activation_format", [](auto& o) { o.activation_format.deviations = 2; }},
      {"channel_correction", [](auto& o) { o.channel_correction = false; }},
      {"keep_shifts", [](auto& o) { o.keep_shifts = true; }},
      {"operands", [](auto& o) { o.operands = {{"add_0.0", DefaultActivationFormat()}}; }},
      {"delta", [](auto& o) { o.delta = Delta::Linear; }},
      {"loss", [](auto& o) { o.loss = Loss::LogitShift; }},
      {"temperature", [](auto& o) { o.temperature = 2; }},
      {"precision", [](auto& o) { o.precision = 0.5; }},
      {"exact_hessian", [](auto& o) { o.exact_hessian = true; }},
      {"curvature_samples", [](auto& o) { o.curvature_samples = 3; }},
      {"compute", [](auto& o) { o.compute = Arithmetic::BFloat16; }},
      {"memory_bytes", [](auto& o) { o.memory_bytes -= 1; }},
      {"batch_size", [](auto& o) { o.batch_size = 5; }},
      {"seed", [](auto& o) { o.seed = 5; }},
      {"eigen", [](auto& o) { o.eigen.tolerance = 0.5; }},
      {"trace", [](auto& o) { o.trace.max_probes = 64; }}};
  const Network network = WithOutput("0");
  Analyze(network, Samples(), options_);
  const files::Json options = files::OptionsJson(options_, {"checkpoint", "progress"});
  EXPECT_EQ(options.size(), changes.size());
  for (const auto& [name, value] : options.items()) {
    ASSERT_TRUE(changes.contains(name)) << name;
    AnalyzeOptions changed = options_;
    changes.at(name)(changed);
    std::string words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    EXPECT_THAT(Message(network, Samples(), changed), AllOf(HasSubstr("begun with another"), HasSubstr(words)));
  }
}

/// Its file cut off or changed anywhere: the analysis comes to the same, or says in one line what is wrong.
TEST_F(AnalysisCheckpoint, ThatIsDamagedIsRefusedOrMadeUpFor) {
  const Network network = WithOutput("0");
  WriteSensitivity(folder_ / "whole.json", Analyze(network, Samples(), options_));
  const std::string whole = Contents(options_.checkpoint), expected = Contents(folder_ / "whole.json");
  const auto check = [&](const std::string& bytes, std::size_t at) {
    WriteFile(options_.checkpoint, bytes);
    try {
      WriteSensitivity(folder_ / "whole.json", Analyze(network, Samples(), options_));
      EXPECT_EQ(Contents(folder_ / "whole.json"), expected) << at;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr(options_.checkpoint.string()), HasSubstr("remove"), Not(HasSubstr("\n"))));
    }
  };
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 20 + 1) {
    check(whole.substr(0, at), at);
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    check(changed, at);
  }
}

}  // namespace
}  // namespace bitplan::hessian
