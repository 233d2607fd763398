#pragma once

#include "bitplan/network.h"
#include "files/fields.h"

BITPLAN_FIELDS(bitplan::NetworkOptions, output, fold_batch_norm, device, operand_sites, input_values, samples_first,
               class_axis, loss_module, metric_module);

namespace bitplan::files {

/// What a network is, for what must be of the same one.
inline Json IdentityOf(const Network& network) {
  return {{"weights", network.weights_sha256()}, {"options", OptionsJson(network.options())}};
}

}  // namespace bitplan::files
