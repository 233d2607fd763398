#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/cost.h"
#include "bitplan/format.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/sensitivity.h"

namespace bitplan {

/// Widths that a target offers for one kind of layer, not empty; the first are what a plan gets that no search made.
struct LayerOffer {
  std::vector<int> weight_bits, input_bits;
};

/// What a target reads as integers of one kind of operator without a weight.
struct OperandOffer {
  std::vector<int> bits;  ///< not empty; the first as above
  /// An operand that comes straight from a layer and is read by nothing else is added in the layer's accumulator, which
  /// the operator is fused into, and not quantized: of two such operands the one with more layers before it. The others
  /// are.
  bool fused = false;
};

/// Where a device's compiler puts quantizers, and which it offers. File form: `bitplan.target/1`, see docs/targets.md.
struct Target {
  std::string name, source;
  Format weight, activation;  ///< `bits` aside, and how ranges are found, which is no matter of the target
  std::map<std::string, LayerOffer> layers;  ///< by Layer::op; others stay in float
  std::optional<LayerOffer> first_layer,
      last_layer;  ///< in place of the operator's, in order of execution and embeddings aside
  std::map<std::string, OperandOffer> operators;  ///< by OperandOperators(); others stay in float
};

/// The targets that are known by name: academic, acl, demobert, …
std::vector<std::string> TargetNames();

/// A target by its name or from a file. Throws Error: not a name that is known and not a file that can be read, unknown
/// or missing keys, operators that there are not, widths that the format has not.
Target ReadTarget(const std::string& name_or_file);

/// A tensor of activations that a target quantizes.
struct PlacedTensor {
  std::vector<std::string> sites;    ///< where it is read, by names of Network::sites()
  std::vector<std::string> readers;  ///< layers and operators (add_2), as many
  Format format;
};

struct PlacedWeight {
  std::string layer;
  Format format;
};

/// Something that a target leaves in float.
struct LeftInFloat {
  std::string reader;  ///< the layer or operator
  std::string site;    ///< that it reads; empty: all of it
  std::string reason;
};

/// Where a target puts quantizers in a network, at its default widths; all in order of execution.
struct Placement {
  std::vector<PlacedWeight> weights;
  std::vector<PlacedTensor> tensors;
  std::vector<LeftInFloat> left_in_float;
};

/// Throws Error where the network was loaded without NetworkOptions::operand_sites.
Placement Place(const Network& network, const Target& target);

/// The plan with the target's default widths for all that it quantizes. Throws Error as Place does.
Plan MakeTargetPlan(const Network& network, const Target& target);

/// The operands that the target quantizes, for AnalyzeOptions::operands.
std::vector<OperandFormat> TargetOperands(const Network& network, const Target& target);

/// A pin for each layer, to the widths that the target offers for it (32 bits where it stays in float), for
/// ProblemOptions::pins.
std::vector<Pin> TargetPins(const Network& network, const Target& target);
std::vector<Pin> TargetPins(const Sensitivity& sensitivity, const Target& target);

/// Throws Error where the target cannot run the plan: which layer or operand, what the plan asks for and what the
/// target offers. A target runs what its own formats include: scales of tensors where it has those of channels, powers
/// of two where it has any scales, narrower ranges, symmetric grids where it has zero points.
void CheckPlan(const Plan& plan, const Network& network, const Target& target);

/// A drawing of the network's operators, as standalone SVG: boxes for operators, the widths of weights in them, a mark
/// with its width where a tensor is quantized before it is read, long edges (shortcuts) beside the boxes. Equal
/// placements give equal bytes.
std::string ToSvg(const Network& network, const Placement& placement);

}  // namespace bitplan
