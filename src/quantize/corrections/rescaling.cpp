#include "corrections/rescaling.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "corrections/reader_figures.h"
#include "network/channel_links.h"
#include "network/layer_product.h"
#include "process/memory_limit.h"
#include "tuning.h"

namespace bitplan::quantize {

namespace {

class Rescaler {
 public:
  Rescaler(const Network& network, const Plan& plan)
      : network_(network), plan_(plan), values_(network.ParameterValues()) {}

  void Equalize(const std::vector<network::ChannelLink>& links) {
    for (int round = 0; round < tuning::kEqualizationRounds; ++round) {
      double change = 0;
      for (const network::ChannelLink& link : links) {
        if (!link.made_by) continue;
        const at::Tensor made = MadeRange(link), read = ReadRange(link);
        const at::Tensor scale = KeepingBiases(link, OrOne((made * read).sqrt() / read, made, read), made, read);
        change = std::max(change, (scale - 1).abs().max().item<double>());
        network::ScaleLink(network_, link, scale, values_);
      }
      if (change < tuning::kEqualizationSettled) return;
    }
  }

  void Smooth(const std::vector<network::ChannelLink>& links, const ReaderFigures& figures) {
    for (const network::ChannelLink& link : links) {
      if (std::none_of(link.readers.begin(), link.readers.end(), [&](const network::ChannelLink::Reader& reader) {
            return plan_.layers[reader.layer].activation.HasScale();
          }))
        continue;
      const at::Tensor x = OfReaders(link, figures.largest), w = ReadRange(link);
      if (!x.defined()) continue;
      const at::Tensor scale = OrOne(x.pow(plan_.corrections.smoothing) / w.pow(1 - plan_.corrections.smoothing), x, w);
      network::ScaleLink(network_, link, scale, values_);
    }
  }

  void FollowActivations(const std::vector<network::ChannelLink>& links, const ReaderFigures& figures) {
    for (const network::ChannelLink& link : links) {
      const at::Tensor magnitude = OfReaders(link, figures.magnitude);
      if (!magnitude.defined()) continue;
      at::Tensor best = at::ones_like(magnitude);
      double least = std::numeric_limits<double>::infinity();
      for (int step = 0; step < tuning::kAwqExponents; ++step) {
        at::Tensor scale =
            OrOne(magnitude.pow(static_cast<double>(step) / tuning::kAwqExponents), magnitude, magnitude);
        scale = scale / (scale.max() * scale.min()).sqrt();
        const double error = OutputError(link, scale, figures);
        if (error < least) least = error, best = scale;
      }
      network::ScaleLink(network_, link, best, values_);
    }
  }

  Network Result() const { return network_.WithParameters(values_); }

 private:
  at::Tensor& Weight(std::size_t layer) { return values_[static_cast<std::size_t>(network_.layers()[layer].weight)]; }

  /// `scale` where both `a` and `b` are more than 0, else 1.
  static at::Tensor OrOne(const at::Tensor& scale, const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor fits = a.gt(0).logical_and(b.gt(0)).logical_and(scale.gt(0)).logical_and(scale.isfinite());
    return at::where(fits, scale, at::ones_like(scale));
  }

  /// A channel that its weights hardly change, of a large bias: the factor that makes ranges of weights equal would
  /// make its bias, and with it the range of the whole tensor, as much larger as the weights are small. So no factor
  /// lifts a bias beyond tuning::kMostBiasLift times what weights or biases of the channels are in the middle.
  at::Tensor KeepingBiases(const network::ChannelLink& link, const at::Tensor& scale, const at::Tensor& made,
                           const at::Tensor& read) const {
    if (link.factors.empty()) return scale;
    at::Tensor bias = at::zeros_like(scale);
    for (const auto& [parameter, offset] : link.factors)
      bias = at::maximum(bias, (values_[parameter].flatten().to(at::kDouble) + offset).abs());
    const at::Tensor fits = made.gt(0).logical_and(read.gt(0));
    if (!fits.any().item<bool>()) return scale;
    const at::Tensor middle = at::maximum(bias / scale, (made * read).sqrt()).masked_select(fits).median();
    return at::maximum(scale, (bias / (tuning::kMostBiasLift * middle)).clamp_max(1));
  }

  /// The largest of the figures at all sites where the link is read; undefined where no sample came by.
  static at::Tensor OfReaders(const network::ChannelLink& link, const std::map<int, at::Tensor>& figures) {
    at::Tensor all;
    for (const network::ChannelLink::Reader& reader : link.readers)
      if (const auto found = figures.find(reader.input_site); found != figures.end())
        all = all.defined() ? at::maximum(all, found->second) : found->second;
    return all;
  }

