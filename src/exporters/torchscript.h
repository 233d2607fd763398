#pragma once

#include "bitplan/export.h"

namespace bitplan::exporters {

/// Integer weights are int8 with their scales, turned back into float32 in the graph; layer inputs and operands go
/// through fake-quantize operators; the plan's JSON stands beside the code as plan.json.
class TorchScript : public Exporter {
 public:
  std::string_view name() const override { return "torchscript"; }
  std::string_view description() const override { return "a module of standard operators for PyTorch and LibTorch"; }
  ExporterTraits Traits(std::string_view flavor) const override;
  void Write(const QuantizedNetwork& network, const ExportOptions& options, const ByteSink& sink) const override;
};

}  // namespace bitplan::exporters
