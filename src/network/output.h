#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/network.h"
#include "network/lowered_graph.h"

namespace bitplan::network {

/// What NetworkOptions::output selects every floating-point output by.
constexpr std::string_view kAllOutputs = "all";

/// Whether NetworkOptions::output is of several outputs: all, or names with commas between.
bool SelectsSeveral(const std::string& which);

/// Makes the graph return only what `which` selects, as far as the graph itself shows, and drops what only the other
/// outputs needed. Returns what remains to be selected when it runs.
std::string NarrowOutput(LoweredGraph& lowered, std::string which);

/// The tensor among a network's outputs that `which` names: an index, a name (named tuples and dicts), or a path of
/// them
/// ("0.logits"); empty picks the only one. Throws Error listing the outputs there are.
at::Tensor SelectOutput(const c10::IValue& output, const std::string& which);

/// The values among a network's outputs that `which` selects several of, lists, tuples and dicts gone through; None is
/// none. Empty where the output is one tensor. Throws Error listing the outputs there are where one is not.
std::vector<NamedOutput> DescribeOutputs(const c10::IValue& output, const std::string& which);

/// The floating-point tensors among them, in the same order; the output where it is one tensor.
std::vector<at::Tensor> FloatOutputs(const c10::IValue& output, const std::string& which);

/// Their numbers side by side [N, D]; the output as it is where it is one tensor. Throws Error, naming them: one whose
/// first axis does not count `samples`, or not as many as the first one's; none is there.
at::Tensor SideBySide(const c10::IValue& output, const std::string& which, std::optional<std::int64_t> samples);

/// Throws Error unless the first axis of an output counts this many samples.
void CheckSampleAxis(const at::Tensor& output, std::int64_t samples);

}  // namespace bitplan::network
