#pragma once

#include <string_view>

#include "bitplan/data.h"
#include "bitplan/sensitivity.h"
#include "command_line.h"

namespace bitplan::cli {

/// Prepares the data of `spec` as `known`, what a plan was made on, was prepared, where they are of the same kind and
/// no option says otherwise; with a note on the standard error where one does.
void PrepareAs(const DataSource& known, std::string_view spec, const CommandLine& line, DataOptions& options);

/// Prepares the data that a plan was made on as it was then, whatever options say of other data.
void PrepareAs(const DataSource& known, DataOptions& options);

}  // namespace bitplan::cli
