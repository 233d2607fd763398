#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "readers/exported/program_json.h"
#include "readers/model_content.h"

namespace bitplan::network {

/// The archive of torch.export.save, of PyTorch 2.6 and later: flat or in a folder, weights raw or as torch.save writes
/// them. Errors do not name the file.
class ExportedArchive {
 public:
  /// Outlived by `content`. Throws Error: no program in it, several, or one of another major version of the schema.
  explicit ExportedArchive(const ModelContent& content);

  static bool Is(const ModelContent& content);

  const Json& program() const { return program_; }

  /// Whether run_decompositions was called on it, after which it is in Core ATen operators.
  bool IsDecomposed() const;

  /// A parameter, buffer or constant by the model's own name, on the CPU; tied ones share memory. Throws Error: none of
  /// this name, one that its entry does not hold, of a tensor subclass or a layout that is not strided.
  at::Tensor Tensor(const std::string& name);

  /// Of the module's state: parameters and persistent buffers.
  std::vector<std::string> StateNames() const;

  /// Names of the tensors in the order of the model's state, in archives that tell it: those that torch.save wrote.
  const std::vector<std::string>& names_in_order() const { return pickled_names_; }

  /// What all tensors take, by the directory of such an archive.
  static std::int64_t TensorBytes(const ModelContent& content);

 private:
  std::vector<std::uint8_t> Read(const std::string& entry) const;
  bool Has(const std::string& entry) const;
  std::string FindProgram() const;
  void CheckVersion() const;
  void FindRawTensors(const std::string& folder, const std::string& config);
  void AddPickledTensors(const std::string& entry);
  at::Tensor RawTensor(const std::string& folder, const Json& description);
  at::Tensor Payload(const std::string& entry);

  struct Raw {
    std::string folder;
    Json description;
  };

  const decode::ZipArchive& zip_;
  std::string root_;                            // "NAME/", or empty where entries stand at the top
  std::map<std::string, std::size_t> entries_;  // by name without the root
  std::string model_;                           // of models/MODEL.json; empty in the flat layout
  Json program_;
  std::map<std::string, Raw> raw_;              // by the model's names
  std::map<std::string, at::Tensor> pickled_;   // likewise
  std::vector<std::string> state_names_;        // not constants
  std::vector<std::string> pickled_names_;      // in the file's order
  std::map<std::string, at::Tensor> payloads_;  // bytes of raw entries
};

}  // namespace bitplan::network
