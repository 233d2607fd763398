// An analysis in parts: merged they are the whole one, byte for byte; what does not belong together is refused.
#include "bitplan/analysis_parts.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <torch/types.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "analysis_run.h"
#include "bitplan/analyze.h"
#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "data/npy_file.h"
#include "files/journal.h"
#include "files/temporary_folder.h"
#include "message_of.h"

namespace bitplan::hessian {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class AnalysisParts : public ::testing::Test {
 protected:
  AnalysisParts() { at::set_num_threads(1); }

  /// A model of tests/hessian/models.
  static Network Model(const std::string& name) {
    return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "hessian" / "models" / (name + ".pt"), {});
  }

  /// Noise, in a file.
  Dataset Samples(const std::vector<std::int64_t>& shape, std::uint64_t seed = 1) const {
    at::manual_seed(seed);
    const at::Tensor samples = at::randn(shape);
    const std::vector<float> numbers(samples.const_data_ptr<float>(),
                                     samples.const_data_ptr<float>() + samples.numel());
    const std::string file = "samples" + std::to_string(seed) + ".npy";
    WriteFile(folder_ / file, test::NpyOfFloats(shape, numbers));
    return Dataset::Load((folder_ / file).string(), {});
  }

  /// All files that a sensitivity is written to.
  std::map<std::string, std::string> Bytes(const Sensitivity& sensitivity) const {
    const std::filesystem::path out = folder_ / "out";
    std::filesystem::remove_all(out);
    std::filesystem::create_directories(out);
    WriteSensitivity(out / "s.json", sensitivity);
    std::map<std::string, std::string> bytes;
    for (const auto& entry : std::filesystem::directory_iterator(out))
      bytes[entry.path().filename().string()] = Contents(entry.path());
    return bytes;
  }

  std::filesystem::path Part(const AnalysisShare& share) const {
    return folder_ /
           ("part" + std::to_string(share.first) + "-" + std::to_string(share.last) + "of" + std::to_string(share.of));
  }

  std::vector<std::filesystem::path> Parts(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                                           const std::vector<AnalysisShare>& shares) const {
    std::vector<std::filesystem::path> files;
    for (const AnalysisShare& share : shares) {
      AnalyzePart(network, data, options, share, Part(share));
      files.push_back(Part(share));
    }
    return files;
  }

  const TemporaryFolder folder_;
};

const std::vector<std::vector<AnalysisShare>> kDivisions = {
    {{0, 1, 1}},
    {{0, 1, 4}, {1, 4, 4}},
    {{2, 3, 3}, {0, 1, 3}, {1, 2, 3}},
    {{5, 6, 10}, {0, 1, 10}, {6, 10, 10}, {1, 3, 10}, {3, 5, 10}}};

AnalyzeOptions Everything() {
  AnalyzeOptions options;
  options.weight_bits = {1, 4, 32};
  options.activation_bits = {4, 8};
  options.measures = AllMeasures();
  options.keep_shifts = true;
  options.batch_size = 40;
  options.curvature_samples = 20;
  options.trace.min_probes = 4;
  options.trace.max_probes = 14;
  return options;
}

struct Case {
  std::string name;
  std::string model;
  std::vector<std::int64_t> samples;
  AnalyzeOptions options;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  cases.push_back({"ByDefault", "ReluMlp", {200, 3}, {}});
  cases.push_back({"OfEverything", "ConvBatchNorm", {200, 2, 4, 4}, Everything()});
  cases.push_back({"OfTiedInputs", "SharedInput", {150, 4}, Everything()});
  cases.push_back({"OfExactHessians", "TanhMlp", {70, 4}, Everything()});
  cases.back().options.exact_hessian = true;
  cases.back().options.batch_size = 6;
  cases.push_back({"WithLayersThatAreNotReached", "DeadBranch", {100, 4}, Everything()});
  cases.push_back({"Linear", "ReluMlp", {200, 3}, {}});
  cases.back().options.delta = Delta::Linear;
  cases.push_back({"UntilPrecise", "ReluMlp", {400, 3}, {}});
  cases.back().options.precision = 0.5;
  cases.push_back({"InBFloat16", "Attention", {100, 5, 4}, Everything()});
  cases.back().options.compute = Arithmetic::BFloat16;
  return cases;
}

