#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace bitplan {

// Every function here throws Error on an empty or non-finite input, on inputs of different sizes and on results that a
// double cannot hold; fewer than two values are an error too unless said otherwise.

/// A figure and its standard error, both in the unit of the values it was computed from.
struct Estimate {
  double value = 0;
  double standard_error = 0;  ///< ≥ 0
};

/// Mean of independent values, and s/√n with the sample's standard deviation s (n − 1 in its denominator).
Estimate Mean(const std::vector<double>& values);

/// Mean of a[i] − b[i] over pairs, with the standard error of the differences: what a and b have in common cancels.
Estimate PairedDifference(const std::vector<double>& a, const std::vector<double>& b);

/// exp of the mean logarithm of values that are all above 0; one value is enough.
double GeometricMean(const std::vector<double>& values);

/// Spearman's rank correlation, −1 … 1: Pearson's correlation of the ranks, equal values sharing the average of theirs.
/// 0 when `x` or `y` is constant.
double Spearman(const std::vector<double>& x, const std::vector<double>& y);

/// Kendall's tau-b, −1 … 1, which corrects for ties: (P − Q) / √((n₀ − n₁)(n₀ − n₂)) with P concordant and Q discordant
/// pairs of the n₀ = n(n − 1)/2, n₁ tied in x and n₂ in y. O(n log n), Knight, J. Am. Stat. Assoc. 61 (1966) 436.
/// 0 when `x` or `y` is constant.
double KendallTau(const std::vector<double>& x, const std::vector<double>& y);

struct BootstrapOptions {
  std::int64_t resamples = 1000;  ///< ≥ 2; 1,000 and more for percentiles, 100 will do for a standard error
  std::uint64_t seed = 0;         ///< equal seeds draw the same samples on every platform

  void Validate() const;  ///< throws Error
};

/// How often each sample was drawn, summing to their number: the weights of one resample. Shape: [samples].
using SampleCounts = std::vector<std::int64_t>;

/// Figures of a resample, as many every time, all finite. What it throws reaches the caller unchanged.
using BootstrapStatistic = std::function<std::vector<double>(const SampleCounts& counts)>;

struct Bootstrapped {
  /// Each figure on the samples as they are (every count 1), with the standard deviation over the resamples. [figures]
  std::vector<Estimate> estimates;
  std::vector<std::vector<double>> replicates;  ///< [figures][resamples], in the order drawn
};

/// Nonparametric bootstrap (Efron, Ann. Stat. 7 (1979) 1): computes `statistic` on `samples` ≥ 2 independent samples,
/// and again on each of `options.resamples` draws of as many samples with replacement.
Bootstrapped Bootstrap(std::size_t samples, const BootstrapStatistic& statistic, const BootstrapOptions& options);

/// The values of a resample, in order: values[i] counts[i] times.
std::vector<double> Resampled(const std::vector<double>& values, const SampleCounts& counts);

struct Interval {
  double low = 0, high = 0;
};

/// The middle `level` (above 0, below 1) of the replicates of one figure: the bootstrap's percentile interval.
/// Quantiles between two replicates are interpolated linearly (type 7 of Hyndman and Fan, Am. Stat. 50 (1996) 361).
Interval PercentileInterval(const std::vector<double>& replicates, double level = 0.95);

/// Estimates drawn towards their prior means, the noisier the further.
struct Shrinkage {
  double prior_variance = 0;        ///< τ² ≥ 0, in the squared unit of the estimates; 0: noise explains all differences
  std::vector<Estimate> posterior;  ///< standard errors take τ² as known
};

/// Empirical Bayes for yᵢ ~ N(θᵢ, sᵢ²) with θᵢ ~ N(mᵢ, τ²): posterior means mᵢ + (τ²/(τ² + sᵢ²))(yᵢ − mᵢ).
/// τ² is the moment estimate of Paule and Mandel (J. Res. Natl. Bur. Stand. 87 (1982) 377; DerSimonian and Kacker,
/// Contemp. Clin. Trials 28 (2007) 105): it makes Σ(yᵢ − mᵢ)²/(sᵢ² + τ²) meet its expectation n − `fitted_parameters`,
/// or is 0 where the sum is below that at τ² = 0 already. `fitted_parameters`, 0 … n − 1, is how many parameters of the
/// prior means were fitted to these estimates: 0 for means known beforehand, 1 for a common mean.
/// A standard error may be 0 (that estimate stays as it is); Error on a negative one.
Shrinkage Shrink(const std::vector<Estimate>& estimates, const std::vector<double>& prior_means,
                 std::size_t fitted_parameters = 0);

}  // namespace bitplan
