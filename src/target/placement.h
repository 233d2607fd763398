#pragma once

#include <optional>
#include <string>

#include "bitplan/target.h"
#include "network/operator_graph.h"

namespace bitplan {

/// What the target offers for a layer; nothing where it stays in float.
std::optional<LayerOffer> OfferFor(const Network& network, int layer, const Target& target);

/// The operator of a site of Site::Kind::Operand: add_2 and add of add_2.0.
std::string OperatorOfSite(const std::string& site);
std::string KindOfOperator(const std::string& name);

}  // namespace bitplan
