#include "gauss_newton/loss_rows.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "bitplan/error.h"
#include "curvature/random_vector.h"
#include "gauss_newton/module_rows.h"
#include "tuning.h"

namespace bitplan::hessian {

namespace {

/// Of the softmax whose curvature it is.
double TemperatureOf(const Criterion& criterion) {
  return criterion.loss == Loss::Divergence ? criterion.temperature : 1;
}

/// Whether every number of the output is judged for itself.
bool PerElement(const Criterion& criterion) {
  return criterion.outputs != OutputKind::Classes || criterion.loss == Loss::BinaryCrossEntropy ||
         criterion.loss == Loss::MeanSquaredError;
}

/// ∂²ℓ/∂z² of such losses: its diagonal, as `z` [N, P, C]; `shares` [N, P].
at::Tensor ElementCurvature(const Criterion& criterion, const at::Tensor& z, const at::Tensor& shares) {
  const at::Tensor of_element = shares.unsqueeze(-1) / static_cast<double>(z.size(-1));
  if (criterion.loss == Loss::LogitShift) return of_element.expand_as(z);
  const bool binary = criterion.loss == Loss::BinaryCrossEntropy || criterion.outputs == OutputKind::Binary;
  if (criterion.loss == Loss::MeanSquaredError || !binary) return (2 * of_element).expand_as(z);
  const at::Tensor p = (criterion.loss == Loss::Divergence ? z / criterion.temperature : z).sigmoid();
  return p * (1 - p) * of_element;
}

/// Eigenvalues [N, P, C] and eigenvectors [N, P, C (component), C] of one prediction's Hessian in its logits.
std::pair<at::Tensor, at::Tensor> PredictionSpectrum(const Criterion& criterion, const at::Tensor& z,
                                                     const at::Tensor& shares) {
  const std::int64_t classes = z.size(2);
  if (criterion.loss == Loss::LogitShift) {
    const at::Tensor eye = torch::eye(classes, torch::kDouble);
    const auto [values, vectors] = at::linalg_eigh(eye - 1.0 / static_cast<double>(classes));
    return {values * shares.unsqueeze(-1), vectors.expand({z.size(0), z.size(1), classes, classes})};
  }
  const at::Tensor p = at::softmax(z / TemperatureOf(criterion), -1);
  const at::Tensor hessian = at::diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2);
  const auto [values, vectors] = at::linalg_eigh(hessian);
  return {values * shares.unsqueeze(-1), vectors};
}

/// All rows [N, P · C, P, C] and their squared lengths [N, P · C], largest first.
std::pair<at::Tensor, at::Tensor> AllRows(const Criterion& criterion, const at::Tensor& z, const at::Tensor& shares) {
  const std::int64_t samples = z.size(0), predictions = z.size(1), classes = z.size(2), count = predictions * classes;
  at::Tensor values, rows;
  if (PerElement(criterion)) {
    values = ElementCurvature(criterion, z, shares).reshape({samples, count});
    rows = at::diag_embed(values.sqrt());
  } else {
    const auto [spectrum, vectors] = PredictionSpectrum(criterion, z, shares);
    const at::Tensor scaled =
        (vectors * spectrum.clamp_min(0).sqrt().unsqueeze(-2)).transpose(-1, -2);  // [N, P, C, component]
    values = spectrum.clamp_min(0).reshape({samples, count});
    rows = torch::zeros({samples, predictions, classes, predictions, classes}, torch::kDouble);
    for (std::int64_t p = 0; p < predictions; ++p) rows.select(1, p).select(2, p).copy_(scaled.select(1, p));
  }
  const at::Tensor order = values.argsort(/*dim=*/1, /*descending=*/true);
  values = values.gather(1, order);
  rows = rows.reshape({samples, count, count}).gather(1, order.unsqueeze(-1).expand({samples, count, count}));
  return {rows.view({samples, count, predictions, classes}), values};
}

/// How many rows of each sample are kept when the smallest of all are left out, as long as they add up to no more than
/// `cut` of the whole; and the share that is left out.
std::pair<std::vector<std::int64_t>, double> CutSmallest(const at::Tensor& values, double cut) {
  const at::Tensor sorted = std::get<0>(values.flatten().sort());
  const at::Tensor sums = sorted.cumsum(0);
  const double total = sums[-1].item<double>();
  if (total == 0) return {std::vector<std::int64_t>(static_cast<std::size_t>(values.size(0)), 0), 0.0};
  const std::int64_t dropped = sums.le(cut * total).sum().item<std::int64_t>();
  const double threshold = std::max(dropped > 0 ? sorted[dropped - 1].item<double>() : 0.0,
                                    tuning::kShareOfRounding * sorted[-1].item<double>());
  const at::Tensor counts = values.gt(threshold).sum(1);
  const std::vector<std::int64_t> per_sample(counts.const_data_ptr<std::int64_t>(),
                                             counts.const_data_ptr<std::int64_t>() + counts.numel());
  return {per_sample, values.masked_fill(values.gt(threshold), 0).sum().item<double>() / total};
}

/// e_c [K, P, classes] of classes [K, P, 1].
at::Tensor OneHot(const at::Tensor& chosen, std::int64_t classes) {
  return torch::zeros({chosen.size(0), chosen.size(1), classes}, torch::kDouble).scatter_(-1, chosen, 1);
}

/// √w_k (e_c − p) of softmax outputs p [P, C] for `count` draws k: [count, P, C], whose products with themselves add up
/// to diag(p) − ppᵀ = Σ_c p_c (e_c − p)(e_c − p)ᵀ on average. Of one prediction three quarters of the rows are its
/// likeliest classes, w = p_c, and only the others are drawn; of several, each is drawn, with a sign of its own, and
/// one row stands for all.
at::Tensor ClassDraws(const at::Tensor& p, std::int64_t count, std::mt19937_64& generator) {
  const std::int64_t predictions = p.size(0), classes = p.size(1);
  const std::int64_t certain = predictions == 1 ? std::min(count - (count + 3) / 4, classes - 1) : 0,
                     drawn = count - certain;
  const auto [likeliest, likely_classes] = p.topk(certain, -1);
  const at::Tensor others = p.scatter(-1, likely_classes, 0);  // what is drawn from
  const at::Tensor left = others.sum(-1);                      // [P]
  const at::Tensor cumulative = others.cumsum(-1).unsqueeze(0).expand({drawn, predictions, classes}).contiguous();
  const std::vector<double> uniform = UniformVector(static_cast<std::size_t>(drawn * predictions), generator);
  const at::Tensor points =
      (torch::tensor(uniform, torch::kDouble).view({drawn, predictions, 1}) + 1) / 2 * left.view({1, predictions, 1});
  const at::Tensor found =
      at::searchsorted(cumulative, points, /*out_int32=*/false, /*right=*/true).clamp_max(classes - 1);
  const at::Tensor weight = (left / static_cast<double>(drawn)).sqrt().view({1, predictions, 1});
  const at::Tensor signs = predictions == 1 ? at::ones_like(points) : Rademacher(points, generator);
  const at::Tensor of_drawn = signs * weight * (OneHot(found, classes) - p);
  if (certain == 0) return of_drawn;
  const at::Tensor of_certain =
      likeliest[0].sqrt().view({certain, 1, 1}) * (OneHot(likely_classes[0].view({certain, 1, 1}), classes) - p);
  return at::cat({of_certain, of_drawn});
}

constexpr std::uint64_t kSeedOfOutput = 0x9E3779B97F4A7C15;

/// Whether a loss is taken as one of all numbers of an output, of which nothing else is known.
bool IsOfWhole(const Criterion& criterion) {
  return criterion.loss == Loss::Module || criterion.outputs == OutputKind::Several;
}

Criterion OfRows(Criterion criterion) {
  if (criterion.loss == Loss::Module && criterion.outputs != OutputKind::Several)
    criterion.outputs = OutputKind::Values;
  if (criterion.loss == Loss::Module) criterion.counted = 0;
  return criterion;
}

}  // namespace

