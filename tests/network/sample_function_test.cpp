#include "bitplan/sample_function.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include <fstream>
#include <string>
#include <vector>

#include "message_of.h"
#include "network/function_file.h"

namespace bitplan::network {
namespace {

using test::FunctionFile;
using ::testing::AllOf;
using ::testing::HasSubstr;

at::Tensor Labels(std::int64_t samples) { return torch::arange(samples) % 3; }

std::string Refusal(const std::string& forward, const at::Tensor& labels) {
  const FunctionFile file(forward);
  return MessageOf([&] { SampleFunction::Load(file.path())(torch::ones({4, 3}), labels); });
}

TEST(SampleFunction, GivesANumberForEachSampleInFloat64) {
  const FunctionFile file(test::kCrossEntropySource, "my_loss");
  const SampleFunction function = SampleFunction::Load(file.path());
  torch::manual_seed(1);
  const at::Tensor output = torch::randn({7, 3}, torch::kDouble);
  const at::Tensor expected = at::cross_entropy_loss(output, Labels(7), {}, at::Reduction::None);
  EXPECT_TRUE(at::allclose(function(output, Labels(7)), expected, 1e-13, 1e-13));
  EXPECT_EQ(function.name(), "my_loss");
  EXPECT_EQ(function.sha256().size(), 64);
}

TEST(SampleFunction, IsDifferentiatedTwice) {
  const FunctionFile file(test::kCrossEntropySource);
  const SampleFunction function = SampleFunction::Load(file.path());
  const at::Tensor output = torch::randn({5, 3}, torch::kDouble).requires_grad_();
  const at::Tensor gradient = torch::autograd::grad({function(output, Labels(5)).sum()}, {output}, {}, true, true)[0];
  const at::Tensor p = at::softmax(output, 1).detach(), direction = torch::randn({5, 3}, torch::kDouble);
  EXPECT_TRUE(at::allclose(gradient.detach(), p - at::one_hot(Labels(5), 3)));
  const at::Tensor curved = torch::autograd::grad({(gradient * direction).sum()}, {output})[0];
  EXPECT_TRUE(at::allclose(curved, p * direction - p * (p * direction).sum(1, true)));
}

TEST(SampleFunction, MayTakeTheOutputAlone) {
  const FunctionFile file("def forward(self, output):\n    return torch.sum(torch.abs(output), [1])\n");
  const SampleFunction function = SampleFunction::Load(file.path());
  EXPECT_TRUE(at::equal(function(torch::ones({2, 3}), {}), torch::full({2}, 3, torch::kDouble)));
  EXPECT_TRUE(at::equal(function(torch::ones({2, 3}), Labels(2)), torch::full({2}, 3, torch::kDouble)));
}

/// As losses that make a matrix of their own do.
TEST(SampleFunction, IsComputedInFloat32WhereItsOperatorsWantThat) {
  const FunctionFile file(
      "def forward(self, output, labels):\n"
      "    own = torch.eye(output.size(1))\n"
      "    return torch.sum(torch.matmul(output, own), [1]) * 1.0\n");
  EXPECT_TRUE(at::allclose(SampleFunction::Load(file.path())(torch::ones({4, 3}), Labels(4)),
                           torch::full({4}, 3, torch::kDouble)));
}

TEST(SampleFunction, TakesSeveralOutputsInOrderOrByName) {
  const std::vector<at::Tensor> outputs{torch::ones({4, 3}), torch::full({4, 2}, 2.0), torch::full({4}, 5.0)};
  const std::vector<std::string> names{"boxes", "head.scores", "area"};
  const auto of = [&](const std::string& forward) {
    const FunctionFile file(forward);
    return SampleFunction::Load(file.path())(outputs, names, Labels(4));
  };
  const std::string sums = "    return torch.sum(a, [1]) + 10 * torch.sum(b, [1]) + 100 * c\n";
  EXPECT_TRUE(at::equal(of("def forward(self, a, b, c):\n" + sums), torch::full({4}, 543, torch::kDouble)));
  EXPECT_TRUE(at::equal(of("def forward(self, a, b, c, d):\n" + sums), torch::full({4}, 543, torch::kDouble)));
  EXPECT_TRUE(at::equal(of("def forward(self, head_scores, boxes, labels):\n"
                           "    return torch.sum(head_scores, [1]) + 10 * torch.sum(boxes, [1]) + 100 * labels\n"),
                        torch::tensor({34.0, 134.0, 234.0, 34.0}, torch::kDouble)));
  EXPECT_TRUE(at::equal(of("def forward(self, area):\n    return area * 1\n"), torch::full({4}, 5, torch::kDouble)));
  for (const std::string arguments : {"a, b", "boxes, b, head_scores", "a, b, labels", "a, b, c, d, e"})
    EXPECT_THAT(MessageOf([&] { of("def forward(self, " + arguments + "):\n    return torch.sum(b, [1])\n"); }),
                AllOf(HasSubstr("judge.pt"), HasSubstr("3 outputs (boxes, head.scores, area)")));
}

TEST(SampleFunction, SaysWhatIsWrong) {
  EXPECT_THAT(Refusal(test::kCrossEntropySource, {}),
              AllOf(HasSubstr("judge.pt"), HasSubstr("takes labels ('labels')")));
  EXPECT_THAT(Refusal("def forward(self, a, b):\n    return torch.mean(a * 1.0)\n", Labels(4)),
              AllOf(HasSubstr("judge.pt"), HasSubstr("a number for each sample")));
  EXPECT_THAT(Refusal("def forward(self, a, b):\n    return a * 1.0\n", Labels(4)),
              AllOf(HasSubstr("[4, 3]"), HasSubstr("a number for each")));
  EXPECT_THAT(Refusal("def forward(self, a, b):\n    return torch.log(torch.sum(a, [1]) * 0 - 1)\n", Labels(4)),
              HasSubstr("not finite"));
  EXPECT_THAT(Refusal("def forward(self, a, b):\n    return torch.sum(torch.matmul(a, a), [1])\n", Labels(4)),
              AllOf(HasSubstr("output [4, 3] and labels [4]"), HasSubstr("a number for each sample, [4]")));
  EXPECT_THAT(Refusal("def forward(self, a, b, c):\n    return torch.sum(a + b + c, [1])\n", Labels(4)),
              AllOf(HasSubstr("a, b, c"), HasSubstr("expected a network's output and the labels")));
  const FunctionFile file("def forward(self, a):\n    return torch.sum(a, [1])\n");
  std::ofstream(file.path()) << "no model";
  EXPECT_THAT(MessageOf([&] { SampleFunction::Load(file.path()); }), HasSubstr("judge.pt"));
}

}  // namespace
}  // namespace bitplan::network
