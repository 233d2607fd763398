#pragma once

#include <memory>
#include <vector>

#include "readers/model_reader.h"

namespace bitplan::network {

/// Adds the formats that people take for models and that are not read: each recognizes its files and refuses them,
/// saying what they are and what to do with them. The last one recognizes any file.
void AddForeignFormats(std::vector<std::unique_ptr<const ModelReader>>& readers);

}  // namespace bitplan::network
