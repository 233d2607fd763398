#include "network/segments.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>

#include "network/model_case.h"

namespace bitplan::test {
namespace {

/// Hands on all values, and halves floats at one site.
class HalvingRecorder : public Probe {
 public:
  explicit HalvingRecorder(int halved) : halved_(halved) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    sites.push_back(site);
    return site == halved_ && value.is_floating_point() ? value * 0.5 : value;
  }
  std::vector<int> sites;

 private:
  int halved_;
};

TEST(Segments, GiveTheOutputOfTheWholeNetwork) {
  std::size_t divided = 0;
  ForEachCase([&](const ModelCase& model) {
    const Network network = model.Load(model.kinds().front());
    const at::NoGradGuard no_grad;
    const network::Segments segments(network);
    divided += segments.count() > 1;
    const int halved = network.layers().empty() ? -1 : network.layers().front().uses.front().output_site;
    HalvingRecorder whole(halved), in_pieces(halved);
    const at::Tensor expected = network.Forward(model.Inputs(), network.ParameterValues(), &whole);
    network::Segments::State state = segments.Start(model.Inputs());
    for (std::size_t end = 1; end <= segments.count(); ++end) {
      // Twice, so that a segment that spoilt what it starts from would be seen.
      HalvingRecorder again(halved);
      segments.Run(state, end, network.ParameterValues(), again);
      state = segments.Run(state, end, network.ParameterValues(), in_pieces);
    }
    EXPECT_TRUE(at::equal(segments.Output(state), expected));
    EXPECT_EQ(in_pieces.sites, whole.sites);
  });
  EXPECT_GT(divided, 30u);
}

TEST(Segments, BeginWhereALayerReadsItsInput) {
  const Network network = ModelCase("small_resnet").Load("scripted");
  // What comes before the first layer; the first convolution; the first block's two; the second block, whose shortcut
  // reads what its first convolution reads; the last layer.
  EXPECT_EQ(network::Segments(network).count(), 6u);
}

TEST(Segments, KnowWhatTheyKeep) {
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  const at::NoGradGuard no_grad;
  const network::Segments segments(network);
  const network::Segments::State start = segments.Start(model.Inputs());
  EXPECT_EQ(start.Bytes(), 0);
  HalvingRecorder none(-1);
  EXPECT_GT(segments.Run(start, 2, network.ParameterValues(), none).Bytes(), 0);
}

}  // namespace
}  // namespace bitplan::test
