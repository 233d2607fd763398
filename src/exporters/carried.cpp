// What of a plan an exporter's traits have a place for.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bitplan/error.h"
#include "bitplan/export.h"
#include "quantize/plan_check.h"
#include "traits.h"

namespace bitplan {

namespace {

template <typename Values, typename Value>
bool Has(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// Where the numbers of `format` have no place, why; empty where they have one.
std::string Refusal(const Format& format, const CarriedFormats& carried, bool of_weight) {
  if (format.type == NumberType::Float32) return "";
  if (!format.IsInteger()) {
    if (!Has(carried.other_types, format.type)) return fmt::format("{} numbers", ToString(format.type));
  } else {
    if (!Has(carried.integer_bits, format.bits)) return fmt::format("integers of {} bits", format.bits);
    const bool has_scheme = Has(carried.schemes, format.scheme) ||
                            (format.scheme == Scheme::AutoSigned && Has(carried.schemes, Scheme::Asymmetric));
    if (!has_scheme) return fmt::format("{} integers", ToString(format.scheme));
    if ((format.narrow_range || format.reduce_range) && !carried.narrow)
      return format.narrow_range ? "a narrow range of integers" : "a reduced range of integers";
  }
  if (!format.HasScale()) return "";
  if (format.calibrator == Calibrator::Dynamic && !of_weight && !carried.dynamic)
    return "a range that is found at run time";
  if (!of_weight) return "";
  if (!Has(carried.granularities, format.granularity)) return fmt::format("a scale a {}", ToString(format.granularity));
  if (format.InGroups() && !carried.group_sizes.empty() && !Has(carried.group_sizes, format.group_size))
    return fmt::format("{}s of {} weights", ToString(format.granularity), format.group_size);
  return "";
}

/// Names tool and place in every refusal.
class Refuser {
 public:
  Refuser(const Exporter& exporter, const std::string& flavor)
      : tool_(exporters::NameOf(exporter, flavor)), traits_(exporter.Traits(flavor)) {}

  void CheckLayer(const Layer& layer, const LayerPlan& plan) const {
    const std::string where = fmt::format("layer {}", layer.name);
    const bool in_float = plan.weight.bits == 32 && plan.activation.bits == 32;
    if (!in_float && !traits_.layer_ops.empty() && !Has(traits_.layer_ops, layer.op))
      Refuse(where, fmt::format("a quantized {}; it takes {}", layer.op, fmt::join(traits_.layer_ops, ", ")));
    Check(where, "weights: ", plan.weight, traits_.weights, true);
    Check(where, "an input: ", plan.activation, traits_.inputs, false);
    if (plan.learned_input && plan.learned_input->offset != 0 && !traits_.inputs.offsets)
      Refuse(where, "an input's range that begins elsewhere (learned intervals)");
  }

  void CheckOperand(const OperandPlan& operand) const {
    const std::string where = fmt::format("operand {}", operand.name);
    if (!traits_.operands) Refuse(where, "quantized operands of operators without a weight");
    Check(where, "", operand.format, traits_.inputs, false);
  }

  /// What changes weights or biases, of a file that has scales and not these.
  void CheckCorrections(const Corrections& corrections) const {
    if (!traits_.scales) return;
    if (!traits_.values) {
      Correction("output-correction", ToString(corrections.output), corrections.output == OutputCorrection::None);
      Correction("rescaling", ToString(corrections.rescaling), corrections.rescaling == Rescaling::None);
      Correction("rounding", ToString(corrections.rounding), corrections.rounding == Rounding::Nearest);
    }
    if (corrections.outlier_threshold > 0 && !traits_.outliers)
      Refuse("all layers", "outliers in float16; --outlier-threshold 0 leaves them off");
  }

 private:
  void Check(const std::string& where, const char* of, const Format& format, const CarriedFormats& carried,
             bool of_weight) const {
    const std::string what = Refusal(format, carried, of_weight);
    if (!what.empty()) Refuse(where, fmt::format("{}{}; it takes {}", of, what, exporters::TextOf(carried)));
  }

  void Correction(const char* option, std::string_view name, bool none) const {
    if (none) return;
    Refuse("all layers", fmt::format("the weights and biases that --{} {} changes; --{} {} leaves it off", option, name,
                                     option, std::string_view(option) == "rounding" ? "nearest" : "none"));
  }

  [[noreturn]] void Refuse(const std::string& where, const std::string& what) const {
    throw Error(fmt::format("{}: {} has no place for {}", where, tool_, what));
  }

  const std::string tool_;
  const ExporterTraits traits_;
};

}  // namespace

void RequireCarried(const Network& network, const Plan& plan, const Exporter& exporter, const ExportOptions& options) {
  exporters::CheckCarried(network, quantize::PlanFor(network, plan), exporter, options);
}

}  // namespace bitplan

namespace bitplan::exporters {

void CheckCarried(const Network& network, const Plan& plan, const Exporter& exporter, const ExportOptions& options) {
  const std::string flavor = FlavorOf(exporter, options);
  if (!options.from.empty() && exporter.Traits(flavor).from.empty())
    throw Error(fmt::format("--from {}: {} patches no file; leave it out", options.from.string(), exporter.name()));
  const Refuser refuser(exporter, flavor);
  for (std::size_t i = 0; i < plan.layers.size(); ++i) refuser.CheckLayer(network.layers()[i], plan.layers[i]);
  for (const OperandPlan& operand : plan.operands) refuser.CheckOperand(operand);
  refuser.CheckCorrections(plan.corrections);
}

}  // namespace bitplan::exporters
