#include "bitplan/choose.h"
#include "bitplan/version.h"
#include "plan/json_writer.h"

namespace bitplan {

std::string ToJson(const Problem& problem, const MeasuredChoice& choice) {
  const auto estimate = [](const Estimate& of) {
    return plan::Json{{"value", plan::NumberOrNull(of.value)},
                      {"standard_error", plan::NumberOrNull(of.standard_error)}};
  };
  plan::Json json{{"schema", "bitplan.choice/1"},
                  {"tool_version", Version()},
                  {"samples", choice.samples},
                  {"trials", plan::Json::array()}};
  for (const Trial& trial : choice.trials) {
    plan::Json names = plan::Json::object();
    for (std::size_t g = 0; g < trial.choices.size(); ++g)
      names[problem.groups[g].name] = problem.groups[g].choices[trial.choices[g]].name;
    json["trials"].push_back({{"origin", ToString(trial.origin)},
                              {"predicted", plan::NumberOrNull(trial.predicted)},
                              {"divergence", estimate(trial.loss)},
                              {"difference", estimate(trial.difference)},
                              {"expected_difference", plan::NumberOrNull(trial.expected)},
                              {"accepted", trial.accepted},
                              {"choices", std::move(names)}});
  }
  return plan::JsonText(json);
}

}  // namespace bitplan
