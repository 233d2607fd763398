#include "corrections/layer_by_layer.h"

#include <ATen/ATen.h>

#include <array>
#include <utility>
#include <vector>

#include "network/segments.h"

namespace bitplan::quantize {

namespace {

/// PartsOnTheirWay of some samples on their way through a network.
class PartsOnTheirWay {
 public:
  PartsOnTheirWay(const Network& network, const std::vector<std::vector<at::Tensor>>& parts, std::int64_t memory_bytes)
      : segments_(network), half_(memory_bytes / 2), device_(network.device()) {
    for (const std::vector<at::Tensor>& part : parts) kept_.push_back(segments_.Start(part));
  }

  std::size_t segments() const { return segments_.count(); }

  /// Runs them from where they are to where segment `end` begins. Where all came so far it can be kept; where that
  /// would take too much, nothing but the first part's run was made.
  void Run(std::size_t end, const std::vector<at::Tensor>& parameters, Probe& probe) {
    come_.clear();
    std::int64_t begin = 0;
    for (const network::Segments::State& from : kept_) {
      try {
        come_.push_back(segments_.Run(from, end, parameters, probe));
      } catch (const RunEnds&) {
        continue;
      }
      if (end == segments()) continue;
      if (&from == &kept_.front() && !Fits(come_.front())) return come_.clear();
      begin = come_.back().MoveTo(Memory(), begin);
    }
  }

  void Keep() {
    if (come_.size() == kept_.size()) {
      kept_ = std::move(come_);
      std::swap(memory_[0], memory_[1]);
    }
    come_.clear();
  }

 private:
  /// Whether all parts do; the first has the most samples.
  bool Fits(const network::Segments::State& first) const {
    return first.Bytes() <= half_ / static_cast<std::int64_t>(kept_.size());
  }

  /// For what comes, while what is kept lies in the other half.
  const at::Tensor& Memory() {
    if (!memory_[0].defined()) memory_[0] = at::empty({half_}, at::TensorOptions(device_).dtype(at::kByte));
    return memory_[0];
  }

  network::Segments segments_;
  std::int64_t half_;  // bytes
  at::Device device_;
  std::array<at::Tensor, 2> memory_;
  std::vector<network::Segments::State> kept_, come_;
};

}  // namespace

void RunLayerByLayer(const Network& network, const std::vector<std::vector<at::Tensor>>& parts,
                     const std::vector<at::Tensor>& parameters, std::int64_t memory_bytes, Probe& probe,
                     const std::function<bool()>& reached) {
  PartsOnTheirWay way(network, parts, memory_bytes);
  for (std::size_t end = 1; end <= way.segments(); ++end) {
    do way.Run(end, parameters, probe);
    while (reached());
    way.Keep();
  }
}

}  // namespace bitplan::quantize
