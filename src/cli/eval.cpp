#include <vector>

#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "cli/command.h"
#include "cli/configuration_options.h"
#include "cli/integer_options.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/report.h"

namespace bitplan::cli {

int EvaluateModel(const Arguments& arguments) {
  CommandLine line("eval MODEL.pt --data KIND:FILE [--plan plan.json] [options]",
                   "Measures accuracy and loss of the float network and, with a plan, of the planned one.");
  line.AddPositional("MODEL.pt", "TorchScript file");
  line.Add()("data", po::value<std::string>()->value_name("KIND:FILE"), "what to measure on")(
      "plan", po::value<std::string>()->value_name("FILE"), "plan to measure beside the float network");
  AddConfigurationOptions(line);
  AddCorrectionOptions(line, /*with_output=*/true);
  AddIntegerOptions(line);
  AddCalibrationOptions(line);
  AddSampleOptions(line, 0);
  AddBatchOption(line);
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;

  const IntegerOptions integer_options = ReadIntegerOptions(line);
  const bool by_hand = HasConfiguration(line);
  if (by_hand && line.Has("plan")) throw Error("--plan: formats are given by hand as well; leave out one of the two");
  if (WantsInteger(line) && !line.Has("plan") && !by_hand) throw Error("--integer needs --plan, or formats by hand: the widths to compute with");
  NetworkOptions network_options = ReadModelOptions(line);
  auto plan = line.Has("plan") ? std::optional(ReadPlan(line.Get<std::string>("plan"))) : std::nullopt;
  if (plan) MatchPlan(*plan, network_options);
  const Network network = Network::Load(line.Required("MODEL.pt"), network_options);
  if (by_hand) plan = MakeConfiguredPlan(network, ReadConfigurationOptions(line));
  if (plan) plan->corrections = ReadCorrections(line, plan->corrections);
  const Dataset data = Dataset::Load(line.Required("data"), ReadSampleOptions(line));
  EvaluationReport report;
  report.model_sha256 = network.sha256();
  report.data_sha256 = data.sha256();
  const auto batch_size = line.Get<std::int64_t>("batch-size");
  if (!plan) {
    report.float_network = Evaluate(network, {}, data, batch_size, ShowProgress())[0];
    if (WriteJson(line, ToJson(report))) PrintEvaluation(report);
    return kDone;
  }
  QuantizeOptions options;
  options.batch_size = batch_size;
  options.progress = ShowProgress();
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, *plan, LoadCalibration(line, *plan), options);
  if (WantsInteger(line)) {
    const IntegerComparison compared = EvaluateInteger(quantized, integer_options, data, batch_size, ShowProgress());
    report.float_network = compared.float_network;
    report.planned = compared.fake_quantized;
    if (!WriteJson(line, ToJson(report, compared.integer))) return kDone;
    PrintEvaluation(report, &compared.integer.evaluation);
    PrintIntegerEvaluation(compared.integer);
    return kDone;
  }
  const auto measured = Evaluate(network, {quantized}, data, batch_size, ShowProgress());
  report.float_network = measured[0];
  report.planned = measured[1];
  if (WriteJson(line, ToJson(report))) PrintEvaluation(report);
  return kDone;
}

}  // namespace bitplan::cli
