#include <ATen/ATen.h>
#include <ATen/core/Dict.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <string>
#include <utility>
#include <vector>

#include "bitplan/data.h"
#include "data/error_message.h"
#include "data/fixtures.h"
#include "data/temp_folder.h"

namespace bitplan {
namespace {

using test::ErrorMessage;
using testing::AllOf;
using testing::HasSubstr;

/// Two samples, all of the number.
at::Tensor Filled(double number) { return at::full({2, 3}, number, at::kFloat); }

/// A file as torch.save writes it of a dict; its data as a network with inputs of these names takes them.
class SavedDict {
 public:
  explicit SavedDict(const std::vector<std::pair<std::string, at::Tensor>>& entries) {
    c10::Dict<std::string, at::Tensor> dict;
    for (const auto& [name, tensor] : entries) dict.insert(name, tensor);
    const std::vector<char> bytes = torch::jit::pickle_save(c10::IValue(dict));
    file_ = folder_.Write("data.pt", {bytes.begin(), bytes.end()});
  }

  Dataset Load(const std::vector<std::string>& names) const {
    DataOptions options;
    options.input_names = names;
    return Dataset::Load("pt:" + file_, options);
  }

  /// The number that each input is filled with.
  std::vector<double> Numbers(const std::vector<std::string>& names) const {
    std::vector<double> numbers;
    for (const at::Tensor& input : Load(names).Get(0, 1).inputs) numbers.push_back(input[0][0].item<double>());
    return numbers;
  }

 private:
  test::TempFolder folder_;
  std::string file_;
};

const at::Tensor kLabels = at::arange(2, at::kLong);

TEST(NamedInputs, AreTheNetworksWhateverTheirOrder) {
  const SavedDict file({{"attention_mask", Filled(1)}, {"labels", kLabels}, {"input_ids", Filled(2)}});
  EXPECT_EQ(file.Numbers({"input_ids", "attention_mask"}), (std::vector<double>{2, 1}));
  EXPECT_EQ(file.Numbers({"attention_mask", "input_ids"}), (std::vector<double>{1, 2}));
  EXPECT_TRUE(file.Load({"input_ids", "attention_mask"}).has_labels());
}

TEST(NamedInputs, LeaveOtherTensorsOut) {
  const SavedDict file({{"token_type_ids", Filled(3)}, {"input_ids", Filled(2)}, {"label", kLabels}});
  EXPECT_EQ(file.Numbers({"input_ids"}), (std::vector<double>{2}));
  EXPECT_TRUE(file.Load({"input_ids"}).has_labels());
}

TEST(NamedInputs, AreInFileOrderWhereNoneIsNamed) {
  const SavedDict file({{"b", Filled(1)}, {"a", Filled(2)}});
  EXPECT_EQ(file.Numbers({"x", "z"}), (std::vector<double>{1, 2}));
  EXPECT_EQ(file.Numbers({}), (std::vector<double>{1, 2}));
}

TEST(NamedInputs, AreAllNeeded) {
  const SavedDict file({{"input_ids", Filled(1)}, {"mask", Filled(2)}});
  const std::string message = ErrorMessage([&] { file.Load({"input_ids", "attention_mask"}); });
  EXPECT_THAT(message, AllOf(HasSubstr("input attention_mask"), HasSubstr("holds input_ids, mask"),
                             HasSubstr("inputs are input_ids, attention_mask")));
}

TEST(NamedInputs, ComeBeforeNamesOfLabels) {
  const SavedDict file({{"y", Filled(4)}, {"x", Filled(5)}, {"label", kLabels}});
  EXPECT_EQ(file.Numbers({"x", "y"}), (std::vector<double>{5, 4}));
  EXPECT_TRUE(file.Load({"x", "y"}).has_labels());
}

TEST(NamedInputs, OfAnArchiveOfArraysToo) {
  DataOptions options;
  options.input_names = {"first", "second"};
  const Dataset swapped = Dataset::Load("npz:" + test::FixturePath("deflated.npz").string(), options);
  const Dataset in_order = Dataset::Load("npz:" + test::FixturePath("deflated.npz").string(), {});
  EXPECT_TRUE(at::equal(swapped.Get(0, 3).inputs[0], in_order.Get(0, 3).inputs[1]));
  EXPECT_TRUE(at::equal(swapped.Get(0, 3).inputs[1], in_order.Get(0, 3).inputs[0]));
  EXPECT_TRUE(swapped.has_labels());
}

/// A file as torch.save writes it of a tuple.
Dataset LoadTuple(const std::vector<at::Tensor>& tensors, const std::vector<std::string>& names) {
  const std::vector<c10::IValue> entries(tensors.begin(), tensors.end());
  const std::vector<char> bytes = torch::jit::pickle_save(c10::ivalue::Tuple::create(entries));
  const test::TempFolder folder;
  DataOptions options;
  options.input_names = names;
  return Dataset::Load("pt:" + folder.Write("data.pt", {bytes.begin(), bytes.end()}), options);
}

TEST(TensorsWithoutNames, AreInputsAndThenLabels) {
  const Dataset data = LoadTuple({Filled(1), kLabels}, {"x"});
  EXPECT_EQ(data.Get(0, 2).inputs.size(), 1u);
  EXPECT_TRUE(data.labels().equal(kLabels));
  EXPECT_EQ(LoadTuple({Filled(1), Filled(2), kLabels}, {"x", "mask"}).Get(0, 2).inputs.size(), 2u);
  EXPECT_FALSE(LoadTuple({Filled(1), Filled(2)}, {"x", "mask"}).has_labels());
  EXPECT_FALSE(LoadTuple({Filled(1), Filled(2)}, {}).has_labels());
}

TEST(TensorsWithoutNames, OfAnotherNumberAreRefused) {
  EXPECT_THAT(
      ErrorMessage([] { LoadTuple({Filled(1), Filled(2), kLabels}, {"x"}); }),
      AllOf(HasSubstr("holds 3 tensors"), HasSubstr("takes 1 (x)"), HasSubstr("labels are known by the name label")));
  EXPECT_THAT(ErrorMessage([] { SavedDict({{"image", Filled(1)}, {"truth", kLabels}}).Load({"x"}); }),
              AllOf(HasSubstr("holds 2 tensors"), HasSubstr("takes 1 (x)")));
}

TEST(NamedLabels, AreKnownByTheirUsualNames) {
  for (const auto& [input, label] : std::vector<std::pair<std::string, std::string>>{{"input", "label"},
                                                                                     {"image", "target"},
                                                                                     {"images", "labels"},
                                                                                     {"X", "Y"},
                                                                                     {"x", "y"},
                                                                                     {"data", "Targets"},
                                                                                     {"pixel_values", "label_ids"},
                                                                                     {"img", "class"},
                                                                                     {"samples", "ground_truth"}})
    for (const auto& names : std::vector<std::vector<std::string>>{{}, {"x"}, {"input"}}) {
      const Dataset data = SavedDict({{input, Filled(1)}, {label, kLabels}}).Load(names);
      EXPECT_TRUE(data.has_labels()) << label;
      EXPECT_EQ(data.Get(0, 1).inputs.size(), 1u) << label;
    }
}

}  // namespace
}  // namespace bitplan
