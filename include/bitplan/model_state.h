#pragma once

#include <filesystem>
#include <vector>

#include "bitplan/files.h"
#include "bitplan/network.h"

namespace bitplan {

/// The state of the module that a model file was made of, under its own names: all parameters and buffers, also those
/// that the forward does not read, tied ones under each of their names with one memory, on the CPU, of the type that
/// the file has. Buffers that are not persistent are left out where the file says which these are (torch.export; not
/// TorchScript). Of an ONNX file its tensors. Throws Error as Network::Load does.
std::vector<Parameter> ModelState(const std::filesystem::path& file);

/// Gives `sink` a safetensors file of them, which `load_state_dict(load_file(FILE))` takes. Throws Error that names a
/// tensor of a type that such files do not have.
void WriteSafetensors(const std::vector<Parameter>& state, const ByteSink& sink);

}  // namespace bitplan
