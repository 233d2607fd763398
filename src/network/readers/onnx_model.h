#pragma once

#include "readers/model_reader.h"

namespace bitplan::network {

/// An ONNX file of operator sets 7 to 28.
class OnnxReader : public ModelReader {
 public:
  std::string Name() const override { return "an ONNX model"; }
  bool Recognizes(const ModelContent& content) const override;
  LoweredGraph Read(const ModelContent& content, const NetworkOptions& options) const override;
  std::int64_t TensorBytes(const ModelContent& content) const override;
};

}  // namespace bitplan::network
