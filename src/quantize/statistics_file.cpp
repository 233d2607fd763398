#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

#include "activation_statistics.h"
#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "bitplan/version.h"
#include "network/weights_sha256.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan {

namespace {

constexpr const char* kSchema = "bitplan.statistics/1";

plan::Json SiteJson(const std::string& name, const calibration::HistogramState& state) {
  return {{"name", name},
          {"radius", state.radius},
          {"min", state.min},
          {"max", state.max},
          {"batches", state.batches},
          {"sum_of_min", state.sum.min},
          {"sum_of_max", state.sum.max},
          {"moving_min", state.moving.min},
          {"moving_max", state.moving.max},
          {"zeros", state.zeros},
          {"bins", state.bins},
          {"counts", state.counts}};
}

std::vector<std::int64_t> WholeNumbers(plan::JsonReader& reader, const std::string& key) {
  constexpr double kMost = 9007199254740992;  // 2^53
  std::vector<std::int64_t> numbers;
  for (const double number : reader.Numbers(key)) {
    if (!(number >= 0 && number <= kMost && number == std::floor(number)))
      reader.Fail(key, "whole numbers that are not negative");
    numbers.push_back(static_cast<std::int64_t>(number));
  }
  return numbers;
}

calibration::Histogram ReadHistogram(plan::JsonReader& reader) {
  calibration::HistogramState state;
  state.radius = reader.Number("radius");
  state.min = reader.Number("min");
  state.max = reader.Number("max");
  state.batches = reader.Integer("batches", 1);
  state.sum = {reader.Number("sum_of_min"), reader.Number("sum_of_max")};
  state.moving = {reader.Number("moving_min"), reader.Number("moving_max")};
  state.zeros = reader.Integer("zeros", 0);
  state.bins = WholeNumbers(reader, "bins");
  state.counts = WholeNumbers(reader, "counts");
  reader.Finish();
  try {
    return calibration::Histogram::FromState(state);
  } catch (const Error& error) {
    reader.Reject(error.what());
  }
}

std::vector<network::KnownWeight> ReadLayers(plan::JsonReader& reader) {
  std::vector<network::KnownWeight> layers;
  for (plan::JsonReader& layer : reader.Objects("layers")) {
    layers.push_back({layer.String("name"), layer.Numbers("fingerprint")});
    layer.Finish();
  }
  return layers;
}

/// By layer of the network its name in the file whose layers are `known`; empty where that is another model's.
std::vector<std::string> NamesInFile(const Network& network, const std::vector<network::KnownWeight>& known) {
  std::vector<std::string> names;
  for (const auto& match : network::MatchWeights(network, known)) {
    if (!match) return {};
    names.push_back(known[*match].name);
  }
  return names;
}

/// Sites that statistics can be of, by their names in a file with these names of layers.
std::map<std::string, std::size_t> SitesByName(const Network& network, const std::vector<std::string>& names) {
  std::map<std::string, std::string> name_in_file;
  for (std::size_t i = 0; i < names.size(); ++i) name_in_file[network.layers()[i].name] = names[i];
  std::map<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < network.sites().size(); ++i) {
    const Site& site = network.sites()[i];
    const auto layer = name_in_file.find(site.name.substr(0, site.name.rfind(".input")));
    const bool is_input = site.kind == Site::Kind::LayerInput && layer != name_in_file.end();
    if (site.kind != Site::Kind::LayerOutput)
      by_name.emplace(is_input ? layer->second + site.name.substr(layer->first.size()) : site.name, i);
  }
  return by_name;
}

}  // namespace

std::string ActivationStatistics::ToJson() const {
  plan::Json json{{"schema", kSchema},
                  {"tool_version", Version()},
                  {"model_sha256", impl_->model_sha256},
                  {"weights_sha256", impl_->weights_sha256},
                  {"fold_batch_norm", impl_->batch_norm_folded},
                  {"layers", plan::Json::array()},
                  {"sites", plan::Json::array()}};
  for (const network::KnownWeight& layer : impl_->layers)
    json["layers"].push_back({{"name", layer.name}, {"fingerprint", layer.fingerprint}});
  if (!impl_->input_values.empty()) json["input_values"] = impl_->input_values;
  for (std::size_t i = 0; i < impl_->sites.size(); ++i)
    if (impl_->histograms[i].count() > 0)
      json["sites"].push_back(SiteJson(impl_->sites[i].name, impl_->histograms[i].State()));
  return plan::JsonText(json);
}

ActivationStatistics ActivationStatistics::Read(const std::filesystem::path& file, const Network& network) {
  plan::JsonReader reader = plan::JsonReader::Open(file, kSchema);
  reader.String("tool_version");
  auto impl = std::make_shared<Impl>();
  impl->model_sha256 = reader.String("model_sha256");
  if (reader.Has("weights_sha256")) impl->weights_sha256 = reader.String("weights_sha256");
  impl->batch_norm_folded = reader.Bool("fold_batch_norm");
  if (reader.Has("input_values")) impl->input_values = reader.TextMap("input_values");
  if (reader.Has("layers")) impl->layers = ReadLayers(reader);
  impl->sites = network.sites();
  impl->histograms.resize(network.sites().size());
  if (const std::string differs = network::OtherInputValues(network, impl->input_values); !differs.empty())
    throw Error(fmt::format("{}: the statistics were {}", file.string(), differs));
  std::vector<std::string> names;
  if (network::IsMadeFor(network, impl->model_sha256, impl->weights_sha256))
    for (const Layer& layer : network.layers()) names.push_back(layer.name);
  else
    names = NamesInFile(network, impl->layers);
  if (names.size() != network.layers().size())
    throw Error(fmt::format("{}: the statistics are another model's: they were {}", file.string(),
                            network::OtherModel(network, impl->model_sha256, impl->weights_sha256)));
  if (impl->batch_norm_folded != network.batch_norm_folded())
    throw Error(fmt::format("{}: the statistics were collected with batch norm {}, the network was loaded with it {}",
                            file.string(), impl->batch_norm_folded ? "folded" : "unfolded",
                            network.batch_norm_folded() ? "folded" : "unfolded"));
  std::map<std::string, std::size_t> by_name = SitesByName(network, names);
  for (plan::JsonReader& site : reader.Objects("sites")) {
    const auto found = by_name.find(site.String("name"));
    if (found == by_name.end())
      site.Fail(
          "name",
          "an input of one of the network's layers, or an operand where it was loaded with their sites, named once");
    impl->histograms[found->second] = ReadHistogram(site);
    by_name.erase(found);
  }
  reader.Finish();
  return ActivationStatistics(std::move(impl));
}

}  // namespace bitplan
