#pragma once

#include <cstdint>
#include <optional>

#include "readers/model_content.h"

namespace bitplan::network {

/// The samples of the example that `forward` of an archive by torch.jit.save was traced with: what all tensors of the
/// example have along their first axis. Nothing where the archive keeps no example (scripted, frozen), or the tensors
/// do not agree.
std::optional<std::int64_t> SamplesOfTracedExample(const ModelContent& content);

}  // namespace bitplan::network
