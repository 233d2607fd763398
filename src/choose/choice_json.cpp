#include "bitplan/choose.h"
#include "bitplan/version.h"
#include "plan/json_writer.h"

namespace bitplan {

std::string ToJson(const Problem& problem, const MeasuredChoice& choice) {
  const auto estimate = [](const Estimate& of) {
    return Json{{"value", NumberOrNull(of.value)}, {"standard_error", NumberOrNull(of.standard_error)}};
  };
  Json json{{"schema", "bitplan.choice/1"},
            {"tool_version", Version()},
            {"samples", choice.samples},
            {"trials", Json::array()}};
  for (const Trial& trial : choice.trials) {
    Json names = Json::object();
    for (std::size_t g = 0; g < trial.choices.size(); ++g)
      names[problem.groups[g].name] = problem.groups[g].choices[trial.choices[g]].name;
    json["trials"].push_back({{"origin", trial.origin},
                              {"predicted", NumberOrNull(trial.predicted)},
                              {"divergence", estimate(trial.loss)},
                              {"difference", estimate(trial.difference)},
                              {"expected_difference", NumberOrNull(trial.expected)},
                              {"accepted", trial.accepted},
                              {"choices", std::move(names)}});
  }
  return JsonText(json);
}

}  // namespace bitplan
