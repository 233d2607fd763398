#include "lists/completions.h"

#include <algorithm>
#include <utility>

namespace bitplan::search {

Completions::Completions(const Subproblem& part, const std::vector<Index>& order, std::vector<double> weights)
    : part_(part), weights_(std::move(weights)), weighed_(part.columns(), 0.0), of_budget_(weights_.size()) {
  for (std::size_t i = 0; i < weights_.size(); ++i)
    for (std::size_t c = 0; c < part.columns(); ++c) weighed_[c] += weights_[i] * part.cost[i * part.columns() + c];
  for (std::size_t level = 0; level < order.size(); ++level)
    AddHull(level, part.first[order[level]], part.first[order[level] + 1]);
  std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.gain > b.gain; });
  Open(0);
}

/// Gains of a group's steps fall strictly, so that sorting keeps their order.
void Completions::AddHull(std::size_t level, Index begin, Index end) {
  std::vector<Index> columns;
  for (Index c = begin; c < end; ++c) columns.push_back(c);
  std::sort(columns.begin(), columns.end(), [&](Index a, Index b) {
    return std::pair(weighed_[a], part_.loss[a]) < std::pair(weighed_[b], part_.loss[b]);
  });
  cheapest_.push_back(columns.front());
  const std::size_t before = steps_.size();
  Index last = columns.front();
  for (const Index column : columns) {
    if (!(part_.loss[column] < part_.loss[last]) || !(weighed_[column] > weighed_[last])) continue;
    const auto step = [&](Index from) {
      const double cost = weighed_[column] - weighed_[from];
      return Step{level, from, column, cost, (part_.loss[from] - part_.loss[column]) / cost};
    };
    Step next = step(last);
    while (steps_.size() > before && next.gain >= steps_.back().gain) {
      next = step(steps_.back().from);
      steps_.pop_back();
    }
    steps_.push_back(next);
    last = column;
  }
}

void Completions::Open(std::size_t level) {
  level_ = level;
  hint_ = 0;
  const std::size_t columns = part_.columns();
  double cost = 0, loss = 0;
  std::vector<double> of_budget(weights_.size(), 0.0);
  for (std::size_t at = level; at < cheapest_.size(); ++at) {
    const Index c = cheapest_[at];
    cost += weighed_[c];
    loss += part_.loss[c];
    for (std::size_t i = 0; i < weights_.size(); ++i) of_budget[i] += part_.cost[i * columns + c];
  }
  for (auto* sums : {&cost_, &loss_, &gain_}) sums->clear();
  for (auto& sums : of_budget_) sums.clear();
  const auto push = [&] {
    cost_.push_back(cost);
    loss_.push_back(loss);
    for (std::size_t i = 0; i < weights_.size(); ++i) of_budget_[i].push_back(of_budget[i]);
  };
  push();
  for (const Step& step : steps_) {
    if (step.level < level) continue;
    gain_.push_back(step.gain);
    cost += step.cost;
    loss -= part_.loss[step.from] - part_.loss[step.to];
    for (std::size_t i = 0; i < weights_.size(); ++i)
      of_budget[i] += part_.cost[i * columns + step.to] - part_.cost[i * columns + step.from];
    push();
  }
}

double Completions::Weighed(const double* costs) const {
  double sum = 0;
  for (std::size_t i = 0; i < weights_.size(); ++i) sum += weights_[i] * costs[i];
  return sum;
}

std::size_t Completions::StepsIn(double rest) {
  while (hint_ > 0 && cost_[hint_] > rest) --hint_;
  while (hint_ + 1 < cost_.size() && cost_[hint_ + 1] <= rest) ++hint_;
  return hint_;
}

std::vector<Index> Completions::Columns(std::size_t steps) const {
  std::vector<Index> columns(cheapest_.begin() + static_cast<std::ptrdiff_t>(level_), cheapest_.end());
  for (const Step& step : steps_) {
    if (steps == 0) break;
    if (step.level < level_) continue;
    columns[step.level - level_] = step.to;
    --steps;
  }
  return columns;
}

}  // namespace bitplan::search
