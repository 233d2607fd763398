#include "quantize/corrections/rescaling.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "network/channel_links.h"
#include "network/layer_product.h"
#include "quantize/corrections/input_moments.h"

namespace bitplan {

namespace {

/// What SmoothQuant and activation-aware scales need to know of what the readers of links read.
struct InputFigures {
  std::map<int, at::Tensor> largest, magnitude;  // by input site: max and mean of |x| a channel, float64
  std::map<std::size_t, at::Tensor> moments;     // by layer: InputMoments
};

class InputRecorder : public Probe {
 public:
  InputRecorder(const Network& network, const std::vector<ChannelLink>& links, bool with_moments) : network_(network) {
    for (const ChannelLink& link : links)
      for (const ChannelLink::Reader& reader : link.readers) {
        dim_of_site_[reader.input_site] = link.channel_dim;
        if (with_moments)
          products_.emplace(reader.input_site,
                            std::pair(reader.layer, *LayerProduct::Of(network, static_cast<int>(reader.layer), 0)));
      }
  }

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const auto dim = dim_of_site_.find(site);
    if (dim == dim_of_site_.end()) return value;
    const at::Tensor magnitudes = value.abs().movedim(dim->second, 0).flatten(1).to(at::kDouble);
    Add(figures.largest, site, magnitudes.amax(1),
        [](const at::Tensor& a, const at::Tensor& b) { return at::maximum(a, b); });
    Add(figures.magnitude, site, magnitudes.mean(1), [](const at::Tensor& a, const at::Tensor& b) { return a + b; });
    const auto [first, last] = products_.equal_range(site);
    for (auto found = first; found != last; ++found) {
      const auto& [layer, product] = found->second;
      Add(figures.moments, layer, InputMoments(product, value, network_.Weight(network_.layers()[layer]).sizes()),
          [](const at::Tensor& a, const at::Tensor& b) { return a + b; });
    }
    return value;
  }

  InputFigures figures;

 private:
  template <typename Key, typename Together>
  static void Add(std::map<Key, at::Tensor>& all, Key key, const at::Tensor& value, const Together& together) {
    const auto [found, inserted] = all.emplace(key, value);
    if (!inserted) found->second = together(found->second, value);
  }

  const Network& network_;
  std::map<int, int> dim_of_site_;
  std::multimap<int, std::pair<std::size_t, LayerProduct>> products_;
};

/// Sums over batches stand for means: the scales that are made of them don't depend on their size.
InputFigures FiguresOf(const Network& network, const std::vector<ChannelLink>& links, const Dataset& data,
                       std::int64_t batch_size, bool with_moments) {
  InputRecorder recorder(network, links, with_moments);
  for (std::int64_t begin = 0; begin < data.size(); begin += batch_size)
    network.Forward(data.Get(begin, std::min(begin + batch_size, data.size()), at::Device(network.device())).inputs,
                    network.ParameterValues(), &recorder);
  return std::move(recorder.figures);
}

class Rescaler {
 public:
  Rescaler(const Network& network, const Plan& plan, std::vector<ChannelLink> links)
      : network_(network), plan_(plan), links_(std::move(links)), values_(network.ParameterValues()) {}

  void Equalize() {
    constexpr int kRounds = 100;
    constexpr double kSettled = 1e-4;
    for (int round = 0; round < kRounds; ++round) {
      double change = 0;
      for (const ChannelLink& link : links_) {
        if (!link.made_by) continue;
        const at::Tensor made = Weight(*link.made_by).abs().flatten(1).amax(1).to(at::kDouble), read = ReadRange(link);
        const at::Tensor scale = OrOne((made * read).sqrt() / read, made, read);
        change = std::max(change, (scale - 1).abs().max().item<double>());
        Apply(link, scale);
      }
      if (change < kSettled) return;
    }
  }

  void Smooth(const InputFigures& figures) {
    for (const ChannelLink& link : links_) {
      if (std::none_of(link.readers.begin(), link.readers.end(), [&](const ChannelLink::Reader& reader) {
            return plan_.layers[reader.layer].activation.HasScale();
          }))
        continue;
      const at::Tensor x = figures.largest.at(link.readers[0].input_site), w = ReadRange(link);
      Apply(link, OrOne(x.pow(plan_.corrections.smoothing) / w.pow(1 - plan_.corrections.smoothing), x, w));
    }
  }

  void FollowActivations(const InputFigures& figures) {
    constexpr int kSteps = 20;
    for (const ChannelLink& link : links_) {
      const at::Tensor magnitude = figures.magnitude.at(link.readers[0].input_site);
      at::Tensor best;
      double least = std::numeric_limits<double>::infinity();
      for (int step = 0; step < kSteps; ++step) {
        at::Tensor scale = OrOne(magnitude.pow(static_cast<double>(step) / kSteps), magnitude, magnitude);
        scale = scale / (scale.max() * scale.min()).sqrt();
        const double error = OutputError(link, scale, figures);
        if (error < least) least = error, best = scale;
      }
      Apply(link, best);
    }
  }

