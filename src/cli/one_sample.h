#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "bitplan/network.h"
#include "options.h"

namespace bitplan::cli {

/// --input and --data: one sample of the network's inputs, a batch of one, random or the data's first.
void AddOneSampleOptions(CommandLine& line);
std::vector<at::Tensor> OneSample(const CommandLine& line, const Network& network);

}  // namespace bitplan::cli
