#pragma once

#include <optional>

#include "bitplan/analyze.h"
#include "bitplan/target.h"
#include "options.h"

namespace bitplan::cli {

/// --target NAME|FILE; `what` says what the command does with it.
void AddTargetOption(CommandLine& line, const char* what);
std::optional<Target> ReadTargetOption(const CommandLine& line);

/// The plan of a target's default widths; how ranges are found is for the options of formats. Throws Error where these
/// say what is the target's to say.
Plan MakeTargetPlan(const CommandLine& line, const Network& network, Target target);

/// Formats and operands of the target, and the widths it offers where the command line gives none. Returns `asked` and
/// then pins of the layers to what the target offers of them and `asked` leaves. Throws Error where an option says what
/// is the target's to say, or the widths leave a layer none.
std::vector<Pin> ApplyTarget(const CommandLine& line, const Network& network, const Target& target,
                             AnalyzeOptions& options, const std::vector<Pin>& asked = {});

/// The pins of a search among what was analyzed for the target already. Throws Error likewise, and where the analysis
/// was for other numbers.
std::vector<Pin> ApplyTarget(const Sensitivity& sensitivity, const Target& target, const std::vector<Pin>& asked);

}  // namespace bitplan::cli
