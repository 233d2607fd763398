#include "readers/model_reader.h"

#include <algorithm>

#include "bitplan/error.h"
#include "network/stored_bytes.h"
#include "readers/exported_program.h"
#include "readers/foreign_formats.h"
#include "readers/onnx_model.h"
#include "readers/torch_script.h"

namespace bitplan::network {

const std::vector<std::unique_ptr<const ModelReader>>& ModelReaders() {
  static const auto readers = [] {
    std::vector<std::unique_ptr<const ModelReader>> all;
    all.push_back(std::make_unique<TorchScriptReader>());
    all.push_back(std::make_unique<ExportedProgramReader>());
    all.push_back(std::make_unique<OnnxReader>());
    AddForeignFormats(all);
    return all;
  }();
  return readers;
}

const ModelReader& ReaderOf(const ModelContent& content) {
  const auto& all = ModelReaders();
  return **std::find_if(all.begin(), all.end(), [&](const auto& reader) { return reader->Recognizes(content); });
}

LoweredGraph ReadModel(const std::filesystem::path& file, const NetworkOptions& options) {
  const ModelContent content(file);
  return ReaderOf(content).Read(content, options);
}

std::int64_t StoredBytes(const std::filesystem::path& file) {
  try {
    const ModelContent content(file);
    return ReaderOf(content).TensorBytes(content);
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace bitplan::network