  Network Result() const { return network_.WithParameters(values_); }

 private:
  at::Tensor& Weight(std::size_t layer) { return values_[static_cast<std::size_t>(network_.layers()[layer].weight)]; }

  /// `scale` where both `a` and `b` are more than 0, else 1.
  static at::Tensor OrOne(const at::Tensor& scale, const at::Tensor& a, const at::Tensor& b) {
    return at::where(a.gt(0).logical_and(b.gt(0)).logical_and(scale.isfinite()), scale, at::ones_like(scale));
  }

  /// max |w| over all that read a channel.
  at::Tensor ReadRange(const ChannelLink& link) {
    at::Tensor range;
    for (const ChannelLink::Reader& reader : link.readers) {
      const at::Tensor own =
          InputChannelsFirst(Weight(reader.layer), reader.groups).abs().flatten(1).amax(1).to(at::kDouble);
      range = range.defined() ? at::maximum(range, own) : own;
    }
    return range;
  }

  /// What makes the channels / scale, what reads them · scale.
  void Apply(const ChannelLink& link, const at::Tensor& scale) {
    const auto scaled = [](const at::Tensor& value, const at::Tensor& by) {
      return (value.to(at::kDouble) * by).to(value.scalar_type());
    };
    for (const std::size_t parameter : link.parameters) values_[parameter] = scaled(values_[parameter], 1 / scale);
    if (link.made_by) {
      at::Tensor& weight = Weight(*link.made_by);
      std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
      shape[0] = scale.numel();
      weight = scaled(weight, (1 / scale).view(shape));
    }
    for (const ChannelLink::Reader& reader : link.readers) {
      at::Tensor& weight = Weight(reader.layer);
      weight = scaled(weight, AlongInputChannels(scale, weight, reader.groups));
    }
  }

  /// Σ E‖(Q(W s) / s − W) x‖² over the readers.
  double OutputError(const ChannelLink& link, const at::Tensor& scale, const InputFigures& figures) {
    double error = 0;
    for (const ChannelLink::Reader& reader : link.readers) {
      const Format& format = plan_.layers[reader.layer].weight;
      if (!format.HasScale()) continue;
      const at::Tensor weight = Weight(reader.layer), along = AlongInputChannels(scale, weight, reader.groups);
      const at::Tensor quantized =
          QuantizeWeight((weight.to(at::kDouble) * along).to(at::kFloat), format, 0).value / along;
      const at::Tensor rows = (quantized - weight).view({reader.groups, weight.size(0) / reader.groups, -1});
      error += (rows.matmul(figures.moments.at(reader.layer)) * rows).sum().item<double>();
    }
    return error;
  }

  const Network& network_;
  const Plan& plan_;
  std::vector<ChannelLink> links_;
  std::vector<at::Tensor> values_;
};

void CheckSameOutput(const Network& before, const Network& after, const Dataset& data) {
  constexpr std::int64_t kSamples = 8;
  constexpr double kLimit = 1e-4;
  const auto inputs = data.Get(0, std::min(kSamples, data.size()), at::Device(before.device())).inputs;
  const at::Tensor wanted = before.Forward(inputs), given = after.Forward(inputs);
  const double change =
      (given - wanted).abs().max().item<double>() / std::max(1e-30, wanted.abs().max().item<double>());
  if (!(change <= kLimit))
    throw Error(
        fmt::format("rescaling: the float network's output moves by {:.2g} of its size, more than {}; leave it off",
                    change, kLimit));
}

std::vector<ChannelLink> LinksFor(const Network& network, Rescaling kind) {
  std::vector<ChannelLink> links = FindChannelLinks(network);
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
  const std::vector<ChannelLink> links = LinksFor(network, Rescaling::Equalization);
  Rescaler rescaler(network, plan, links);
  rescaler.Equalize();
  return rescaler.Result();
}

Network Rescale(const Network& network, const Plan& plan, const Dataset& data, std::int64_t batch_size) {
  const at::NoGradGuard no_grad;
  const Rescaling kind = plan.corrections.rescaling;
  const auto follow = [&] {
    const bool aware = kind == Rescaling::ActivationAware;
    const std::vector<ChannelLink> links = LinksFor(network, kind);
    Rescaler rescaler(network, plan, links);
    const InputFigures figures = FiguresOf(network, links, data, batch_size, aware);
    aware ? rescaler.FollowActivations(figures) : rescaler.Smooth(figures);
    return rescaler.Result();
  };
  const Network rescaled = kind == Rescaling::Equalization ? Equalize(network, plan) : follow();
  CheckSameOutput(network, rescaled, data);
  return rescaled;
}

}  // namespace bitplan
