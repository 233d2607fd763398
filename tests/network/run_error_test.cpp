#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/library.h>

#include <new>
#include <stdexcept>
#include <variant>

#include "bitplan/network.h"
#include "files/temporary_folder.h"
#include "network/model_case.h"
#include "network/torch_error.h"

namespace bitplan::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string Message(const Network& network, const std::vector<at::Tensor>& inputs) {
  return MessageOf([&] { network.Forward(inputs); });
}

TEST(RunError, SaysWhichShapeDoesNotFit) {
  const Network network = ModelCase("small_resnet").Load("scripted");
  for (const at::Tensor& input :
       {at::zeros({1, 4, 8, 8}), at::zeros({1, 8}), at::zeros({8}), at::zeros({}), at::zeros({1, 3, 8})}) {
    const std::string message = Message(network, {input});
    EXPECT_TRUE(IsOneLine(message)) << message;
    EXPECT_THAT(message, HasSubstr("shape"));
  }
  EXPECT_THAT(Message(network, {at::zeros({1, 4, 8, 8})}), HasSubstr("[1, 4, 8, 8]"));
  EXPECT_THAT(Message(network, {at::zeros({1, 4, 8, 8})}), HasSubstr("channels"));  // LibTorch's reason
}

TEST(RunError, InEveryKindOfFileIsOneLine) {
  for (const std::string name : {"mlp", "small_resnet", "encoder", "lstm", "conv1d", "containers", "tied_embedding"}) {
    const ModelCase model(name);
    for (const std::string& kind : model.kinds()) {
      const std::string message = Message(model.Load(kind), {at::zeros({})});
      EXPECT_TRUE(IsOneLine(message)) << name << " " << kind << ": " << message;
    }
  }
}

TEST(RunError, SaysHowManyInputsAreNeeded) {
  const Network network = ModelCase("two_inputs").Load("scripted");
  EXPECT_THAT(Message(network, {}), AllOf(HasSubstr("image"), HasSubstr("numbers"), HasSubstr("2"), HasSubstr("0")));
  EXPECT_THAT(Message(network, {at::zeros({1, 3})}), AllOf(HasSubstr("2"), HasSubstr("1")));
  EXPECT_THAT(Message(network, {at::zeros({1, 3}), at::zeros({1, 2}), at::zeros({1})}),
              AllOf(HasSubstr("2"), HasSubstr("3")));
}

TEST(RunError, ATypeThatDoesNotFitIsAnError) {
  const Network tokens = ModelCase("token_classifier").Load("scripted");
  EXPECT_TRUE(IsOneLine(Message(tokens, {at::zeros({1, 5})})));
  EXPECT_TRUE(IsOneLine(Message(tokens, {at::full({1, 5}, 11, at::kLong)})));  // a token beyond the embedding's
  const Network images = ModelCase("small_resnet").Load("scripted");
  EXPECT_TRUE(IsOneLine(Message(images, {at::zeros({1, 3, 8, 8}, at::kLong)})));
}

TEST(RunError, ATypeThatDoesNotFitIsNamedWithTheOneThatMay) {
  EXPECT_THAT(Message(ModelCase("small_resnet").Load("scripted"), {at::zeros({1, 3, 8, 8}, at::kLong)}),
              HasSubstr("where the data holds int64: save it as float32"));
  EXPECT_THAT(Message(ModelCase("mlp").Load("scripted"), {at::zeros({1, 8}, at::kLong)}),
              HasSubstr("where the data holds int64: save it as float32"));
  EXPECT_THAT(Message(ModelCase("token_classifier").Load("scripted"), {at::zeros({1, 5})}),
              HasSubstr("where the data holds float32: save it as int64"));
}

TEST(RunError, MemoryThatRunsOutIsToldAsThat) {
  const Network network = ModelCase("mlp").Load("scripted");
  const at::Tensor one = ModelCase("mlp").SampleInputs()[0];
  const std::string message = Message(network, {one.expand({std::int64_t{1} << 44, one.size(1)})});
  EXPECT_THAT(message, AllOf(HasSubstr("out of memory"), HasSubstr("MiB"), HasSubstr("--memory")));
  EXPECT_TRUE(IsOneLine(message)) << message;
  EXPECT_TRUE(network::IsOutOfMemory(std::bad_alloc()));
  EXPECT_TRUE(network::IsOutOfMemory(std::runtime_error("RuntimeError: std::bad_alloc")));
  EXPECT_FALSE(network::IsOutOfMemory(std::runtime_error("shapes differ")));
}

at::Tensor AssertInside(const at::Tensor& x) {
  TORCH_INTERNAL_ASSERT(x.dim() < 0, "a node that should not be there");
  return x;
}

at::Tensor CheckShape(const at::Tensor& x) {
  TORCH_CHECK(x.dim() < 0, "x has ", x.dim(), " axes");
  return x;
}

