#pragma once

#include "readers/model_reader.h"

namespace bitplan::network {

/// Archives of torch.jit.save: scripted or traced, frozen or not. The checksum of every entry is verified, which
/// LibTorch does not do.
class TorchScriptReader : public ModelReader {
 public:
  std::string Name() const override { return "a TorchScript file"; }
  bool Recognizes(const ModelContent& content) const override;
  LoweredGraph Read(const ModelContent& content, const NetworkOptions& options) const override;
  std::vector<Parameter> State(const ModelContent& content) const override;
  std::int64_t TensorBytes(const ModelContent& content) const override;
};

}  // namespace bitplan::network