LossCurvature::LossCurvature(Criterion criterion, const at::Tensor& logits, const at::Tensor& labels, int wanted,
                             double cut, std::uint64_t seed)
    : criterion_(OfRows(std::move(criterion))),
      logits_(ByPrediction(criterion_, logits.to(at::kCPU, at::kFloat))),
      shares_(PredictionShares(criterion_, logits.to(at::kCPU), labels)),
      output_(logits.sizes().slice(1).vec()),
      seed_(seed) {
  if (criterion_.loss == Loss::Module && labels.defined()) labels_ = labels.to(at::kCPU);
  const std::int64_t outputs = logits_.size(1) * logits_.size(2);
  drawn_ = wanted > 0 || outputs > tuning::kMostExactRows;
  if (drawn_) {
    const int count = wanted > 0 ? wanted : tuning::kDrawnRows;
    counts_.assign(static_cast<std::size_t>(logits_.size(0)), count);
    if (criterion_.loss == Loss::Module || criterion_.outputs != OutputKind::Several) return;
    const std::vector<at::Tensor> apart = Apart(criterion_, logits);
    for (std::size_t i = 0; i < apart.size(); ++i)
      each_.emplace_back(criterion_.OfOutput(i), apart[i], at::Tensor(), count, cut, seed + (i + 1) * kSeedOfOutput);
    return;
  }
  std::tie(counts_, cut_) = CutSmallest(AllLengths(), cut);
}

