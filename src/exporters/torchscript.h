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

/// What weights on grids of integers are in the file.
enum class WeightForm {
  Codes,   ///< codes, and the operators that make values of them
  CoreMl,  ///< values, and beside them the buffers by which coremltools finds their codes and scales
};

/// Throws Error when the network cannot be written.
void WriteTorchScript(const QuantizedNetwork& network, WeightForm form, const ByteSink& sink);

}  // namespace bitplan::exporters
