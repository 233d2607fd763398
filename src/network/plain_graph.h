#pragma once

#include <functional>
#include <string>

#include "network/lowered_graph.h"

namespace bitplan::network {

// What happens to every model's graph, whatever file it is from, once it has nothing of the file's own in it.

/// Settles every branch whose condition is known: by constants, or by a type (a tensor is not None); and lists, dicts
/// and tuples whose contents are.
void Simplify(LoweredGraph& lowered);

/// Freezing, tracing and settling leave tensors as constants in the graph; they become parameters like any other, named
/// constant0, constant1, … as far as the model has nothing at such a path (`has_tensor_of`, and parameters so far).
/// `lift` makes a value of one or of a list of them.
void LiftConstants(LoweredGraph& lowered, const std::function<bool(const std::string&)>& has_tensor_of,
                   const std::function<torch::jit::Value*(const c10::IValue&, const std::string&)>& lift);

/// The same for a graph all of whose named tensors are parameters already.
void LiftConstants(LoweredGraph& lowered);

/// Puts plain operators in the place of fused ones and of those in place, and drops what nothing reads.
void MakePlain(LoweredGraph& lowered);

}  // namespace bitplan::network
