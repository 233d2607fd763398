#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace bitplan {

/// How far one stage of a long call has come.
struct Progress {
  std::string_view stage;  ///< what is being done, e.g. "eigenvalues"
  std::int64_t done = 0;   ///< steps finished, 0 … total
  std::int64_t total = 0;  ///< steps in all
};

/// Called between the steps of long work. It may throw to stop that work: the exception reaches the caller unchanged
/// and nothing half written is left behind. An empty function is allowed everywhere.
using ProgressCallback = std::function<void(const Progress&)>;

/// Calls `callback` unless it is empty.
inline void Report(const ProgressCallback& callback, std::string_view stage, std::int64_t done, std::int64_t total) {
  if (callback) callback(Progress{stage, done, total});
}

}  // namespace bitplan
