#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/sensitivity.h"

namespace bitplan {

// An analysis in parts, which several machines can do side by side. An analysis is a list of steps (AnalysisPlan), each
// of units of work that do not depend on each other: blocks of samples, whose size follows from the memory limit, or,
// where samples cannot be told apart (eigenvalues), layers. A part takes some units of every step and leaves their
// records in a file; merging reduces the records of all units in the order of units, as the whole analysis does. So the
// result is the same, byte for byte, whatever parts it was made in.

/// Which units of every step a part takes: of n those from n · first / of to before n · last / of, rounded down. Shares
/// whose fractions follow each other have each unit once.
struct AnalysisShare {
  std::int64_t first = 0, last = 1, of = 1;  ///< 0 ≤ first < last ≤ of

  std::pair<std::int64_t, std::int64_t> Units(std::int64_t units) const;  ///< [begin, end)
  void Validate() const;                                                  ///< throws Error
};

/// Does one part of an analysis. `file` gets its records; where it is there, of a part that was broken off, that is
/// gone on from. What units of later steps depend on (ranges of activations, corrections), each part finds on all
/// samples for itself. Throws Error as Analyze does; when network or data are not from files; when `file` is of another
/// share or analysis, naming what differs; when `options.checkpoint` is given, in whose place `file` is.
void AnalyzePart(const Network& network, const Dataset& data, const AnalyzeOptions& options, const AnalysisShare& share,
                 const std::filesystem::path& file);

/// What Analyze gives, from the files of parts that together have every unit once, in any order. Runs the network on
/// one sample. Throws Error, naming it: a file that is not there, damaged, or of another analysis (network, data,
/// options or version), a record that is missing or in two files, blocks that differ between two files (machines that
/// found room for other numbers of samples).
Sensitivity MergeParts(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                       const std::vector<std::filesystem::path>& files);

}  // namespace bitplan
