#include "plan_walk.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "search/core.h"

namespace bitplan::agent {
namespace {

/// 0 … 1 from the least to the largest, in the logarithm.
std::vector<float> LogScaled(const std::vector<double>& values) {
  const double most = *std::max_element(values.begin(), values.end());
  std::vector<double> logs;
  for (const double value : values)
    logs.push_back(std::log(std::max(value, 1e-12 * most)));  // most = 0: all −∞, and equal
  const auto [low, high] = std::minmax_element(logs.begin(), logs.end());
  std::vector<float> scaled;
  for (const double log : logs) scaled.push_back(*high > *low ? static_cast<float>((log - *low) / (*high - *low)) : 0);
  return scaled;
}

float Share(double part, double whole) {
  return whole > 0 ? static_cast<float>(std::clamp(part / whole, 0.0, 1.0)) : 0;
}

double LargestOf(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

}  // namespace

StepStates::StepStates(const PlanSpace& space) {
  const std::vector<SpaceGroup>& groups = space.groups();
  std::vector<double> ranges, most, least;
  double most_values = 1, all = 0;
  for (const SpaceGroup& group : groups) {
    const auto by_loss = [](const SpaceRow& a, const SpaceRow& b) { return a.loss < b.loss; };
    const auto [low, high] = std::minmax_element(group.rows.begin(), group.rows.end(), by_loss);
    ranges.push_back(high->loss - low->loss);
    most.push_back(0);
    least.push_back(search::kInfinity);
    for (const SpaceRow& row : group.rows) {
      most.back() = std::max(most.back(), LargestOf(row.costs));
      least.back() = std::min(least.back(), LargestOf(row.costs));
    }
    all += most.back();
    for (const Coordinate& coordinate : group.coordinates)
      most_values = std::max(most_values, static_cast<double>(coordinate.values));
  }
  const std::vector<float> scaled = LogScaled(ranges);
  double ahead = all;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<double> losses;
    for (const SpaceRow& row : groups[g].rows) losses.push_back(row.loss);
    std::sort(losses.begin(), losses.end());
    OfGroup& state = groups_.emplace_back();
    state.place = Share(static_cast<double>(g), static_cast<double>(groups.size()) - 1);
    state.ahead = Share(ahead, all);
    state.range = scaled[g];
    state.middle = Share(losses[losses.size() / 2] - losses.front(), ranges[g]);
    state.most = Share(most[g], LargestOf(most));
    state.least = Share(least[g], LargestOf(least));
    for (const Coordinate& coordinate : groups[g].coordinates) {
      state.values.push_back(Share(static_cast<double>(coordinate.values), most_values));
      state.activation.push_back(coordinate.activation ? 1 : 0);
    }
    ahead -= most[g];
  }
  have_shapes_ =
      std::all_of(groups.begin(), groups.end(), [](const SpaceGroup& group) { return group.shape.has_value(); });
  if (have_shapes_) AddShapes(groups);
}

void StepStates::AddShapes(const std::vector<SpaceGroup>& groups) {
  const auto numbers = [](const LayerShape& shape) {
    return std::array{
        shape.input_channels, shape.output_channels,        shape.kernel_size, shape.stride, shape.feature_size,
        shape.parameters,     std::int64_t{shape.depthwise}};
  };
  for (std::size_t i = 0; i < std::tuple_size_v<decltype(OfGroup::shape)>; ++i) {
    std::int64_t largest = 0;
    for (const SpaceGroup& group : groups) largest = std::max(largest, numbers(*group.shape)[i]);
    for (std::size_t g = 0; g < groups.size(); ++g)
      groups_[g].shape[i] = Share(static_cast<double>(numbers(*groups[g].shape)[i]), static_cast<double>(largest));
  }
}

AgentState StepStates::At(std::size_t group, std::size_t coordinate, double left, double previous_action) const {
  const OfGroup& of = groups_[group];
  if (have_shapes_)
    return {of.place,
            of.shape[0],
            of.shape[1],
            of.shape[2],
            of.shape[3],
            of.shape[4],
            of.shape[5],
            of.shape[6],
            of.activation[coordinate],
            static_cast<float>(previous_action)};
  return {of.place,
          of.ahead,
          of.range,
          of.middle,
          of.most,
          of.least,
          of.values[coordinate],
          static_cast<float>(left),
          of.activation[coordinate],
          static_cast<float>(previous_action)};
}

PlanWalk::PlanWalk(const PlanSpace& space, const StepStates& states, std::vector<std::size_t> plan)
    : space_(space), states_(states), plan_(std::move(plan)), spent_(space.budgets()) {
  open_.resize(space_.groups().front().rows.size());
  std::iota(open_.begin(), open_.end(), std::size_t{0});
  SettleDecidedGroups();
}

AgentState PlanWalk::State() const {
  double left = 1;
  for (std::size_t i = 0; i < space_.budgets(); ++i) {
    const double free = space_.Limit(i) - space_.LeastFrom(0, i);
    if (free > 0) left = std::min(left, (space_.Limit(i) - spent_[i] - space_.LeastFrom(group_, i)) / free);
  }
  return states_.At(group_, coordinate_, std::max(left, 0.0), previous_action_);
}

void PlanWalk::SettleDecidedGroups() {
  while (!Done() && coordinate_ == space_.groups()[group_].coordinates.size()) {
    Add(spent_, space_.groups()[group_].rows[plan_[group_]].costs);
    ++group_;
    coordinate_ = 0;
    if (Done()) return;
    open_.resize(space_.groups()[group_].rows.size());
    std::iota(open_.begin(), open_.end(), std::size_t{0});
  }
}

/// Whether some plan has this value; then plan_ is one.
bool PlanWalk::TryValue(std::size_t value) {
  const std::vector<SpaceRow>& rows = space_.groups()[group_].rows;
  if (rows[plan_[group_]].values[coordinate_] == value) return true;
  for (const bool exactly : {false, true})
    for (const std::size_t r : open_) {
      if (rows[r].values[coordinate_] != value) continue;
      std::vector<double> spent = spent_;
      Add(spent, rows[r].costs);
      const auto rest = space_.Complete(group_ + 1, spent, exactly);
      if (!rest) continue;
      plan_[group_] = r;
      std::copy(rest->begin(), rest->end(), plan_.begin() + static_cast<std::ptrdiff_t>(group_) + 1);
      return true;
    }
  return false;
}

double PlanWalk::Take(double action) {
  const std::size_t count = space_.groups()[group_].coordinates[coordinate_].values;
  const auto share = static_cast<double>(count);
  const auto wanted = static_cast<std::size_t>(std::min(std::floor(action * share), share - 1));
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto distance = [&](std::size_t value) { return value < wanted ? wanted - value : value - wanted; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
  const std::size_t taken =
      *std::find_if(order.begin(), order.end(), [&](std::size_t value) { return TryValue(value); });
  std::erase_if(open_, [&](std::size_t r) { return space_.groups()[group_].rows[r].values[coordinate_] != taken; });
  ++coordinate_;
  previous_action_ = taken == wanted ? action : (static_cast<double>(taken) + 0.5) / share;
  const double executed = previous_action_;
  SettleDecidedGroups();
  return executed;
}

}  // namespace bitplan::agent
