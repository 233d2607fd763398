#include "interrupt.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "pace.h"
#include "progress_lines.h"
#include "tell.h"

namespace bitplan::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;  // the one thing a signal handler may write to

void Note(int) { interrupted = 1; }

/// Erases itself when the last copy of the callback that owns it goes.
class Bar {
 public:
  ~Bar() {
    if (drawn_) Draw("\r\033[K");
  }
  void Draw(const Progress& progress) {
    const auto now = std::chrono::steady_clock::now();
    const bool begins = pace_.Note(progress, now);
    if (!begins && progress.done < progress.total && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    drawn_ = true;
    constexpr std::int64_t kWidth = 30;
    const std::int64_t total = progress.total > 0 ? progress.total : 1;
    const auto filled = static_cast<std::size_t>(kWidth * progress.done / total);
    Draw(fmt::format("\r\033[K{:<22} [{:<30}] {}/{}{}", progress.stage, std::string(filled, '='), progress.done,
                     progress.total, PaceText()));
  }

 private:
  static void Draw(const std::string& text) {
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
  }

  std::string PaceText() const {
    const auto rate = pace_.StepsPerSecond(), left = pace_.SecondsLeft();
    if (!rate || !left) return "";
    return fmt::format("  {}/s  {} left", *rate < 10 ? fmt::format("{:.1f}", *rate) : fmt::format("{:.0f}", *rate),
                       TimeText(*left));
  }

  bool drawn_ = false;
  Pace pace_;
  Pace::Time last_;
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
  return [show = ShowBar()](const Progress& progress) {
    ThrowIfInterrupted();
    show(progress);
  };
}

ProgressCallback ShowBar() {
  if (isatty(STDERR_FILENO)) return [bar = std::make_shared<Bar>()](const Progress& progress) { bar->Draw(progress); };
  return [lines = std::make_shared<ProgressLines>(std::chrono::steady_clock::now())](const Progress& progress) {
    if (const auto line = lines->Next(progress, std::chrono::steady_clock::now())) Tell(*line);
  };
}

}  // namespace bitplan::cli
