#pragma once

#include "bitplan/export.h"

namespace bitplan::exporters {

/// bitplan.packed/1; see QuantizedNetwork::SavePacked.
class Packed : public Exporter {
 public:
  std::string_view name() const override { return "packed"; }
  std::string_view description() const override {
    return "codes packed without gaps, scales, biases and ranges, without the graph, as safetensors";
  }
  ExporterTraits Traits(std::string_view flavor) const override;
  void Write(const QuantizedNetwork& network, const ExportOptions& options, const ByteSink& sink) const override;
};

}  // namespace bitplan::exporters
