#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "bitplan/error.h"

namespace bitplan::process {

// What a limit is on: what a computation takes on top of the network, the data and what was there before it. The tool
// makes it of its own, which is on the whole process (cli/memory_option.h).

/// The part of a limit that may be planned with; the rest is for what the allocator cannot give back, and for the
/// kernels that LibTorch makes and keeps.
std::int64_t PlannedBytes(std::int64_t limit);

/// A limit is too low for what cannot be taken in parts.
class MemoryShort : public Error {
 public:
  /// `least`: bytes that the limit would have to be at least, as far as is known. `exact`: whether that much does.
  MemoryShort(const std::string& what, std::int64_t limit, std::int64_t least, bool exact);

  const std::string& what_for() const { return what_for_; }  ///< "one sample"
  std::int64_t limit() const { return limit_; }
  std::int64_t least() const { return least_; }
  bool exact() const { return exact_; }
  std::string Needs() const;  ///< "one sample takes 417.0 MiB, and 266.6 MiB are left for it"

 private:
  std::string what_for_;
  std::int64_t limit_, least_;
  bool exact_;
};

/// Throws MemoryShort when `needed`, what one sample (or `what`) takes of PlannedBytes(limit), is more than that.
void CheckOneSampleFits(std::int64_t needed, std::int64_t limit, const std::string& what = "one sample");

/// What `run` takes, which is one sample's, beside `held` bytes. Throws MemoryShort where it does not fit; it is
/// stopped before it takes more than the limit.
std::int64_t BytesOfOneSample(std::int64_t limit, std::int64_t held, const std::function<void()>& run);

/// What the samples of a pass add at the most to what one takes, whatever the limit: above it nothing becomes faster.
/// So results, whose last digits may depend on how many samples a pass takes, are the same under all limits that leave
/// room for it.
inline constexpr std::int64_t kPassBytes = std::int64_t{128} << 20;

/// How many samples, 1 … `most`, a pass may take at a time: as many as fit into PlannedBytes(limit) beside `held` bytes
/// and take no more than `pass_bytes` on top of one. `run` makes a pass over its argument's number of samples, which is
/// tried out, from one on, as far as is needed; a trial that would take more is stopped by an exception. What it takes
/// must grow with the samples, and no more than in proportion. Throws MemoryShort where one does not fit.
std::int64_t SamplesAPass(std::int64_t most, std::int64_t limit, std::int64_t held,
                          const std::function<void(std::int64_t samples)>& run, std::int64_t pass_bytes = kPassBytes);

/// The most bytes of tensors (and of LibTorch's own buffers) that `work` holds at once, on top of what there was
/// before. What `work` frees should be its own.
std::int64_t PeakBytes(const std::function<void()>& work);

/// The same; nothing where `work` asked for more than `most` bytes on the processor: it is stopped there, before it
/// uses them, by an exception out of LibTorch's allocator.
std::optional<std::int64_t> PeakBytesWithin(std::int64_t most, const std::function<void()>& work);

}  // namespace bitplan::process
