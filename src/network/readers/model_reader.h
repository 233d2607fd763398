#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "network/lowered_graph.h"
#include "readers/model_content.h"

namespace bitplan::network {

/// What is known of one format of model files. A format that people have models in and that is not read has one as
/// well: it recognizes the file, and says what it is and what its owner can do.
class ModelReader {
 public:
  virtual ~ModelReader() = default;

  /// What it is for, as a message goes on after "FILE: ": "a TorchScript file", "an ONNX model".
  virtual std::string Name() const = 0;

  /// By what the file holds. Readers are asked in the order of ModelReaders.
  virtual bool Recognizes(const ModelContent& content) const = 0;

  /// The model's forward in eval mode, its parameters on the device. Of the options `device` and `input_values` are for
  /// readers. Throws Error naming the file: damaged, not to be followed (see Network::Load), or of a format that is not
  /// read.
  virtual LoweredGraph Read(const ModelContent& content, const NetworkOptions& options) const = 0;

  /// See ModelState (bitplan/model_state.h). Throws Error naming the file, as Read does.
  virtual std::vector<Parameter> State(const ModelContent& content) const {
    return Read(content, {}).parameters;  // of formats that are not read: refuses it
  }

  /// What the tensors take in memory once they are read, without reading them; 0 where the file does not tell.
  virtual std::int64_t TensorBytes(const ModelContent&) const { return 0; }
};

/// All of them; the last one recognizes any file.
const std::vector<std::unique_ptr<const ModelReader>>& ModelReaders();

/// The first that recognizes the file.
const ModelReader& ReaderOf(const ModelContent& content);

/// The model of a file, of whatever format. Throws Error as Read does.
LoweredGraph ReadModel(const std::filesystem::path& file, const NetworkOptions& options);

}  // namespace bitplan::network
