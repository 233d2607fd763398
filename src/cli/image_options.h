#pragma once

#include <string>

#include "bitplan/data.h"
#include "command_line.h"

namespace bitplan::cli {

void AddImageOptions(CommandLine& line);  ///< how images of folders are read
void ReadImageOptions(const CommandLine& line, DataOptions& options);

/// Dataset::Load, with a note on the standard error about images that were skipped.
Dataset LoadData(const std::string& spec, const DataOptions& options);

}  // namespace bitplan::cli
