#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

class State : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, State,
                         testing::Values("sets_attribute", "sets_in_branch", "sets_in_loop", "optional_state",
                                         "state_of_submodule", "writes_buffers", "grows_list", "keeps_cache",
                                         "bn_always_training", "in_place"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(State, OfOneRunIsNotSeenByTheNext) {
  const ModelCase model(GetParam());
  for (const std::string& kind : model.kinds()) {
    SCOPED_TRACE(kind);
    const Network network = model.Load(kind);
    const std::vector<at::Tensor> inputs = model.Inputs();
    const at::Tensor first = network.Forward(inputs);
    network.Forward({inputs[0] * 3});  // leaves another state, if any
    for (int run = 0; run < 3; ++run) EXPECT_TRUE(at::equal(network.Forward(inputs), first));
    const Network copy = network;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_TRUE(at::equal(copy.Forward(inputs), first));
  }
}

TEST_P(State, OfTheCallerIsNotWrittenTo) {
  const ModelCase model(GetParam());
  for (const std::string& kind : model.kinds()) {
    SCOPED_TRACE(kind);
    const Network network = model.Load(kind);
    std::vector<at::Tensor> inputs = model.Inputs(), parameters, own;
    for (const at::Tensor& value : network.ParameterValues()) {
      parameters.push_back(value.clone());
      own.push_back(value.clone());
    }
    network.Forward(inputs, parameters);
    network.Forward(inputs);
    EXPECT_TRUE(at::equal(inputs[0], model.Inputs()[0]));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      EXPECT_TRUE(at::equal(parameters[i], own[i])) << network.parameters()[i].name;
      EXPECT_TRUE(at::equal(network.parameters()[i].value, own[i])) << network.parameters()[i].name;
    }
  }
}

TEST_P(State, MakesEveryCallStartAsTheFirst) {
  // Two networks of one file, of which one has run before.
  const ModelCase model(GetParam());
  const Network used = model.Load("scripted"), fresh = model.Load("scripted");
  used.Forward(model.Inputs());
  EXPECT_TRUE(at::equal(used.Forward(model.Inputs()), fresh.Forward(model.Inputs())));
}

}  // namespace
}  // namespace bitplan::test
