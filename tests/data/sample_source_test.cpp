// Data that is no file of ours and need not fit into memory: a Dataset reads what it is asked for, and no more.
#include "bitplan/sample_source.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>

#include "bitplan/data.h"
#include "data/draw.h"
#include "data/error_message.h"
#include "data/temp_folder.h"
#include "data/tensor_values.h"

namespace bitplan {
namespace {

using test::ErrorMessage;
using test::Values;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Sample n of input i holds the number 10 n + i in every element; labels are n mod 3.
class Counting : public SampleSource {
 public:
  Counting(std::int64_t size, std::vector<SampleForm> forms, bool labels = false)
      : size_(size), forms_(std::move(forms)), labels_(labels) {}

  std::int64_t size() const override { return size_; }
  std::vector<SampleForm> inputs() const override { return forms_; }
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override {
    read_ += end - begin;
    std::vector<at::Tensor> inputs;
    for (std::size_t i = 0; i < forms_.size(); ++i) {
      const auto numbers = at::arange(begin, end, at::kLong) * 10 + static_cast<std::int64_t>(i);
      std::vector<std::int64_t> shape(forms_[i].shape.size() + 1, 1), whole = forms_[i].shape;
      shape[0] = end - begin;
      whole.insert(whole.begin(), end - begin);
      inputs.push_back(numbers.view(shape).expand(whole).to(forms_[i].type));
    }
    return inputs;
  }
  at::Tensor Labels() const override { return labels_ ? at::arange(size_).remainder(3) : at::Tensor(); }
  std::string sha256() const override { return "c0ffee"; }
  std::string name() const override { return "counted"; }

  std::int64_t read() const { return read_; }

 private:
  std::int64_t size_;
  std::vector<SampleForm> forms_;
  bool labels_;
  mutable std::atomic<std::int64_t> read_ = 0;
};

TEST(SampleSource, IsReadWhereItIsAskedForAlone) {
  const auto source =
      std::make_shared<Counting>(1'000'000, std::vector<SampleForm>{{"x", at::kFloat, {256, 256}}}, true);
  const Dataset data = Dataset::FromSource(source);  // 262 GB
  EXPECT_EQ(data.size(), 1'000'000);
  EXPECT_LE(data.bytes(), 8'000'000);  // of labels
  EXPECT_EQ(data.sha256(), "c0ffee");
  EXPECT_EQ(data.source(), "counted");
  EXPECT_EQ(source->read(), 0);
  const Batch batch = data.From(999'000).First(900).Get({899, 2});
  EXPECT_EQ(source->read(), 2);
  EXPECT_EQ(batch.inputs[0].sizes(), (std::vector<std::int64_t>{2, 256, 256}));
  EXPECT_THAT(Values(batch.inputs[0].select(1, 5).select(1, 7)), ElementsAre(9'998'990, 9'990'020));
  EXPECT_THAT(Values(batch.labels), ElementsAre(999'899 % 3, 999'002 % 3));
}

/// The same samples through memory.
Dataset InMemory(const Counting& source, const DataOptions& options) {
  return Dataset::FromTensors(source.Inputs(0, source.size()), source.Labels(), options);
}

void ExpectSame(const Batch& actual, const Batch& expected) {
  ASSERT_EQ(actual.inputs.size(), expected.inputs.size());
  for (std::size_t i = 0; i < expected.inputs.size(); ++i) {
    EXPECT_EQ(actual.inputs[i].scalar_type(), expected.inputs[i].scalar_type());
    EXPECT_TRUE(actual.inputs[i].equal(expected.inputs[i])) << i;
  }
  EXPECT_TRUE(actual.labels.equal(expected.labels));
}

TEST(SampleSource, GivesWhatTheSameSamplesGiveInMemory) {
  for (const at::ScalarType type : {at::kByte, at::kInt, at::kHalf, at::kDouble, at::kLong}) {
    const auto source =
        std::make_shared<Counting>(20, std::vector<SampleForm>{{"a", type, {3, 2}}, {"b", at::kFloat, {3}}}, true);
    for (const std::int64_t samples : {0, 7}) {
      DataOptions options;
      options.samples = samples;
      options.seed = 5;
      options.ignored_labels = {1};
      if (type != at::kInt && type != at::kLong) {
        options.mean = {1, 2, 3};
        options.std = {0.5, 0.25, 2};
      }
      const Dataset read = Dataset::FromSource(source, options), held = InMemory(*source, options);
      ASSERT_EQ(read.size(), held.size());
      ExpectSame(read.Get(0, read.size()), held.Get(0, held.size()));
      ExpectSame(read.Get({3, 0, 3}), held.Get({3, 0, 3}));
      ExpectSame(read.From(2).First(4).Get(1, 3), held.From(2).First(4).Get(1, 3));
      EXPECT_TRUE(read.labels().equal(held.labels()));
    }
  }
}

TEST(SampleSource, IsDrawnFromAsFilesAre) {
  DataOptions options;
  options.samples = 4;
  options.seed = 9;
  const auto source = std::make_shared<Counting>(1000, std::vector<SampleForm>{{"x", at::kFloat, {1}}});
  std::vector<double> expected;
  for (const std::int64_t sample : data::DrawSamples(1000, 4, 9))
    expected.push_back(10.0 * static_cast<double>(sample));
  EXPECT_EQ(Values(Dataset::FromSource(source, options).Get(0, 4).inputs[0]), expected);
  EXPECT_EQ(source->read(), 4);
  options.samples = 1001;
  EXPECT_EQ(ErrorMessage([&] { Dataset::FromSource(source, options); }),
            "counted: 1,001 samples were asked for, and it has 1,000");
}

/// A file for each sample.
class Folder : public SampleSource {
 public:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}

  std::int64_t size() const override {
    return std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator());
  }
  std::vector<SampleForm> inputs() const override { return {{path_.filename().string(), at::kFloat, {2}}}; }
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override {
    at::Tensor read = at::empty({end - begin, 2});
    for (std::int64_t i = begin; i < end; ++i)
      std::ifstream(path_ / std::to_string(i), std::ios::binary)
          .read(reinterpret_cast<char*>(read[i - begin].data_ptr<float>()), 2 * sizeof(float));
    return {read};
  }
  std::string name() const override { return path_.filename().string(); }

