#pragma once

#include "bitplan/export.h"

namespace bitplan::exporters {

/// The ONNX file that a network was read from, patched: planned weights become codes with a DequantizeLinear, inputs
/// and operands go through QuantizeLinear and DequantizeLinear, biases take corrections, batch norms that were folded
/// are taken out. All else stays as the file has it; the operator set rises as far as the codes' types ask for. The
/// plan's JSON stands in the file's metadata as bitplan.plan.
class OnnxQdq : public Exporter {
 public:
  std::string_view name() const override { return "onnx-qdq"; }
  std::string_view description() const override {
    return "the network's ONNX file, patched with QuantizeLinear and DequantizeLinear";
  }
  std::vector<std::string> flavors() const override;
  ExporterTraits Traits(std::string_view flavor) const override;
  void Write(const QuantizedNetwork& network, const ExportOptions& options, const ByteSink& sink) const override;
  std::vector<std::string> Remarks(const Network& network, const Plan& plan,
                                   const ExportOptions& options) const override;
};

}  // namespace bitplan::exporters
