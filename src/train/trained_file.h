#pragma once

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/train.h"
#include "trained_network.h"

namespace bitplan::train {

/// The files' network, plan and quantized network of what was trained: loaded from the very bytes that are handed out,
/// with the options of the network that was.
TrainResult Deploy(const TrainedNetwork& trained, const Dataset& data);

}  // namespace bitplan::train