at::Tensor LossCurvature::LabelsOf(const at::Tensor& samples) const {
  return labels_.defined() ? labels_.index({samples}) : labels_;
}

std::pair<at::Tensor, at::Tensor> LossCurvature::All(const at::Tensor& samples) const {
  const at::Tensor z = logits_.index({samples});
  if (!IsOfWhole(criterion_)) return AllRows(criterion_, z.to(at::kDouble), shares_.index({samples}));
  auto [rows, lengths] = AllModuleRows(criterion_, z.view(OutputShape(z.size(0))), LabelsOf(samples));
  return {rows.view({rows.size(0), rows.size(1), z.size(1), z.size(2)}), lengths};
}

at::Tensor LossCurvature::AllLengths() const {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& some : torch::arange(logits_.size(0)).split(tuning::kSamplesOfRowsAtOnce))
    parts.push_back(All(some).second);
  return at::cat(parts);
}

std::vector<std::int64_t> LossCurvature::OutputShape(std::int64_t samples) const {
  std::vector<std::int64_t> shape = output_;
  shape.insert(shape.begin(), samples);
  return shape;
}

/// With signs ε of equal probability, E[(Σ_p ε_p a_p)(…)ᵀ] = Σ_p E[a_p a_pᵀ]: one row stands for all predictions of a
/// sample.
at::Tensor LossCurvature::Drawn(std::int64_t sample) const {
  auto generator = MakeGenerator(seed_, static_cast<std::uint64_t>(sample), 1);
  const at::Tensor z = logits_[sample].to(at::kDouble);  // [P, C]
  const std::int64_t count = counts_[static_cast<std::size_t>(sample)], predictions = z.size(0);
  if (!each_.empty()) return DrawnOfSeveral(sample, generator);
  if (IsOfWhole(criterion_))
    return DrawnModuleRows(criterion_, z.view(OutputShape(1)), LabelsOf(torch::tensor({sample})), count, generator)
        .view({count, predictions, z.size(1)});
  const at::Tensor like = torch::empty({count, predictions, z.size(1)}, torch::kDouble);
  const at::Tensor shares = shares_[sample];
  const at::Tensor share = shares.sqrt().view({1, predictions, 1});
  const double of_row = 1 / std::sqrt(static_cast<double>(count));
  if (PerElement(criterion_))
    return of_row * Rademacher(like, generator) *
           ElementCurvature(criterion_, z.unsqueeze(0), shares.unsqueeze(0)).sqrt();
  if (criterion_.loss != Loss::LogitShift)
    return share * ClassDraws(at::softmax(z / TemperatureOf(criterion_), -1), count, generator);
  const at::Tensor signs = Rademacher(like, generator);
  return share * of_row * (signs - signs.mean(-1, /*keepdim=*/true));
}

