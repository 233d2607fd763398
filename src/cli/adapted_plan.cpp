#include "adapted_plan.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tell.h"
#include "text/shortened.h"

namespace bitplan::cli {

AdaptedPlan AdaptAndTell(const Network& network, const Plan& plan) {
  AdaptedPlan adapted = AdaptPlan(network, plan);
  std::vector<std::string> pairs;
  for (const auto& [layer, name] : adapted.by_value) pairs.push_back(fmt::format("{} ({} in the plan)", layer, name));
  if (!pairs.empty())
    Tell(
        fmt::format("the plan was made on another file of this model; {} of {} layers have other names there and are "
                    "known by the values of their weights: {}",
                    pairs.size(), network.layers().size(), text::Shortened(pairs, 4)));
  return adapted;
}

}  // namespace bitplan::cli
