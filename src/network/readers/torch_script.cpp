#include "readers/torch_script.h"

#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "bitplan/error.h"
#include "lower.h"
#include "naming_file.h"
#include "network/device.h"
#include "network/torch_error.h"
#include "readers/attribute_types.h"
#include "readers/model_archive.h"
#include "readers/traced_example.h"

namespace bitplan::network {

namespace {

torch::jit::Module LoadModule(const std::filesystem::path& file, const at::Device& device) {
  try {
    torch::jit::Module module = torch::jit::load(file.string(), device);
    CheckAttributeTypes(module);
    module.eval();
    return module;
  } catch (const std::exception& error) {  // whatever it is: nothing but LibTorch's reader of the file runs here
    throw Error(
        fmt::format("{}: not a TorchScript file that can be read ({}); save the model with "
                    "torch.jit.script(model).save(file)",
                    file.string(), TorchReason(error)));
  }
}

/// NAME/data/0, NAME/constants/0: all that is loaded beside code.
bool IsTensorEntry(std::string_view name) {
  return name.find("/data/") != std::string_view::npos || name.find("/constants/") != std::string_view::npos;
}

}  // namespace

bool TorchScriptReader::Recognizes(const ModelContent& content) const {
  return content.Has("data.pkl") && content.Has("constants.pkl") && !content.Has("archive_format");
}

LoweredGraph TorchScriptReader::Read(const ModelContent& content, const NetworkOptions& options) const {
  CheckScriptArchive(content);
  const torch::jit::Module module = LoadModule(content.file(), FindDevice(options.device));
  return NamingFile(content.file(), [&] {
    LoweredGraph lowered = Lower(module, options.input_values);
    lowered.traced_samples = SamplesOfTracedExample(content);
    return lowered;
  });
}

std::vector<Parameter> TorchScriptReader::State(const ModelContent& content) const {
  CheckScriptArchive(content);
  const torch::jit::Module module = LoadModule(content.file(), at::kCPU);
  std::vector<Parameter> state;
  for (const auto& parameter : module.named_parameters())
    state.push_back({parameter.name, parameter.value.detach(), true});
  for (const auto& buffer : module.named_buffers()) state.push_back({buffer.name, buffer.value.detach(), false});
  return state;
}

std::int64_t TorchScriptReader::TensorBytes(const ModelContent& content) const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;  // a damaged directory may say anything
  const decode::ZipArchive& archive = *content.archive();
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < archive.names().size(); ++i)
    if (IsTensorEntry(archive.names()[i])) bytes = std::min(kMost, bytes + std::min(kMost, archive.Size(i)));
  return static_cast<std::int64_t>(bytes);
}

}  // namespace bitplan::network
