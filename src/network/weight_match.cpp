#include "network/weight_match.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>

#include "bitplan/fingerprint.h"

namespace bitplan::network {

namespace {

constexpr std::size_t kSums = 4;  // each with signs of its own
/// Entries of a fingerprint: channels, values a channel, norm, sums, directions.
constexpr std::size_t kNorm = 2, kFirstSum = 3, kFirstDirection = kFirstSum + kSums, kEntries = kFirstDirection + kSums;
/// Relative to the norm: folding batch norm in another order of operations changes 1e-6, one step of training 1e-4.
constexpr double kTolerance = 1e-5;
constexpr double kDirectionTolerance = 1e-4;

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014): bits that hang on `index`
/// alone.
std::uint64_t RandomBits(std::uint64_t index) {
  std::uint64_t bits = (index + 1) * 0x9E3779B97F4A7C15;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  return bits ^ (bits >> 31);
}

double Signed(double value, std::uint64_t bits, std::size_t bit) { return (bits >> bit) & 1 ? -value : value; }

using Sums = std::array<double, kSums>;

/// What one channel adds to the sums of all, and its own.
struct ChannelSums {
  double squares = 0;
  Sums all{}, own{};
};

ChannelSums SumsOf(const float* values, std::uint64_t channel, std::uint64_t count) {
  ChannelSums sums;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double value = values[i];
    const std::uint64_t of_all = RandomBits(channel * count + i), of_channel = RandomBits(i) >> kSums;
    sums.squares += value * value;
    for (std::size_t k = 0; k < kSums; ++k) {
      sums.all[k] += Signed(value, of_all, k);
      sums.own[k] += Signed(value, of_channel, k);
    }
  }
  return sums;
}

bool AreNear(const std::vector<double>& a, const std::vector<double>& b, std::size_t from, std::size_t to,
             double tolerance) {
  for (std::size_t i = from; i < to; ++i)
    if (!(std::abs(a[i] - b[i]) <= tolerance)) return false;
  return true;
}

using Comparison = bool (*)(const std::vector<double>&, const std::vector<double>&);

/// The first alike that is not taken; where all are, the first: a weight that stands twice in this file.
std::optional<std::size_t> AlikeIn(const std::vector<KnownWeight>& known, const std::vector<double>& fingerprint,
                                   const std::set<std::size_t>& taken, Comparison are_alike) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!are_alike(known[i].fingerprint, fingerprint)) continue;
    if (!taken.contains(i)) return i;
    if (!first) first = i;
  }
  return first;
}

bool HaveSameSizes(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == kEntries && b.size() == kEntries && a[0] == b[0] && a[1] == b[1];
}

}  // namespace

std::vector<double> WeightFingerprint(const at::Tensor& weight, int channel_axis) {
  const at::Tensor values = weight.detach().to(at::kCPU, at::kFloat).movedim(channel_axis, 0).contiguous();
  const auto channels = static_cast<std::uint64_t>(values.size(0));
  const std::uint64_t count = channels == 0 ? 0 : static_cast<std::uint64_t>(values.numel()) / channels;
  std::vector<double> fingerprint(kEntries, 0);
  fingerprint[0] = static_cast<double>(channels);
  fingerprint[1] = static_cast<double>(count);
  double squares = 0;
  for (std::uint64_t channel = 0; channel < channels; ++channel) {
    const ChannelSums sums = SumsOf(values.const_data_ptr<float>() + channel * count, channel, count);
    squares += sums.squares;
    const std::uint64_t signs = RandomBits(channel) >> (2 * kSums);
    for (std::size_t k = 0; k < kSums; ++k) {
      fingerprint[kFirstSum + k] += sums.all[k];
      if (sums.squares > 0)
        fingerprint[kFirstDirection + k] += Signed(sums.own[k] * sums.own[k] / sums.squares, signs, k);
    }
  }
  fingerprint[kNorm] = std::sqrt(squares);
  return fingerprint;
}

bool AreOfSameValues(const std::vector<double>& a, const std::vector<double>& b) {
  return HaveSameSizes(a, b) && AreNear(a, b, kNorm, kFirstDirection, kTolerance * std::max(a[kNorm], b[kNorm]));
}

bool AreOfSameDirections(const std::vector<double>& a, const std::vector<double>& b) {
  return HaveSameSizes(a, b) && a[1] > 1 &&
         AreNear(a, b, kFirstDirection, kEntries, kDirectionTolerance * std::sqrt(a[0]));
}

std::vector<std::optional<std::size_t>> MatchWeights(const Network& network, const std::vector<KnownWeight>& known) {
  std::vector<std::optional<std::size_t>> matched;
  std::vector<std::vector<double>> fingerprints;
  std::set<std::size_t> taken;
  for (const Layer& layer : network.layers()) {
    const auto& own = fingerprints.emplace_back(Fingerprint(network, layer));
    const auto by_name =
        std::find_if(known.begin(), known.end(), [&](const auto& it) { return it.name == layer.name; });
    matched.emplace_back();
    if (by_name == known.end() ||
        !(AreOfSameValues(by_name->fingerprint, own) || AreOfSameDirections(by_name->fingerprint, own)))
      continue;
    matched.back() = static_cast<std::size_t>(by_name - known.begin());
    taken.insert(*matched.back());
  }
  for (std::size_t i = 0; i < matched.size(); ++i) {
    if (matched[i]) continue;
    matched[i] = AlikeIn(known, fingerprints[i], taken, AreOfSameValues);
    if (!matched[i]) matched[i] = AlikeIn(known, fingerprints[i], taken, AreOfSameDirections);
    if (matched[i]) taken.insert(*matched[i]);
  }
  return matched;
}

}  // namespace bitplan::network

namespace bitplan {

std::vector<double> Fingerprint(const Network& network, const Layer& layer) {
  return network::WeightFingerprint(network.Weight(layer), layer.channel_axis);
}

}  // namespace bitplan
