#pragma once

#include "bitplan/loss.h"

namespace bitplan::loss {

/// The divergence between outputs of one kind, [N, …], whatever the labels are worth: they tell what outputs are and
/// which predictions do not count, as with ResolveLoss, and where they do not fit the output it tells by itself. Throws
/// Error as ResolveLoss does of an output.
Criterion ToCompareOutputs(const Network& network, const Dataset& data);

}  // namespace bitplan::loss