  /// max |w| of the layer that makes a channel.
  at::Tensor MadeRange(const network::ChannelLink& link) {
    const int axis = network_.layers()[*link.made_by].channel_axis;
    return Weight(*link.made_by).abs().movedim(axis, 0).flatten(1).amax(1).to(at::kDouble);
  }

  /// max |w| over all that read a channel.
  at::Tensor ReadRange(const network::ChannelLink& link) {
    at::Tensor range;
    for (const network::ChannelLink::Reader& reader : link.readers) {
      const at::Tensor own =
          network::InputChannelsFirst(Weight(reader.layer), reader).abs().flatten(1).amax(1).to(at::kDouble);
      range = range.defined() ? at::maximum(range, own) : own;
    }
    return range;
  }

  /// Σ E‖(Q(W s) / s − W) x‖² over the readers.
  double OutputError(const network::ChannelLink& link, const at::Tensor& scale, const ReaderFigures& figures) {
    double error = 0;
    for (const network::ChannelLink::Reader& reader : link.readers) {
      const Format& format = plan_.layers[reader.layer].weight;
      const auto found = figures.moments.find(reader.layer);
      if (!format.HasScale() || found == figures.moments.end() || found->second.known.empty()) continue;
      const LayerMoments& moments = found->second;
      const at::Tensor weight = Weight(reader.layer), along = network::AlongInputChannels(scale, weight, reader);
      const at::Tensor scaled = (weight.to(at::kDouble) * along).to(at::kFloat);
      const int channel_axis = network_.layers()[reader.layer].channel_axis;
      const at::Tensor rows =
          moments.vectors.RowsOf(QuantizeWeight(scaled, format, channel_axis).value / along - weight);
      const std::vector<InputBlock> blocks = moments.Blocks();
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        const at::Tensor part = rows[blocks[i].group].narrow(1, blocks[i].first, blocks[i].count);
        error += (part.matmul(moments.known[i]) * part).sum().item<double>();
      }
    }
    return error;
  }

