#include "process/memory_limit.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>

#include "bitplan/error.h"

namespace bitplan {

namespace {

/// LibTorch's allocators tell the profiler of a thread what they give and take; this stands in its place.
class Meter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device) override {
    const std::lock_guard lock(mutex_);
    held_ += bytes;
    peak_ = std::max(peak_, held_);
  }

  bool memoryProfilingEnabled() const override { return true; }

  std::int64_t peak() const { return peak_; }

 private:
  std::mutex mutex_;  // backward passes may run on threads of their own
  std::int64_t held_ = 0, peak_ = 0;
};

constexpr std::int64_t kKernels = std::int64_t{20} << 20;
constexpr std::int64_t kHoles = 5;  // the part of a heap, 1 / 5, that falls between activations that come and go

std::string Mebibytes(std::int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

}  // namespace

std::int64_t PlannedBytes(std::int64_t limit) { return limit - limit / kHoles - std::min(kKernels, limit / 2); }

void CheckOneSampleFits(std::int64_t needed, std::int64_t limit) {
  if (needed <= PlannedBytes(limit)) return;
  const std::int64_t with_all_kernels = (needed + kKernels) * kHoles / (kHoles - 1);
  const std::int64_t least = std::min(with_all_kernels, needed * 2 * kHoles / (kHoles - 2));
  throw Error(fmt::format("the memory limit is {}, and one sample takes {}: give {} more", Mebibytes(limit),
                          Mebibytes(least), Mebibytes(least - limit)));
}

std::int64_t SamplesAPass(std::int64_t most, std::int64_t limit, std::int64_t held,
                          const std::function<void(std::int64_t samples)>& run, std::int64_t pass_bytes) {
  std::int64_t samples = 1, taken = PeakBytes([&] { run(1); });
  CheckOneSampleFits(taken + held, limit);
  const std::int64_t room = std::min(PlannedBytes(limit) - held, std::max(pass_bytes, taken));
  const auto that_fit = [&] { return room / std::max<std::int64_t>(1, taken / samples); };
  // Twice the samples take at most twice the memory, whichever part of the pass takes the most of it.
  while (that_fit() < most && 2 * taken <= room && 2 * samples <= most) {
    samples *= 2;
    taken = PeakBytes([&] { run(samples); });
  }
  return std::clamp<std::int64_t>(that_fit(), 1, most);
}

std::int64_t PeakBytes(const std::function<void()>& work) {
  const auto meter = std::make_shared<Meter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  work();
  return meter->peak();
}

}  // namespace bitplan
