#include "shifts/collected_figures.h"

#include <algorithm>

namespace bitplan::hessian {

namespace {

template <typename T>
void Append(std::vector<T>& to, const std::vector<T>& parts, std::size_t part, std::size_t size) {
  const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(part * size);
  to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
}

}  // namespace

void CollectedFigures::Add(const BlockFigures& block) {
  const std::size_t samples = block.contributions.size() / std::max<std::size_t>(1, contributions_.size());
  for (std::size_t i = 0; i < contributions_.size(); ++i) Append(contributions_[i], block.contributions, i, samples);
  logits_.insert(logits_.end(), block.logits.begin(), block.logits.end());
  for (std::size_t i = 0; i < shifts_.size(); ++i) Append(shifts_[i], block.shifts, i, block.logits.size());
}

std::vector<double> CollectedFigures::Contributions(std::size_t measure, std::size_t choice, double factor) const {
  std::vector<double> values = contributions_[measure * choices_ + choice];
  if (factor != 1) std::transform(values.begin(), values.end(), values.begin(), [&](double v) { return factor * v; });
  return values;
}

bitplan::Contributions CollectedFigures::ContributionTable(const std::vector<Measure>& measures,
                                                           const Alternatives& all, double factor) const {
  bitplan::Contributions table{measures, all.row_count, contributions_.front().size(), {}};
  table.values.resize(measures.size() * table.choices * table.samples);
  for (std::size_t m = 0; m < measures.size(); ++m)
    for (std::size_t i = 0; i < choices_; ++i) {
      const std::vector<double> values = Contributions(m, i, factor);
      std::copy(values.begin(), values.end(),
                table.values.begin() + static_cast<std::ptrdiff_t>((m * table.choices + all.rows[i]) * table.samples));
    }
  return table;
}

OutputShifts CollectedFigures::ShiftTable(std::int64_t classes, const Alternatives& all) const {
  OutputShifts table;
  table.classes = static_cast<std::size_t>(classes);
  table.logits = logits_;
  table.samples = logits_.size() / table.classes;
  table.shifts.resize(all.row_count * logits_.size());
  for (std::size_t i = 0; i < choices_; ++i)
    std::copy(shifts_[i].begin(), shifts_[i].end(),
              table.shifts.begin() + static_cast<std::ptrdiff_t>(all.rows[i] * logits_.size()));
  return table;
}

}  // namespace bitplan::hessian