  const Network& network_;
  const Plan& plan_;
  std::vector<at::Tensor> values_;
};

/// Of links that share a reader those that come first; vectors before layers, whose own weights they leave alone.
std::vector<network::ChannelLink> OneForEachReader(std::vector<network::ChannelLink> links) {
  std::stable_partition(links.begin(), links.end(), [](const network::ChannelLink& link) { return !link.made_by; });
  std::set<std::size_t> read;
  std::erase_if(links, [&](const network::ChannelLink& link) {
    const bool taken =
        std::any_of(link.readers.begin(), link.readers.end(),
                    [&](const network::ChannelLink::Reader& reader) { return read.contains(reader.layer); });
    for (const network::ChannelLink::Reader& reader : link.readers) read.insert(reader.layer);
    return taken;
  });
  return links;
}

/// A pass over the samples.
void Record(const Network& network, const Dataset& data, std::int64_t batch_size, ReaderRecorder& recorder) {
  for (std::int64_t begin = 0; begin < data.size(); begin += batch_size)
    network.Forward(data.Get(begin, std::min(begin + batch_size, data.size()), at::Device(network.device())).inputs,
                    network.ParameterValues(), &recorder);
}

/// Samples of a pass that records, and what of a memory limit it leaves.
struct RecordingPass {
  std::int64_t samples = 1, left = 0;
};

RecordingPass FitRecording(const Network& network, const std::vector<network::ChannelLink>& links, const Dataset& data,
                           const PassLimits& limits) {
  const auto record = [&](std::int64_t samples) {
    ReaderRecorder trial(links, limits.memory_bytes);
    Record(network, data.First(samples), samples, trial);
  };
  const std::int64_t samples =
      process::SamplesAPass(std::min(limits.batch_size, data.size()), limits.memory_bytes, 0, record);
  return {samples, process::PlannedBytes(limits.memory_bytes) - process::PeakBytes([&] { record(samples); })};
}

/// What Rescaler::OutputError makes of the largest weight that links are read by, in double precision.
std::int64_t BytesOfTrials(const Network& network, const std::vector<network::ChannelLink>& links) {
  constexpr std::int64_t kBytesOfWeight = 56;
  std::int64_t largest = 0;
  for (const network::ChannelLink& link : links)
    for (const network::ChannelLink::Reader& reader : link.readers)
      largest = std::max(largest, network.Weight(network.layers()[reader.layer]).numel());
  return kBytesOfWeight * largest;
}

/// As many links at a time as the moments of what their readers read fit the memory.
void FollowInParts(const Network& network, const std::vector<network::ChannelLink>& links, const Dataset& data,
                   std::int64_t batch_size, std::int64_t memory_bytes, Rescaler& rescaler) {
  const std::int64_t chunk_bytes = memory_bytes / tuning::kShareOfChunks, for_moments = memory_bytes - chunk_bytes;
  for (std::size_t begin = 0, end = 0; begin < links.size(); begin = end) {
    std::map<std::size_t, LayerMoments> moments;
    std::int64_t taken = 0;
    for (; end < links.size(); ++end) {
      std::map<std::size_t, LayerMoments> more;
      std::int64_t bytes = 0;
      for (const network::ChannelLink::Reader& reader : links[end].readers) {
        const Layer& layer = network.layers()[reader.layer];
        const auto product = network::LayerProduct::Of(network, static_cast<int>(reader.layer), 0);
        auto vectors = InputVectors::Of(*product, network.Weight(layer).sizes(), layer.channel_axis);
        if (!vectors) continue;
        const auto share = for_moments / static_cast<std::int64_t>(links[end].readers.size());
        bytes += more.emplace(reader.layer, LayerMoments::Within(std::move(*vectors), share)).first->second.Bytes();
      }
      if (end > begin && taken + bytes > for_moments) break;
      taken += bytes;
      moments.merge(more);
    }
    const std::vector<network::ChannelLink> part(links.begin() + static_cast<std::ptrdiff_t>(begin),
                                                 links.begin() + static_cast<std::ptrdiff_t>(end));
    ReaderRecorder recorder(part, chunk_bytes);
    recorder.figures.moments = std::move(moments);
    Record(network, data, batch_size, recorder);
    rescaler.FollowActivations(part, recorder.figures);
  }
}

void CheckSameOutput(const Network& before, const Network& after, const Dataset& data, std::int64_t most_samples) {
  const std::int64_t samples = std::min({tuning::kSamplesOfCheck, most_samples, data.size()});
  const auto inputs = data.Get(0, samples, at::Device(before.device())).inputs;
  const at::Tensor wanted = before.Forward(inputs), given = after.Forward(inputs);
  const double change =
      (given - wanted).abs().max().item<double>() / std::max(1e-30, wanted.abs().max().item<double>());
  if (!(change <= tuning::kMostChangeOfOutput))
    throw Error(
        fmt::format("rescaling: the float network's output moves by {:.2g} of its size, more than {}; leave it off",
                    change, tuning::kMostChangeOfOutput));
}

std::vector<network::ChannelLink> LinksFor(const Network& network, Rescaling kind) {
  std::vector<network::ChannelLink> links = network::FindChannelLinks(network);
  if (links.empty())
    throw Error(
        fmt::format("rescaling {}: no tensor of this network is made and read by layers alone, with nothing between "
                    "them but operators that keep factors; leave it off",
                    ToString(kind)));
  return links;
}

}  // namespace

Network Equalize(const Network& network, const Plan& plan) {
  const at::NoGradGuard no_grad;
  Rescaler rescaler(network, plan);
  rescaler.Equalize(LinksFor(network, Rescaling::Equalization));
  return rescaler.Result();
}

Network Rescale(const Network& network, const Plan& plan, const Dataset& data, std::int64_t batch_size,
                std::int64_t memory_bytes) {
  const at::NoGradGuard no_grad;
  const Rescaling kind = plan.corrections.rescaling;
  const auto follow = [&] {
    const std::vector<network::ChannelLink> links = OneForEachReader(LinksFor(network, kind));
    Rescaler rescaler(network, plan);
    if (kind == Rescaling::SmoothQuant) {
      ReaderRecorder recorder(links, memory_bytes);
      Record(network, data, batch_size, recorder);
      rescaler.Smooth(links, recorder.figures);
    } else {
      FollowInParts(network, links, data, batch_size, memory_bytes, rescaler);
    }
    return rescaler.Result();
  };
  const Network rescaled = kind == Rescaling::Equalization ? Equalize(network, plan) : follow();
  CheckSameOutput(network, rescaled, data, batch_size);
  return rescaled;
}

Network RescaleWithin(const Network& network, const Plan& plan, const Dataset& data, const PassLimits& limits) {
  const at::NoGradGuard no_grad;
  const Rescaling kind = plan.corrections.rescaling;
  std::vector<network::ChannelLink> links;
  if (kind != Rescaling::Equalization) links = OneForEachReader(LinksFor(network, kind));
  const RecordingPass pass = FitRecording(network, links, data, limits);
  const std::int64_t left = std::max<std::int64_t>(1, pass.left - BytesOfTrials(network, links));
  return Rescale(network, plan, data, pass.samples, left);
}

}  // namespace bitplan::quantize