class AnalysisInParts : public AnalysisParts, public ::testing::WithParamInterface<Case> {};

TEST_P(AnalysisInParts, IsTheWholeOneByteForByte) {
  const Network network = Model(GetParam().model);
  const Dataset data = Samples(GetParam().samples);
  const std::map<std::string, std::string> whole = Bytes(Analyze(network, data, GetParam().options));
  for (const std::vector<AnalysisShare>& shares : kDivisions) {
    const auto files = Parts(network, data, GetParam().options, shares);
    EXPECT_EQ(Bytes(MergeParts(network, data, GetParam().options, files)), whole) << shares.size() << " parts";
  }
}

std::string NameOf(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Of, AnalysisInParts, ::testing::ValuesIn(Cases()), NameOf);

/// Each has units of its own: none does another's.
TEST_F(AnalysisParts, HaveEveryRecordOnce) {
  const Network network = Model("ConvBatchNorm");
  const Dataset data = Samples({200, 2, 4, 4});
  std::multiset<std::string> records;
  for (const auto& file : Parts(network, data, Everything(), {{0, 1, 2}, {1, 2, 2}})) {
    const files::Journal journal(file, AnalysisSubject(network, data, Everything()));
    std::size_t own = 0;
    for (const std::string& name : journal.steps()) {
      if (name.starts_with("all parts: ") || name.starts_with("shares ")) continue;
      records.insert(name);
      ++own;
    }
    EXPECT_GT(own, 5U);
  }
  EXPECT_GT(records.size(), 20U);
  for (const std::string& name : records) EXPECT_EQ(records.count(name), 1U) << name;
}

TEST_F(AnalysisParts, OfWhichOneIsMissingOrTwoOverlapAreRefusedByName) {
  const Network network = Model("ReluMlp");
  const Dataset data = Samples({200, 3});
  const AnalyzeOptions options;
  const auto files = Parts(network, data, options, {{0, 1, 3}, {1, 2, 3}, {2, 3, 3}, {1, 3, 3}});
  const auto message = [&](const std::vector<std::filesystem::path>& some) {
    return MessageOf([&] { MergeParts(network, data, options, some); });
  };
  EXPECT_EQ(message({files[0], files[3]}), "no error");
  EXPECT_THAT(message({files[0], files[2]}), AllOf(HasSubstr("missing"), HasSubstr(files[0].string())));
  EXPECT_THAT(message({files[0], files[1]}), AllOf(HasSubstr("missing"), HasSubstr("weight errors of layer")));
  EXPECT_THAT(message({files[0], files[1], files[3]}),
              AllOf(HasSubstr(files[1].string()), HasSubstr(files[3].string()), HasSubstr("both have")));
  EXPECT_THAT(message({files[0], files[0], files[3]}), HasSubstr("both have"));
  EXPECT_THAT(message({files[0], folder_ / "other"}), AllOf(HasSubstr("other"), HasSubstr("no such part")));
  EXPECT_THAT(message({}), HasSubstr("no parts"));
}

TEST_F(AnalysisParts, OfAnotherAnalysisAreRefusedByName) {
  const Network network = Model("ReluMlp");
  const Dataset data = Samples({200, 3});
  const auto files = Parts(network, data, {}, {{0, 1, 2}, {1, 2, 2}});
  AnalyzeOptions options;
  options.seed = 5;
  EXPECT_THAT(MessageOf([&] { MergeParts(network, data, options, files); }),
              AllOf(HasSubstr(files[0].string()), HasSubstr("another seed: 0 there, 5 here")));
  EXPECT_THAT(MessageOf([&] { MergeParts(network, Samples({200, 3}, 2), {}, files); }),
              AllOf(HasSubstr("another"), HasSubstr("of data")));
  EXPECT_THAT(MessageOf([&] { MergeParts(network, data.First(100), {}, files); }), HasSubstr("another"));
  EXPECT_THAT(MessageOf([&] { MergeParts(Model("TanhMlp"), Samples({200, 4}), {}, files); }), HasSubstr("another"));
  EXPECT_EQ(MessageOf([&] { MergeParts(network, data, {}, files); }), "no error");
}

