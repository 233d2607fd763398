#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include "bitplan/search.h"
#include "tuning.h"

namespace bitplan::search {

/// Time of a search: tells when its limit has passed, and reports progress now and then.
class Monitor {
 public:
  explicit Monitor(const SearchOptions& options)
      : limit_(options.time_limit_seconds), callback_(options.progress), stop_(options.stop) {}

  double Seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  /// Whether the limit has passed, or the caller asked to stop. Cheap; to be asked once a step. Passes on what the
  /// callback throws.
  bool Expired() {
    const double now = Seconds();
    if (now >= next_report_) {
      next_report_ = now + tuning::kReportSeconds;
      if (callback_) Report(callback_, stage_, done_, total_);
      stopped_ = stopped_ || (stop_ && stop_());
    }
    return stopped_ || now >= limit_;
  }

  void SetProgress(std::string_view stage, std::int64_t done, std::int64_t total) {
    stage_ = stage;
    done_ = done;
    total_ = total;
  }

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point start_ = Clock::now();
  double limit_;
  double next_report_ = 0;
  ProgressCallback callback_;
  std::function<bool()> stop_;
  bool stopped_ = false;
  std::string_view stage_ = "search";
  std::int64_t done_ = 0, total_ = 1;
};

}  // namespace bitplan::search
