#pragma once

#include <string>

#include "data/spec.h"

namespace bitplan::data {

/// Lower-case hexadecimal SHA-256 of the file's bytes; with a labels file, of the two files' digests in hexadecimal,
/// one after the other. Throws Error when a file cannot be read.
std::string DataSha256(const Spec& spec);

}  // namespace bitplan::data
