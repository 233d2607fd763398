#include "cli/interrupt.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

namespace bitplan::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;  // the one thing a signal handler may write to

void Note(int) { interrupted = 1; }

/// Erases itself when the last copy of the callback that owns it goes.
class Bar {
 public:
  ~Bar() {
    if (drawn_) fmt::print(stderr, "\r\033[K");
  }
  void Draw(const Progress& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (!drawn_ || progress.stage != stage_) {
      stage_ = progress.stage;
      begun_ = now;
      done_before_ = progress.done;
    } else if (progress.done < progress.total && now - last_ < std::chrono::milliseconds(100)) {
      return;
    }
    last_ = now;
    drawn_ = true;
    constexpr std::int64_t kWidth = 30;
    const std::int64_t total = progress.total > 0 ? progress.total : 1;
    const auto filled = static_cast<std::size_t>(kWidth * progress.done / total);
    fmt::print(stderr, "\r\033[K{:<22} [{:<30}] {}/{}{}", progress.stage, std::string(filled, '='), progress.done,
               progress.total, Pace(progress, std::chrono::duration<double>(now - begun_).count()));
    std::fflush(stderr);
  }

 private:
  /// Rate and time left, by the steps of this stage since it began.
  std::string Pace(const Progress& progress, double seconds) const {
    const auto steps = static_cast<double>(progress.done - done_before_);
    if (seconds < 0.5 || steps <= 0) return "";
    const double rate = steps / seconds;
    const auto left = std::lround(static_cast<double>(progress.total - progress.done) / rate);
    const std::string time = left < 3600 ? fmt::format("{}:{:02}", left / 60, left % 60)
                                         : fmt::format("{}:{:02}:{:02}", left / 3600, left / 60 % 60, left % 60);
    return fmt::format("  {}/s  {} left", rate < 10 ? fmt::format("{:.1f}", rate) : fmt::format("{:.0f}", rate), time);
  }

  bool drawn_ = false;
  std::string stage_;
  std::int64_t done_before_ = 0;
  std::chrono::steady_clock::time_point begun_, last_;
};

}  // namespace

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = Note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool WasInterrupted() { return interrupted != 0; }

void ThrowIfInterrupted() {
  if (WasInterrupted()) throw Interrupted{};
}

ProgressCallback ShowProgress() {
  return [bar = ShowBar()](const Progress& progress) {
    ThrowIfInterrupted();
    if (bar) bar(progress);
  };
}

ProgressCallback ShowBar() {
  if (!isatty(STDERR_FILENO)) return {};
  return [bar = std::make_shared<Bar>()](const Progress& progress) { bar->Draw(progress); };
}

}  // namespace bitplan::cli
