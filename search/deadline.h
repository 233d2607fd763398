#pragma once

#include <algorithm>
#include <chrono>

#include "bitplan/search.h"
#include "tuning.h"

namespace bitplan::search {

/// Divides the time limit of some options among several searches.
class Deadline {
 public:
  explicit Deadline(const SearchOptions& options) : options_(options) {}

  bool Passed() const { return Left() <= 0 || (options_.stop && options_.stop()); }

  /// The same options with the time that is left.
  SearchOptions Rest() const {
    SearchOptions rest = options_;
    rest.time_limit_seconds = std::max(Left(), tuning::kLeastSeconds);
    return rest;
  }

 private:
  using Clock = std::chrono::steady_clock;
  double Left() const {
    return options_.time_limit_seconds - std::chrono::duration<double>(Clock::now() - start_).count();
  }

  SearchOptions options_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace bitplan::search
