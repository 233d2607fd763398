#include <gmock/gmock.h>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string RunWithOutput(const std::string& name, const std::string& output) {
  const ModelCase model(name);
  NetworkOptions options;
  options.output = output;
  return MessageOf([&] { model.Load("scripted", options).Forward(model.Inputs()); });
}

TEST(Output, OfSeveralMustBeNamed) {
  EXPECT_THAT(RunWithOutput("tuple_output", ""), HasSubstr("2 outputs"));
  EXPECT_THAT(RunWithOutput("dict_output", ""), AllOf(HasSubstr("out"), HasSubstr("aux")));
  EXPECT_THAT(RunWithOutput("named_tuple_output", ""), AllOf(HasSubstr("boxes"), HasSubstr("scores")));
}

TEST(Output, ThatIsUnknownListsTheOnesThereAre) {
  EXPECT_THAT(RunWithOutput("dict_output", "logits"), AllOf(HasSubstr("'logits'"), HasSubstr("out"), HasSubstr("aux")));
  EXPECT_THAT(RunWithOutput("tuple_output", "2"), AllOf(HasSubstr("'2'"), HasSubstr("0"), HasSubstr("1")));
  EXPECT_THAT(RunWithOutput("named_tuple_output", "box"),
              AllOf(HasSubstr("'box'"), HasSubstr("boxes"), HasSubstr("scores")));
  EXPECT_THAT(RunWithOutput("mlp", "logits"), HasSubstr("'logits'"));
  EXPECT_THAT(RunWithOutput("tuple_output", "-1"), HasSubstr("'-1'"));
}

TEST(Output, ErrorsAreOneLine) {
  for (const std::string output : {"", "nothing", "0.1", "99999999999999999999", "."})
    for (const std::string name : {"tuple_output", "list_output", "dict_output", "nested_output"})
      EXPECT_TRUE(IsOneLine(RunWithOutput(name, output)))
          << name << " '" << output << "': " << RunWithOutput(name, output);
}

TEST(Output, ThatIsNoTensorIsAnError) {
  const std::string message =
      MessageOf([] { Network::Load(ModelPath("refused_no_tensor_output.pt")).Forward({at::zeros({1, 3})}); });
  EXPECT_TRUE(IsOneLine(message)) << message;
  EXPECT_THAT(message, HasSubstr("output"));
}

TEST(Output, IndexZeroIsTheOnlyTensor) { EXPECT_EQ(RunWithOutput("mlp", "0"), "no error"); }

TEST(Inputs, AreNamedAsInTheForward) {
  EXPECT_THAT(ModelCase("two_inputs").Load("scripted").input_names(), ElementsAre("image", "numbers"));
  EXPECT_THAT(ModelCase("defaults").Load("scripted").input_names(), ElementsAre("x"));
  EXPECT_THAT(ModelCase("optional_without_default").Load("scripted").input_names(), ElementsAre("x"));
  EXPECT_THAT(ModelCase("small_resnet").Load("traced").input_names(), testing::SizeIs(1));
}

}  // namespace
}  // namespace bitplan::test
