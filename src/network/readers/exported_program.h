#pragma once

#include "readers/model_reader.h"

namespace bitplan::network {

/// What torch.export.save writes (.pt2), of PyTorch 2.6 and later.
class ExportedProgramReader : public ModelReader {
 public:
  std::string Name() const override { return "an archive of torch.export"; }
  bool Recognizes(const ModelContent& content) const override;
  LoweredGraph Read(const ModelContent& content, const NetworkOptions& options) const override;
  std::vector<Parameter> State(const ModelContent& content) const override;
  std::int64_t TensorBytes(const ModelContent& content) const override;
};

}  // namespace bitplan::network