TORCH_LIBRARY(bitplan_test, library) {
  library.def("assert_inside(Tensor x) -> Tensor", AssertInside);
  library.def("check_shape(Tensor x) -> Tensor", CheckShape);
}

/// A layer, and behind it an operator of the library above.
Network WithOperator(const std::string& name) {
  torch::jit::Module module("Operator");
  module.register_parameter("weight", at::ones({2, 3}), false);
  module.define("def forward(self, x):\n  return torch.linear(x, self.weight)\n");
  const auto graph = module.get_method("forward").graph();
  torch::jit::Value* const result = graph->outputs()[0];
  graph->registerOutput(graph->insert(c10::Symbol::fromQualString("bitplan_test::" + name), {result}));
  graph->eraseOutput(0);
  const TemporaryFolder folder;
  module.save((folder / "model.pt").string());
  NetworkOptions options;
  options.samples_first = false;
  return Network::Load(folder / "model.pt", options);
}

TEST(RunError, ABugIsNotTakenForBadInput) {
  const at::Tensor input = at::ones({4, 3});
  EXPECT_THAT(Message(WithOperator("check_shape"), {input}), HasSubstr("x has 2 axes"));
  try {
    WithOperator("assert_inside").Forward({input});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    FAIL() << "taken for bad input: " << error.what();
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("a node that should not be there"));
  }
}

template <typename Throw>
bool IsOfModelWhatIsThrown(const Throw& thrown) {
  try {
    thrown();
  } catch (const std::exception& error) {
    return network::IsOfModel(error);
  }
  return false;
}

TEST(RunError, OfTheModelIsWhatLibTorchSaysOfIt) {
  EXPECT_TRUE(IsOfModelWhatIsThrown([] { at::ones({2}) + at::ones({3}); }));
  EXPECT_TRUE(IsOfModelWhatIsThrown([] { TORCH_CHECK_NOT_IMPLEMENTED(false, "no such kernel"); }));
  EXPECT_TRUE(IsOfModelWhatIsThrown([] { throw std::bad_alloc(); }));
  EXPECT_TRUE(IsOfModelWhatIsThrown([] {
    torch::jit::Module module("Raises");
    module.define("def forward(self, x):\n  assert x.dim() == 1, 'one axis'\n  return x\n");
    module.forward({at::ones({2, 2})});
  }));
  EXPECT_FALSE(IsOfModelWhatIsThrown([] { TORCH_INTERNAL_ASSERT(false); }));
  EXPECT_FALSE(IsOfModelWhatIsThrown([] { static_cast<void>(std::vector<int>().at(1)); }));
  EXPECT_FALSE(IsOfModelWhatIsThrown([] { static_cast<void>(std::get<int>(std::variant<bool, int>(true))); }));
  EXPECT_FALSE(IsOfModelWhatIsThrown([] { throw std::runtime_error("any other"); }));
}

TEST(RunError, AnUndefinedTensorIsAnError) {
  const Network network = ModelCase("mlp").Load("scripted");
  EXPECT_TRUE(IsOneLine(Message(network, {at::Tensor()}))) << Message(network, {at::Tensor()});
}

TEST(RunError, ParametersThatDoNotFitAreAnError) {
  const ModelCase model("mlp");
  const Network network = model.Load("scripted");
  std::vector<at::Tensor> values = network.ParameterValues();
  values[static_cast<std::size_t>(network.layers()[0].weight)] = at::zeros({2, 2});
  EXPECT_TRUE(IsOneLine(MessageOf([&] { network.Forward(model.Inputs(), values); })));
  values.pop_back();
  EXPECT_THAT(MessageOf([&] { network.Forward(model.Inputs(), values); }), HasSubstr("parameters"));
}

TEST(RunError, LeavesTheNetworkUsable) {
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  const at::Tensor before = network.Forward(model.Inputs());
  EXPECT_NE(Message(network, {at::zeros({1, 1})}), "no error");
  EXPECT_TRUE(at::equal(network.Forward(model.Inputs()), before));
}

TEST(Run, TakesAnyFloatTypeAndAnyBatchSize) {
  const ModelCase model("mlp");
  const Network network = model.Load("scripted");
  const at::Tensor input = model.Inputs()[0];
  const at::Tensor output = network.Forward({input});
  EXPECT_LE(MaxDifference(network.Forward({input.to(at::kDouble)}), output), 1e-6);
  EXPECT_LE(MaxDifference(network.Forward({input.to(at::kHalf)}), output), 1e-2);
  EXPECT_EQ(network.Forward({input.narrow(0, 0, 0)}).sizes(), (std::vector<std::int64_t>{0, 3}));
  EXPECT_LE(MaxDifference(network.Forward({input.narrow(0, 2, 1)}), output.narrow(0, 2, 1)), 1e-6);
}

}  // namespace
}  // namespace bitplan::test
