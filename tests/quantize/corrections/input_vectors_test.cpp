#include "corrections/input_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using ::testing::IsSupersetOf;

at::Generator Seeded(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

/// E‖Δy‖² of every layer is what the moments say: compared with the product itself. Returns the operators.
std::set<std::string> CheckErrors(const Network& network, const std::vector<at::Tensor>& inputs,
                                  const std::string& name) {
  std::set<std::string> operators;
  test::Recorder recorder;
  network.Forward(inputs, network.ParameterValues(), &recorder);
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    for (std::size_t use = 0; use < network.layers()[i].uses.size(); ++use) {
      const Layer& layer = network.layers()[i];
      const auto product = network::LayerProduct::Of(network, static_cast<int>(i), use);
      const at::Tensor x = recorder.First(layer.uses[use].input_site);
      if (!product || !x.defined() || x.numel() == 0) continue;
      const at::Tensor weight = network.Weight(layer);
      const auto vectors = InputVectors::Of(*product, weight.sizes(), layer.channel_axis);
      if (!vectors) continue;
      const at::Tensor change = at::randn(weight.sizes(), Seeded(i));
      const at::Tensor rows = vectors->RowsOf(change);
      EXPECT_EQ(rows.sizes(), (std::vector<std::int64_t>{vectors->groups(), vectors->rows(), vectors->length()}));
      EXPECT_TRUE(at::equal(vectors->WeightOf(rows), change)) << name << " " << layer.name;
      double error = 0;
      for (std::int64_t group = 0; group < vectors->groups(); ++group) {
        const at::Tensor moments = vectors->Moments(x, {group, 0, vectors->length()}, 1 << 12);
        const at::Tensor part = rows[group].to(at::kDouble);
        error += (part.matmul(moments) * part).sum().item<double>();
        // A block is a part of the whole, whatever the size of the chunks.
        const std::int64_t first = vectors->length() / 3, count = (vectors->length() + 1) / 2;
        const at::Tensor block = vectors->Moments(x, {group, first, count}, std::int64_t{1} << 30);
        EXPECT_TRUE(at::allclose(block, moments.narrow(0, first, count).narrow(1, first, count), 1e-9, 1e-12));
      }
      const at::Tensor y = (*product)(x, change).to(at::kDouble);
      const double channels = static_cast<double>(vectors->groups() * vectors->rows());
      const double wanted = y.square().sum().item<double>() / (static_cast<double>(y.numel()) / channels);
      const double factor = name == "addmm" && layer.name == "u" ? 4 : 1;  // alpha², which rounding need not know
      EXPECT_NEAR(factor * error, wanted, 1e-4 * wanted) << name << " " << layer.name;
      operators.insert(layer.op);
    }
  return operators;
}

TEST(InputVectors, GiveTheSquaredOutputErrorOfEveryProduct) {
  std::set<std::string> operators;
  test::ForEachCase([&](const test::ModelCase& model) {
    NetworkOptions options;
    options.output = model.AnyOutput();
    options.fold_batch_norm = false;
    operators.merge(CheckErrors(model.Load(model.kinds().front(), options), model.Inputs(), model.name()));
  });
  EXPECT_THAT(operators, IsSupersetOf({"linear", "matmul", "addmm", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
                                       "conv_transpose2d", "conv_transpose3d"}));
}

/// Transposed convolutions with groups, strides, dilation and padding of all kinds, paddings by name, and products with
/// weights on either side and in batches.
TEST(InputVectors, GiveTheSquaredOutputErrorOfUnusualProducts) {
  EXPECT_EQ(CheckErrors(LoadModel("TransposedConvolutions", 4), {at::randn({3, 4, 9}, Seeded(0))}, "transposed").size(),
            3U);
  const Network products = LoadModel("Products", 3);
  EXPECT_THAT(CheckErrors(products, {at::randn({3, 4, 7}, Seeded(0))}, "products"),
              IsSupersetOf({"matmul", "addmm", "conv1d"}));
  for (std::size_t i = 0; i < products.layers().size(); ++i) {
    const auto product = network::LayerProduct::Of(products, static_cast<int>(i), 0);
    ASSERT_TRUE(product) << products.layers()[i].name;
    const Layer& layer = products.layers()[i];
    EXPECT_TRUE(InputVectors::Of(*product, products.Weight(layer).sizes(), layer.channel_axis)) << layer.name;
  }
}

}  // namespace
}  // namespace bitplan::quantize
