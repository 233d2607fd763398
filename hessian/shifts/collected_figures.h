#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bitplan/sensitivity.h"
#include "shifts/alternatives.h"

namespace bitplan::hessian {

/// What one block of samples adds.
struct BlockFigures {
  std::vector<double> contributions;  ///< [measures, choices, samples of the block]
  std::vector<float> logits,
      shifts;  ///< [samples, classes], [choices, samples, classes]; empty where they are not kept
};

/// Blocks put together, in the order of samples.
class CollectedFigures {
 public:
  CollectedFigures(std::size_t measures, std::size_t choices)
      : choices_(choices), contributions_(measures * choices), shifts_(choices) {}

  void Add(const BlockFigures& block);

  /// Of the samples so far, each times `factor`.
  std::vector<double> Contributions(std::size_t measure, std::size_t choice, double factor) const;

  /// As tables of all of the alternatives' rows.
  bitplan::Contributions ContributionTable(const std::vector<Measure>& measures, const Alternatives& all,
                                           double factor) const;
  OutputShifts ShiftTable(std::int64_t classes, const Alternatives& all) const;

 private:
  std::size_t choices_;
  std::vector<std::vector<double>> contributions_;  // [measures · choices] of samples
  std::vector<float> logits_;
  std::vector<std::vector<float>> shifts_;
};

}  // namespace bitplan::hessian
