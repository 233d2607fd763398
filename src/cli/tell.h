#pragma once

#include <string>

namespace bitplan::cli {

/// Writes "bitplan: TEXT" as a line on stderr; where stderr cannot be written to there is nobody to tell.
void Tell(const std::string& text);

/// Writes out all that was printed on stdout. Throws Error when some of it did not get there: results that nobody can
/// read are a failure.
void FinishOutput();

}  // namespace bitplan::cli
