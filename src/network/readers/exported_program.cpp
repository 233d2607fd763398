#include "readers/exported_program.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "core_operators.h"
#include "flattened_products.h"
#include "naming_file.h"
#include "network/device.h"
#include "outside_effects.h"
#include "plain_graph.h"
#include "readers/exported/archive.h"
#include "readers/exported/program.h"

namespace bitplan::network {

bool ExportedProgramReader::Recognizes(const ModelContent& content) const { return ExportedArchive::Is(content); }

LoweredGraph ExportedProgramReader::Read(const ModelContent& content, const NetworkOptions& options) const {
  return NamingFile(content.file(), [&] {
    try {
      ExportedArchive archive(content);
      LoweredGraph lowered = ProgramGraph(archive, FindDevice(options.device), options.input_values);
      RemoveOutsideEffects(*lowered.graph);
      if (archive.IsDecomposed()) ReplaceCoreOperators(lowered);
      EraseSizes(lowered);
      Simplify(lowered);
      LiftConstants(lowered);
      MakePlain(lowered);
      return lowered;
    } catch (const Json::exception& error) {
      throw Error(fmt::format("its program is not as torch.export writes it: {}", ProgramError(error)));
    }
  });
}

std::vector<Parameter> ExportedProgramReader::State(const ModelContent& content) const {
  return NamingFile(content.file(), [&] {
    try {
      ExportedArchive archive(content);
      std::vector<Parameter> state;
      for (const std::string& name : archive.StateNames()) state.push_back({name, archive.Tensor(name), true});
      return state;
    } catch (const Json::exception& error) {
      throw Error(fmt::format("its program is not as torch.export writes it: {}", ProgramError(error)));
    }
  });
}

std::int64_t ExportedProgramReader::TensorBytes(const ModelContent& content) const {
  return ExportedArchive::TensorBytes(content);
}

}  // namespace bitplan::network