 private:
  std::filesystem::path path_;
};

TEST(SampleSource, MayBeAFolder) {
  const test::TempFolder folder;
  const std::filesystem::path path = folder.Path("samples");
  std::filesystem::create_directories(path);
  for (int i = 0; i < 5; ++i) {
    const float values[] = {static_cast<float>(i), i == 3 ? std::numeric_limits<float>::quiet_NaN() : 0.5F};
    std::ofstream(path / std::to_string(i), std::ios::binary)
        .write(reinterpret_cast<const char*>(values), sizeof values);
  }
  const Dataset data = Dataset::FromSource(std::make_shared<Folder>(path));
  EXPECT_EQ(data.size(), 5);
  EXPECT_FALSE(data.has_labels());
  EXPECT_THAT(Values(data.Get({4, 1}).inputs[0]), ElementsAre(4, 0.5, 1, 0.5));
  EXPECT_THAT(ErrorMessage([&] { data.Get(2, 5); }),
              AllOf(HasSubstr("samples: sample 3, element [1]"), HasSubstr("NaN")));
  EXPECT_THAT(ErrorMessage([&] { data.From(1).Get({0, 2}); }), HasSubstr("sample 3, element [1]"));
}

/// Gives what it does not say.
class Untrue : public Counting {
 public:
  using Counting::Counting;
  using Counting::Inputs;
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override {
    return {Counting::Inputs(begin, end)[0].unsqueeze(1)};
  }
};

class TooManyLabels : public Counting {
 public:
  using Counting::Counting;
  at::Tensor Labels() const override { return at::zeros({size() + 1}, at::kLong); }
};

TEST(SampleSource, IsHeldToWhatItSays) {
  const std::vector<SampleForm> form = {{"x", at::kFloat, {2}}};
  EXPECT_THAT(ErrorMessage([&] { Dataset::FromSource(std::make_shared<TooManyLabels>(4, form)); }),
              HasSubstr("counted: labels: 5 labels for 4 samples"));
  EXPECT_THAT(ErrorMessage([&] { Dataset::FromSource(std::make_shared<Untrue>(4, form)).Get(0, 3); }),
              HasSubstr("x: gave Float [3, 1, 2] where Float [3, 2] was to come"));
  EXPECT_THAT(ErrorMessage([&] { Dataset::FromSource(nullptr); }), HasSubstr("null"));
  EXPECT_THAT(ErrorMessage([&] { Dataset::FromSource(std::make_shared<Counting>(0, form)); }), HasSubstr("no samples"));
  DataOptions options;
  options.mean = options.std = {1, 2, 3};
  EXPECT_THAT(ErrorMessage([&] { Dataset::FromSource(std::make_shared<Counting>(4, form), options); }),
              HasSubstr("x: mean and std have 3 values"));
}

}  // namespace
}  // namespace bitplan
