// The loops behind values on a grid and their gradients.

#include "on_grid.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <limits>

#include "training_methods/hand_derived.h"

namespace bitplan::training_methods::hand_derived {
namespace {

TEST(OnGrid, TensorsThatAreNotDenseHaveTheSameValuesAndGradients) {
  at::manual_seed(2);
  const at::Tensor dense = torch::randn({40, 50});
  std::vector<at::Tensor> values, gradients, scales;
  for (const bool spread : {false, true}) {
    const at::Tensor x =
        (spread ? torch::stack({dense, dense}, 2).select(2, 0) : dense.clone()).detach().requires_grad_();
    const at::Tensor scale = torch::full({1}, 0.3F).requires_grad_();
    const at::Tensor value = InputOnGrid(x, scale, {-2, 3, 1, -2, 3, 0.5});
    value.backward(dense.cos());
    values.push_back(value.detach());
    gradients.push_back(x.grad());
    scales.push_back(scale.grad());
  }
  EXPECT_TRUE(torch::equal(values[0], values[1]));
  EXPECT_TRUE(torch::equal(gradients[0], gradients[1]));
  EXPECT_TRUE(torch::allclose(scales[0], scales[1], 1e-5));
}

TEST(OnGrid, SumsDoNotDependOnTheNumberOfThreads) {
  at::manual_seed(2);
  const at::Tensor x = torch::randn({300000});
  std::vector<at::Tensor> found;
  const int threads = at::get_num_threads();
  for (const int count : {1, 2, 3}) {
    at::set_num_threads(count);
    const at::Tensor scale = torch::full({1}, 0.3F).requires_grad_();
    InputOnGrid(x, scale, {-2, 3, 1, -2, 3, 1}).backward(x.cos());
    found.push_back(scale.grad());
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(found[0], found[1]));
  EXPECT_TRUE(torch::equal(found[0], found[2]));
}

TEST(OnGrid, NanStaysNan) {
  const at::Tensor x = torch::tensor({0.1F, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(InputOnGrid(x, torch::ones({1}), {0, 3})[1].isnan().item<bool>());
  EXPECT_TRUE(WeightOnGrid(x, torch::ones({1}), 0, {0, 3})[1].isnan().item<bool>());
}

}  // namespace
}  // namespace bitplan::training_methods::hand_derived
