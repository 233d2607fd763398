#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <torch/types.h>

#include <string>
#include <vector>

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

Network LoadAll(const ModelCase& model, const std::string& kind = "scripted") {
  NetworkOptions options;
  options.output = "all";
  return model.Load(kind, options);
}

/// What Outputs says, "name:shape" or "name:left out".
std::vector<std::string> OutputsOf(const std::string& name) {
  const ModelCase model(name);
  std::vector<std::string> texts;
  for (const NamedOutput& output : LoadAll(model).Outputs(model.Inputs()))
    texts.push_back(fmt::format("{}:{}", output.name, fmt::join(output.shape, ",")));
  return texts;
}

TEST(Output, OfAllAreSideBySideWithTheirNames) {
  for (const std::string name : {"tuple_output", "list_output", "named_tuple_output", "dict_output"})
    for (const std::string& kind : ModelCase(name).kinds()) {
      const ModelCase model(name);
      const at::Tensor all = LoadAll(model, kind).Forward(model.Inputs());
      ASSERT_EQ(all.sizes(), at::IntArrayRef({2, 5})) << name << kind;
      NetworkOptions first, second;
      first.output = "0", second.output = "1";
      EXPECT_TRUE(at::equal(all.slice(1, 0, 2), model.Load(kind, first).Forward(model.Inputs()))) << name << kind;
      EXPECT_TRUE(at::equal(all.slice(1, 2), model.Load(kind, second).Forward(model.Inputs()))) << name << kind;
    }
  EXPECT_THAT(OutputsOf("tuple_output"), ElementsAre("0:2", "1:3"));
  EXPECT_THAT(OutputsOf("named_tuple_output"), ElementsAre("boxes:2", "scores:3"));
  EXPECT_THAT(OutputsOf("dict_output"), ElementsAre("out:2", "aux:3"));
  EXPECT_THAT(OutputsOf("mlp"), testing::IsEmpty());
  EXPECT_THAT(OutputsOf("optional_second"), testing::IsEmpty());
  EXPECT_EQ(LoadAll(ModelCase("mlp")).Forward(ModelCase("mlp").Inputs()).dim(), 2);
}

TEST(Output, OfSeveralNamesAreThoseInTheirOrder) {
  const ModelCase model("nested_output");
  NetworkOptions options;
  options.output = "1.0,0.pyramid";
  const Network network = model.Load("scripted", options);
  std::vector<std::string> names;
  for (const NamedOutput& output : network.Outputs(model.Inputs())) names.push_back(output.name);
  EXPECT_THAT(names, ElementsAre("1.0", "0.pyramid.0", "0.pyramid.1"));
  options.output = "1.0";
  EXPECT_TRUE(at::equal(network.Forward(model.Inputs()).slice(1, 0, 3),
                        model.Load("scripted", options).Forward(model.Inputs())));
  EXPECT_THAT(RunWithOutput("dict_output", "out,logits"), AllOf(HasSubstr("'logits'"), HasSubstr("out, aux")));
  EXPECT_THAT(RunWithOutput("mlp", "0,1"), HasSubstr("one tensor"));
}

TEST(Output, OfAllThatCountsNoSamplesIsRefusedByName) {
  EXPECT_THAT(RunWithOutput("nested_output", "all"), AllOf(HasSubstr("'1.1'"), HasSubstr("first axis")));
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
