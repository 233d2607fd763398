#include "sample_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "quantize/corrections/few_values.h"
#include "tell.h"
#include "text/shortened.h"

namespace bitplan::cli {

void TellOfFewValues(const Network& network, const Dataset& data, const std::vector<Measure>& measures,
                     bool corrected) {
  if (!corrected || std::none_of(measures.begin(), measures.end(), IsOfShifts)) return;
  const std::vector<std::string> layers = quantize::LayersOfFewValues(network, data);
  if (layers.empty()) return;
  Tell(fmt::format(
      "warning: {} samples give channels of {} layer{} ({}) fewer than {} values: the figures of these leave the "
      "output "
      "correction out, which would restore the samples it was fitted on and tell nothing of others; give more "
      "(--samples)",
      data.size(), layers.size(), layers.size() == 1 ? "" : "s", text::Shortened(layers), quantize::kFewestValues));
}

}  // namespace bitplan::cli
