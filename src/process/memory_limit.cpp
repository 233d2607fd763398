#include "process/memory_limit.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "tuning.h"

namespace bitplan::process {

namespace {

constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::max();

/// Ends work that takes too much.
struct TakesTooMuch : std::runtime_error {
  TakesTooMuch() : std::runtime_error("stopped: it takes more memory than it may") {}
};

/// LibTorch's allocators tell the profiler of a thread what they give and take; this stands in its place.
class Meter : public c10::MemoryReportingInfoBase {
 public:
  explicit Meter(std::int64_t most) : most_(most) {}

  void reportMemoryUsage(void* block, std::int64_t bytes, std::size_t, std::size_t, c10::Device device) override {
    if (Add(bytes) <= most_ || bytes <= 0 || !device.is_cpu()) return;
    exceeded_ = true;
    // The allocator tells after it took the block, which nobody has yet.
    c10::profiledCPUMemoryReporter().Delete(block);
    c10::free_cpu(block);
    throw TakesTooMuch();
  }

  bool memoryProfilingEnabled() const override { return true; }

  std::int64_t peak() const { return peak_; }
  bool exceeded() const { return exceeded_; }

 private:
  std::int64_t Add(std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    held_ += bytes;
    if (held_ <= most_) peak_ = std::max(peak_, held_);
    return held_;
  }

  const std::int64_t most_;
  std::mutex mutex_;  // backward passes may run on threads of their own
  std::int64_t held_ = 0, peak_ = 0;
  std::atomic<bool> exceeded_ = false;
};

std::string Mebibytes(std::int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

}  // namespace

std::int64_t PlannedBytes(std::int64_t limit) {
  return limit - limit / tuning::kHoles - std::min(tuning::kKernels, limit / 2);
}

MemoryShort::MemoryShort(const std::string& what, std::int64_t limit, std::int64_t least, bool exact)
    : Error(exact ? fmt::format("the memory limit is {}, and {} takes {}: give {} more", Mebibytes(limit), what,
                                Mebibytes(least), Mebibytes(least - limit))
                  : fmt::format("the memory limit is {}, and {} takes more: give {} more", Mebibytes(limit), what,
                                Mebibytes(least - limit))),
      what_for_(what),
      limit_(limit),
      least_(least),
      exact_(exact) {}

std::string MemoryShort::Needs() const {
  return exact_ ? fmt::format("{} takes {}, and {} are left for it", what_for_, Mebibytes(least_), Mebibytes(limit_))
                : fmt::format("{} takes more than the {} that are left for it", what_for_, Mebibytes(limit_));
}

void CheckOneSampleFits(std::int64_t needed, std::int64_t limit, const std::string& what) {
  if (needed <= PlannedBytes(limit)) return;
  const std::int64_t with_all_kernels = (needed + tuning::kKernels) * tuning::kHoles / (tuning::kHoles - 1);
  const std::int64_t least = std::min(with_all_kernels, needed * 2 * tuning::kHoles / (tuning::kHoles - 2)) + 1;
  throw MemoryShort(what, limit, least, true);
}

std::int64_t BytesOfOneSample(std::int64_t limit, std::int64_t held, const std::function<void()>& run) {
  CheckOneSampleFits(held, limit);
  const std::optional<std::int64_t> bytes = PeakBytesWithin(limit - std::min(tuning::kKernels, limit / 2) - held, run);
  if (!bytes) throw MemoryShort("one sample", limit, limit + std::max(limit, tuning::kLeastMore), false);
  CheckOneSampleFits(*bytes + held, limit);
  return *bytes;
}

namespace {

/// Finds the most samples whose passes fit. What n samples take is convex in n (the largest of what several places of
/// the pass take), and no more than n / m of what m take.
class SampleSearch {
 public:
  SampleSearch(std::int64_t most, std::int64_t room, std::int64_t of_one)
      : too_many_(most + 1), room_(room), known_(1), bytes_(of_one) {}

  std::int64_t Surely() const {
    const std::int64_t of_sample = std::max<std::int64_t>(1, bytes_ / known_);
    return std::clamp<std::int64_t>(room_ / of_sample, known_, too_many_ - 1);
  }

  /// Whether so many as surely fit are all, or nearly as many as do.
  bool Done() const { return Surely() == too_many_ - 1 || (stopped_ && 2 * known_ >= too_many_); }

  /// What the last two trials promise, at least twice as many as the last; twice as many once one was too much.
  std::int64_t Next() const {
    const std::int64_t twice = std::min(2 * known_, too_many_ - 1);
    if (stopped_ || of_more_ < 0) return twice;
    const double promised = static_cast<double>(room_ - bytes_) / std::max(of_more_, 1.0) * tuning::kPromiseKept;
    return promised >= static_cast<double>(too_many_ - 1 - known_)
               ? too_many_ - 1
               : std::max(twice, known_ + static_cast<std::int64_t>(promised));
  }

  void Fits(std::int64_t samples, std::int64_t bytes) {
    of_more_ = static_cast<double>(std::max<std::int64_t>(0, bytes - bytes_)) / static_cast<double>(samples - known_);
    known_ = samples;
    bytes_ = bytes;
  }
  void IsTooMuch(std::int64_t samples) {
    too_many_ = samples;
    stopped_ = true;
  }

 private:
  std::int64_t too_many_, room_, known_, bytes_;
  double of_more_ = -1;  // bytes that each more sample adds; below 0: not known
  bool stopped_ = false;
};

}  // namespace

std::int64_t SamplesAPass(std::int64_t most, std::int64_t limit, std::int64_t held,
                          const std::function<void(std::int64_t samples)>& run, std::int64_t pass_bytes) {
  const std::int64_t of_one = BytesOfOneSample(limit, held, [&] { run(1); });
  const std::int64_t planned = PlannedBytes(limit) - held;
  const std::int64_t room = planned - of_one > pass_bytes ? of_one + pass_bytes : planned;
  SampleSearch search(most, room, of_one);
  while (!search.Done()) {
    const std::int64_t samples = search.Next();
    const std::optional<std::int64_t> bytes = PeakBytesWithin(room, [&] { run(samples); });
    bytes ? search.Fits(samples, *bytes) : search.IsTooMuch(samples);
  }
  return search.Surely();
}

std::int64_t PeakBytes(const std::function<void()>& work) { return *PeakBytesWithin(kNoBound, work); }

std::optional<std::int64_t> PeakBytesWithin(std::int64_t most, const std::function<void()>& work) {
  const auto meter = std::make_shared<Meter>(most);
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  try {
    work();
  } catch (const std::exception&) {  // by LibTorch's interpreter, not as what was thrown
    if (!meter->exceeded()) throw;
  }
  if (meter->exceeded()) return std::nullopt;
  return meter->peak();
}

}  // namespace bitplan::process