/// What a limit leaves room for may differ by machine.
TEST_F(AnalysisParts, InBlocksOfOtherSizesAreRefused) {
  const Network network = Model("ReluMlp");
  const Dataset data = Samples({200, 3});
  const auto files = Parts(network, data, {}, {{0, 1, 2}, {1, 2, 2}});
  const files::JournalSubject subject = AnalysisSubject(network, data, {});
  const files::Journal first(files[0], subject);
  files::Journal other(folder_ / "other", subject);
  for (const std::string& name : first.steps())
    if (name.starts_with("all parts: ")) {
      std::vector<std::int64_t> sizes = first.Rows<std::int64_t>(name, 1);
      sizes[0] /= 2;
      other.Add(name, sizes);
    }
  EXPECT_THAT(MessageOf([&] { MergeParts(network, data, {}, {files[0], folder_ / "other"}); }),
              AllOf(HasSubstr("differ in samples at once for output shifts"), HasSubstr("blocks of the same size")));
}

TEST_F(AnalysisParts, GoOnWhereTheyBrokeOff) {
  const Network network = Model("ReluMlp");
  const Dataset data = Samples({300, 3});
  const AnalysisShare share{0, 1, 1};
  AnalyzeOptions options;
  const auto whole = Bytes(Analyze(network, data, options));
  AnalyzePart(network, data, options, share, folder_ / "whole");
  const std::string complete = Contents(folder_ / "whole");
  WriteFile(folder_ / "part", complete.substr(0, complete.size() * 2 / 3));
  std::int64_t first = -1;
  options.progress = [&](const Progress& step) {
    if (step.stage == "logit shifts" && first < 0) first = step.done;
  };
  EXPECT_THAT(MessageOf([&] { MergeParts(network, data, options, {folder_ / "part"}); }),
              AllOf(HasSubstr("missing"), HasSubstr("figures of samples ")));
  AnalyzePart(network, data, options, share, folder_ / "part");
  const auto choices = static_cast<std::int64_t>(options.weight_bits.size() * network.layers().size());
  EXPECT_GT(first, 64 * choices);  // goes on behind the first block
  EXPECT_EQ(Contents(folder_ / "part"), complete);
  EXPECT_EQ(Bytes(MergeParts(network, data, options, {folder_ / "part"})), whole);
  EXPECT_THAT(MessageOf([&] { AnalyzePart(network, data, options, {0, 1, 2}, folder_ / "part"); }),
              HasSubstr("is another part than shares 0 to 1 of 2"));
}

/// A checkpoint of the whole analysis has the same records as parts of it.
TEST_F(AnalysisParts, AreWhatACheckpointHolds) {
  const Network network = Model("ReluMlp");
  const Dataset data = Samples({200, 3});
  AnalyzeOptions options, with_checkpoint;
  with_checkpoint.checkpoint = folder_ / "checkpoint";
  const auto whole = Bytes(Analyze(network, data, with_checkpoint));
  EXPECT_EQ(Bytes(MergeParts(network, data, options, {folder_ / "checkpoint"})), whole);
  EXPECT_THAT(MessageOf([&] { AnalyzePart(network, data, with_checkpoint, {}, folder_ / "part"); }),
              HasSubstr("is its own checkpoint"));
}

TEST(AnalysisShare, DividesUnitsWithoutGapOrOverlap) {
  for (const std::int64_t units : {0, 1, 2, 7, 100})
    for (const std::int64_t of : {1, 2, 3, 7, 8}) {
      std::int64_t next = 0;
      for (std::int64_t i = 0; i < of; ++i) {
        const auto [begin, end] = AnalysisShare{i, i + 1, of}.Units(units);
        EXPECT_EQ(begin, next);
        EXPECT_LE(begin, end);
        next = end;
      }
      EXPECT_EQ(next, units);
    }
  for (const AnalysisShare& wrong : {AnalysisShare{1, 1, 2}, AnalysisShare{-1, 1, 2}, AnalysisShare{1, 3, 2}})
    EXPECT_THAT(MessageOf([&] { wrong.Validate(); }), HasSubstr("expected 0 ≤ first < last ≤ of"));
}

}  // namespace
}  // namespace bitplan::hessian
