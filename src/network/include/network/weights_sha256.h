#pragma once

#include <map>
#include <string>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::network {

/// SHA-256 of names, shapes and values in float32, in the order of the names.
std::string WeightsSha256(const std::vector<Parameter>& parameters);

/// Whether what was made for a model with these two digests, of its file and of its weights, is for `network`. Of files
/// of earlier versions, without the second, the first counts.
bool IsMadeFor(const Network& network, const std::string& model_sha256, const std::string& weights_sha256);

/// Of an error about what was made with other input values, on which a network's layers may depend: "made with
/// sr=16000, the network was loaded with sr=8000", those that differ. Empty where none do.
std::string OtherInputValues(const Network& network, const std::map<std::string, std::string>& values);

/// Of an error about what is another model's: "made for weights with SHA-256 1234…, this model's have 5678…".
std::string OtherModel(const Network& network, const std::string& model_sha256, const std::string& weights_sha256);

}  // namespace bitplan::network
