#pragma once

#include "readers/model_content.h"

namespace bitplan::network {

/// Checks what the compressed entries of an archive unpack to, which may be a thousand times the file: PyTorch writes
/// none. Throws Error, which does not name the file.
void CheckUnpackedSize(const decode::ZipArchive& archive);

/// Checks an archive of TorchScript, for LibTorch, which believes what it says: checksums, pickles, code, and that
/// LibTorch sees the same entries. Throws Error naming the file.
void CheckScriptArchive(const ModelContent& content);

}  // namespace bitplan::network
