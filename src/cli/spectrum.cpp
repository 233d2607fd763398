#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/pass_limits.h"
#include "bitplan/spectral_density.h"
#include "command.h"
#include "cost/layer_pattern.h"
#include "image_options.h"
#include "interrupt.h"
#include "memory_option.h"
#include "number_option.h"
#include "options.h"
#include "output_path.h"
#include "process/memory_limit.h"
#include "report.h"
#include "tuning.h"
#include "values.h"

namespace bitplan::cli {

namespace {

/// Layers that patterns with commas between them name, each once; all where there is none.
std::vector<int> ChooseLayers(const Network& network, const std::string& patterns) {
  std::vector<int> chosen(patterns.empty() ? network.layers().size() : 0);
  std::iota(chosen.begin(), chosen.end(), 0);
  std::istringstream each(patterns);
  for (std::string pattern; std::getline(each, pattern, ',');) {
    const std::vector<std::size_t> found = cost::MatchingLayers(network.layers(), pattern);
    if (found.empty())
      throw Error(fmt::format("--layers {}: no layer or operator is called that; bitplan inspect lists them", pattern));
    for (const std::size_t layer : found) chosen.push_back(static_cast<int>(layer));
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  if (chosen.empty()) throw Error("no layer of this network can be quantized; inspect says why");
  return chosen;
}

/// What is left of the memory for passes, beside the basis of Lanczos and the vectors that go with it.
std::int64_t BesideBasis(const SpectralDensityOptions& options, const Network& network,
                         const std::vector<int>& layers) {
  constexpr std::int64_t kVectors = 8;
  std::int64_t rows = 0;
  for (const int layer : layers) rows += network.Weight(network.layers()[static_cast<std::size_t>(layer)]).numel();
  const std::int64_t held = options.BasisBytes(rows) + kVectors * 8 * rows;
  process::CheckOneSampleFits(held, options.memory_bytes,
                              fmt::format("the Lanczos basis over {} weights", WithCommas(rows)));
  return PassLimits(1, options.memory_bytes).Beside(held).memory_bytes;
}

SpectralDensity Compute(const CommandLine& line, const Network& network, const Dataset& data,
                        const std::vector<int>& layers) {
  SpectralDensityOptions options;
  options.probes = line.Get<int>("probes");
  if (line.Has("steps")) options.steps = line.Get<int>("steps");
  options.memory_bytes = ReadMemory(line, network, {&data});
  options.seed = line.Get<std::uint64_t>("seed");
  options.progress = ShowProgress();
  options.Validate();
  const std::int64_t passes = BesideBasis(options, network, layers);
  const Loss loss = ReadLossOption(line);
  const auto temperature = line.Get<double>("temperature");
  if (line.Get<bool>("exact-hessian")) {
    const Criterion criterion = ResolveLoss(network, data, loss, temperature);
    const auto hessian_on = [&](const Dataset& some, std::int64_t batch) {
      return HessianOperator(LossFunction(network, some, criterion, batch), {.layers = layers});
    };
    const std::int64_t batch = process::SamplesAPass(
        std::min(line.Get<std::int64_t>("batch-size"), data.size()), passes, 0, [&](std::int64_t count) {
          const HessianOperator few = hessian_on(data.First(count), count);
          std::vector<double> vector(static_cast<std::size_t>(few.rows()), 1);
          few.perform_op(vector.data(), std::vector<double>(vector).data());
        });
    return EstimateSpectralDensity(hessian_on(data, batch), options);
  }
  GaussNewtonOptions matrix;
  matrix.layers = layers;
  matrix.loss = loss;
  matrix.temperature = temperature;
  matrix.memory_bytes = passes;
  matrix.seed = options.seed;
  matrix.progress = options.progress;
  std::vector<std::size_t> all(layers.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return EstimateSpectralDensity(GaussNewtonOperator(GaussNewton::Compute(network, data, matrix), all), options);
}

/// What the table and the JSON say about a density.
struct Summary {
  Estimate trace, near_zero, negative;
  double largest = 0, least = 0;
};

Summary Summarize(const SpectralDensity& density) {
  const auto rows = static_cast<double>(density.rows);
  const Estimate mean = density.Moment(1);
  Summary summary{{mean.value * rows, mean.standard_error * rows}, {}, {}, density.Largest(), density.Least()};
  const double bound = tuning::kNearZero * std::max(std::abs(summary.largest), std::abs(summary.least));
  summary.near_zero = density.Share(-bound, bound);
  if (summary.least < -bound) summary.negative = density.Share(summary.least, std::nextafter(-bound, -INFINITY));
  return summary;
}

std::string ToJson(const CommandLine& line, const Network& network, const std::vector<int>& layers,
                   const SpectralDensity& density) {
  const Summary summary = Summarize(density);
  const auto estimate = [](const Estimate& value) {
    return nlohmann::ordered_json{{"value", value.value}, {"standard_error", value.standard_error}};
  };
  nlohmann::ordered_json json;
  json["schema"] = "bitplan.spectrum/1";
  json["model_sha256"] = network.sha256();
  json["matrix"] = line.Get<bool>("exact-hessian") ? "hessian" : "gauss-newton";
  json["layers"] = nlohmann::ordered_json::array();
  for (const int layer : layers) json["layers"].push_back(network.layers()[static_cast<std::size_t>(layer)].name);
  json["seed"] = line.Get<std::uint64_t>("seed");
  json["weights"] = density.rows;
  json["trace"] = estimate(summary.trace);
  json["largest_eigenvalue"] = summary.largest;
  json["least_eigenvalue"] = summary.least;
  json["share_near_zero"] = estimate(summary.near_zero);
  json["share_negative"] = estimate(summary.negative);
  json["probes"] = nlohmann::ordered_json::array();
  for (const Quadrature& probe : density.probes)
    json["probes"].push_back({{"nodes", probe.nodes}, {"weights", probe.weights}});
  return json.dump(1);
}

void Print(const CommandLine& line, const std::vector<int>& layers, const SpectralDensity& density) {
  const Summary summary = Summarize(density);
  Table table({line.Get<bool>("exact-hessian") ? "Hessian" : "Gauss-Newton matrix", "value", "standard error"});
  table.Add({"largest eigenvalue", fmt::format("{:.4g}", summary.largest), "-"});
  table.Add({"least eigenvalue", fmt::format("{:.4g}", summary.least), "-"});
  table.Add({"trace", fmt::format("{:.4g}", summary.trace.value), fmt::format("{:.1g}", summary.trace.standard_error)});
  const auto add_share = [&](const char* of, const Estimate& share) {
    table.Add({of, fmt::format("{:.4f}%", 100 * share.value), fmt::format("{:.4f}%", 100 * share.standard_error)});
  };
  add_share("eigenvalues near zero", summary.near_zero);
  add_share("eigenvalues below", summary.negative);
  fmt::print(
      "{}\n{} weights of {} layer{}; {} probes, {} products; near zero: within {}% of the eigenvalue largest in "
      "magnitude\n",
      table.Text(), WithCommas(density.rows), layers.size(), layers.size() == 1 ? "" : "s", density.probes.size(),
      density.products, 100 * tuning::kNearZero);
}

}  // namespace

int ShowSpectrum(const Arguments& arguments) {
  CommandLine line(
      "spectrum MODEL.pt --data KIND:FILE [--layers PATTERNS] [--csv FILE] [--svg FILE] [options]",
      "Estimates how the eigenvalues of the loss's curvature in the weights of some layers are distributed.");
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  line.Add({
      {"data", ReadData(), "what the loss is the mean over"},
      {"layers", TextOrShown("", "all", "PATTERNS"),
       "names, wildcards or operators, with commas between: 'layer1.*,linear'"},
      {"exact-hessian", Flag(), "of the Hessian, not the Gauss-Newton matrix"},
      {"probes", Number<int>(WholeFrom(1), SpectralDensityOptions().probes), "random vectors"},
      {"steps", Number<int>(WholeFrom(1)),
       "of Lanczos for each; default 80, or the number of weights where that is less"},
      {"csv", WrittenFile(), "where the smoothed density goes as a table"},
      {"svg", WrittenFile(), "where it goes as a chart"},
  });
  AddLossOptions(line);
  AddSampleOptions(line, tuning::kSpectrumSamples);
  AddBatchOption(line, {{"exact-hessian"}});
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;
  for (const char* file : {"csv", "svg"})
    if (line.Has(file)) RequireWritable(line.Get<std::string>(file));
  const Network network = LoadNetwork(line, ReadModelOptions(line));
  const std::vector<int> layers = ChooseLayers(network, line.Get<std::string>("layers"));
  const Dataset data = LoadData(line.Required("data"), ReadSampleOptions(line, network));
  const Criterion criterion = ResolveLoss(network, data, ReadLossOption(line), line.Get<double>("temperature"));
  RefuseIdleTemperature(line, criterion);
  const SpectralDensity density = Compute(line, network, data, layers);
  ThrowIfInterrupted();
  const DensityCurve curve = Smoothed(density);
  if (line.Has("csv")) WriteFile(line.Get<std::string>("csv"), ToCsv(curve));
  if (line.Has("svg"))
    WriteFile(line.Get<std::string>("svg"),
              ToSvg(curve, density.rows,
                    line.Get<bool>("exact-hessian") ? "Spectral density of the Hessian"
                                                    : "Spectral density of the Gauss-Newton matrix"));
  if (WriteJson(line, ToJson(line, network, layers, density))) {
    Print(line, layers, density);
    PrintCriterion(criterion);
  }
  return kDone;
}

}  // namespace bitplan::cli