/// Each output's own rows, side by side with signs of their own, so that no two outputs have anything in common on
/// average.
at::Tensor LossCurvature::DrawnOfSeveral(std::int64_t sample, std::mt19937_64& generator) const {
  const std::int64_t count = counts_[static_cast<std::size_t>(sample)];
  std::vector<at::Tensor> rows;
  for (std::size_t i = 0; i < each_.size(); ++i) {
    const at::Tensor signs = Rademacher(torch::empty({count, 1}, torch::kDouble), generator);
    rows.push_back(std::sqrt(criterion_.several[i].weight) * signs * each_[i].Drawn(sample).reshape({count, -1}));
  }
  return at::cat(rows, 1).unsqueeze(1);
}

std::int64_t LossCurvature::bytes() const {
  auto sum = static_cast<std::int64_t>(logits_.nbytes());
  for (const LossCurvature& each : each_) sum += each.bytes();
  return sum;
}

std::vector<std::int64_t> LossCurvature::MostRowsFirst() const {
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] > 0) order.push_back(static_cast<std::int64_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return counts_[static_cast<std::size_t>(a)] > counts_[static_cast<std::size_t>(b)];
  });
  return order;
}

std::vector<std::vector<std::int64_t>> LossCurvature::Chunks(std::int64_t largest) const {
  const std::vector<std::int64_t> order = MostRowsFirst();
  const auto count = static_cast<std::int64_t>(order.size());
  std::vector<double> work(order.size() + 1, 0);  // of the samples from here on
  std::vector<std::int64_t> sizes(order.size());
  for (std::int64_t begin = count - 1; begin >= 0; --begin) {
    const auto at = static_cast<std::size_t>(begin);
    const std::int64_t rows = counts_[static_cast<std::size_t>(order[at])];
    for (std::int64_t size = 1; size <= std::min(largest, count - begin); ++size) {
      const double passes = static_cast<double>(1 + rows) * (static_cast<double>(size) + tuning::kSamplesOfAPass);
      const double all = passes + work[at + static_cast<std::size_t>(size)];
      if (size > 1 && all >= work[at]) continue;
      work[at] = all;
      sizes[at] = size;
    }
  }
  std::vector<std::vector<std::int64_t>> chunks;
  for (auto next = order.begin(); next != order.end(); next += static_cast<std::ptrdiff_t>(chunks.back().size()))
    chunks.emplace_back(next, next + sizes[static_cast<std::size_t>(next - order.begin())]);
  return chunks;
}

LossRows LossCurvature::Rows(const std::vector<std::int64_t>& samples) const {
  LossRows result;
  for (const std::int64_t sample : samples) result.counts.push_back(counts_[static_cast<std::size_t>(sample)]);
  const std::int64_t most = *std::max_element(result.counts.begin(), result.counts.end());
  const auto n = static_cast<std::int64_t>(samples.size());
  at::Tensor rows = torch::zeros({most, n, logits_.size(1), logits_.size(2)}, torch::kFloat);
  at::Tensor block;  // exact rows of some samples
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t sample = samples[static_cast<std::size_t>(i)],
                       count = result.counts[static_cast<std::size_t>(i)];
    if (!drawn_ && i % tuning::kSamplesOfRowsAtOnce == 0) {
      const at::Tensor of_block = torch::tensor(samples).narrow(0, i, std::min(tuning::kSamplesOfRowsAtOnce, n - i));
      block = All(of_block).first;
    }
    rows.select(1, i)
        .narrow(0, 0, count)
        .copy_(drawn_ ? Drawn(sample) : block[i % tuning::kSamplesOfRowsAtOnce].narrow(0, 0, count));
  }
  // Back to the output's own order of axes.
  std::vector<std::int64_t> shape = output_;
  const bool classes = criterion_.outputs == OutputKind::Classes;
  if (classes) {
    shape.erase(shape.begin() + (criterion_.class_axis - 1));
    shape.push_back(logits_.size(-1));
  }
  shape.insert(shape.begin(), {most, n});
  result.rows = rows.view(shape);
  if (classes) result.rows = result.rows.movedim(-1, criterion_.class_axis + 1).contiguous();
  return result;
}

}  // namespace bitplan::hessian
