// What an analysis does sample by sample: contributions, stopping at a precision, going on after an interruption.
#include <gmock/gmock.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "data/npy_file.h"
#include "files/temporary_folder.h"
#include "hessian/reference.h"
#include "message_of.h"

namespace bitplan::hessian {
namespace {

using ::testing::HasSubstr;

struct Stop : std::runtime_error {
  Stop() : std::runtime_error("stop") {}
};

/// Images for the network ConvBatchNorm, in a file.
Dataset Images(const TemporaryFolder& folder, std::int64_t count) {
  at::manual_seed(3);
  const at::Tensor images = torch::randn({count, 2, 4, 4});
  const std::vector<float> numbers(images.const_data_ptr<float>(), images.const_data_ptr<float>() + images.numel());
  WriteFile(folder / "images.npy", test::NpyOfFloats({count, 2, 4, 4}, numbers));
  return Dataset::Load("npy:" + (folder / "images.npy").string(), {});
}

AnalyzeOptions FewMeasures() {
  AnalyzeOptions options;
  options.weight_bits = {2, 4};
  options.activation_bits = {8, 4};
  options.loss = Loss::Divergence;
  options.batch_size = 16;
  return options;
}

double MeanOf(const Contributions& table, std::size_t measure, std::size_t choice) {
  const double* values = table.values.data() + (measure * table.choices + choice) * table.samples;
  double sum = 0;
  for (std::size_t i = 0; i < table.samples; ++i) sum += values[i];
  return sum / static_cast<double>(table.samples);
}

TEST(Contributions, AreWhatTheFiguresAreMeansOf) {
  const TemporaryFolder folder;
  const Sensitivity sensitivity = Analyze(LoadModel("ConvBatchNorm"), Images(folder, 70), FewMeasures());
  EXPECT_EQ(sensitivity.samples, 70);
  ASSERT_TRUE(sensitivity.contributions);
  const Contributions& table = *sensitivity.contributions;
  EXPECT_EQ(table.samples, 70U);
  EXPECT_EQ(table.choices, 8U);
  EXPECT_EQ(table.measures.size(), 5U);
  for (std::size_t m = 0; m < table.measures.size(); ++m) {
    std::size_t row = 0;
    for (const LayerSensitivity& layer : sensitivity.layers)
      for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
        for (const Perturbation& choice : layer.*kind) {
          const double figure = choice.figures.at(table.measures[m]).value;
          EXPECT_NEAR(MeanOf(table, m, row), figure, 1e-9 * std::abs(figure)) << row;
          ++row;
        }
    EXPECT_EQ(row, table.choices);
  }
}

TEST(Precision, IsReachedWithNoMoreSamplesThanItTakes) {
  const TemporaryFolder folder;
  const Network network = LoadModel("ConvBatchNorm");
  const Dataset images = Images(folder, 400);
  AnalyzeOptions options = FewMeasures();
  options.measures = {Measure::LogitShift, Measure::Divergence};
  options.memory_bytes = 1 << 20;
  const Sensitivity all = Analyze(network, images, options);
  EXPECT_EQ(all.samples, 400);
  const double reachable = WorstRelativeError(all, Measure::LogitShift);
  options.precision = 2 * reachable;
  const Sensitivity some = Analyze(network, images, options);
  EXPECT_LT(some.samples, 250);
  EXPECT_GE(some.samples, 50);
  EXPECT_EQ(some.contributions->samples, static_cast<std::size_t>(some.samples));
  EXPECT_EQ(some.data.samples, 400);
  EXPECT_LE(WorstRelativeError(some, Measure::LogitShift), options.precision);

  options.precision = reachable / 2;
  const Sensitivity ended = Analyze(network, images, options);
  EXPECT_EQ(ended.samples, 400);
  EXPECT_GT(WorstRelativeError(ended, Measure::LogitShift), options.precision);
}

/// Everything that is computed: what is gone on from is equal to what ran through, wherever it was stopped.
TEST(Checkpoint, GivesTheSameBytesWhereverTheAnalysisWasStopped) {
  const TemporaryFolder folder;
  const Network network = LoadModel("ConvBatchNorm");
  const Dataset images = Images(folder, 48);
  AnalyzeOptions options = FewMeasures();
  options.measures = AllMeasures();
  options.keep_shifts = true;
  options.memory_bytes = 256 << 10;
  options.curvature_samples = 16;
  std::int64_t calls = 0;
  options.progress = [&](const Progress&) { ++calls; };
  WriteSensitivity(folder / "s.json", Analyze(network, images, options));
  const std::vector<std::string> files = {"s.json", "s.contributions.npy", "s.shifts.npy", "s.logits.npy"};
  std::vector<std::string> whole;
  for (const std::string& file : files) whole.push_back(Contents(folder / file));
  ASSERT_GT(calls, 20);

  options.checkpoint = folder / "checkpoint";
  for (std::int64_t stop = calls / 13; stop < calls; stop += calls / 13 + 1) {
    std::filesystem::remove(options.checkpoint);
    std::int64_t left = stop;
    options.progress = [&](const Progress&) {
      if (--left == 0) throw Stop();
    };
    EXPECT_THROW(Analyze(network, images, options), Stop);
    std::int64_t more = 0;
    options.progress = [&](const Progress&) { ++more; };
    WriteSensitivity(folder / "s.json", Analyze(network, images, options));
    for (std::size_t i = 0; i < files.size(); ++i)
      EXPECT_EQ(Contents(folder / files[i]), whole[i]) << files[i] << " after " << stop;
    if (stop > calls / 2) {
      EXPECT_LT(more, calls) << "nothing was gone on from";
    }
  }
}

TEST(Checkpoint, OfAnotherAnalysisIsRefused) {
  const TemporaryFolder folder;
  const Network network = LoadModel("ConvBatchNorm");
  const Dataset images = Images(folder, 40);
  AnalyzeOptions options = FewMeasures();
  options.checkpoint = folder / "checkpoint";
  Analyze(network, images, options);
  const auto message = [&](const AnalyzeOptions& changed, const Dataset& data) {
    return MessageOf([&] { Analyze(network, data, changed); });
  };
  EXPECT_EQ(message(options, images), "no error");
  AnalyzeOptions changed = options;
  changed.temperature = 2;
  EXPECT_THAT(message(changed, images), HasSubstr("another temperature: 1 there, 2 here"));
  changed = options;
  changed.channel_correction = false;
  EXPECT_THAT(message(changed, images), HasSubstr("another channel correction"));
  EXPECT_THAT(message(options, images.First(30)), HasSubstr("another samples: 40 there, 30 here"));
  EXPECT_THAT(message(options, LoadSamples("ConvBatchNorm")), HasSubstr("from files"));
}

}  // namespace
}  // namespace bitplan::hessian
