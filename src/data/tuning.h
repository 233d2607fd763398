#pragma once

#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::data::tuning {

/// Values that are looked through at a time for ones that are not finite: the check takes several times what it looks
/// at.
inline constexpr std::int64_t kValuesChecked = 1 << 20;

/// Labels of tokens that are read at a time, before they are in their places: a few MiB.
inline constexpr std::int64_t kLabelsRead = 1 << 20;

/// Bytes of samples that are looked through at a time where all of a file are: some samples, and small beside any
/// limit.
inline constexpr std::int64_t kPieceBytes = std::int64_t{4} << 20;

/// Samples up to these bytes, and up to one part in so many of a limit, are held rather than read again: what is left
/// is for passes.
inline constexpr std::int64_t kSmallBytes = std::int64_t{256} << 20, kSmallShare = 8;

}  // namespace bitplan::data::tuning
