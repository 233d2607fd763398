#include "cli/interrupt.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
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
    if (drawn_ && progress.done < progress.total && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    drawn_ = true;
    constexpr std::int64_t kWidth = 30;
    const std::int64_t total = progress.total > 0 ? progress.total : 1;
    const auto filled = static_cast<std::size_t>(kWidth * progress.done / total);
    fmt::print(stderr, "\r\033[K{:<28} [{:<30}] {}/{}", progress.stage, std::string(filled, '='), progress.done, progress.total);
    std::fflush(stderr);
  }

 private:
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_;
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
