#pragma once

#include <cstddef>
#include <cstdint>

/// Numbers that were chosen, by reasons or by trying.
namespace bitplan::onnx::tuning {

// What a stranger's file may ask for. Real models stay far below: BERT-large has 5,000 nodes, 60,000 fields.

/// Fields of all messages but packed ones; a field takes up to 200 bytes once parsed.
inline constexpr std::size_t kMostFields = 8'000'000;

/// Messages in messages; a graph in a node in a graph is three. protobuf itself refuses more than 100.
inline constexpr int kDeepestMessage = 96;

/// Graphs in nodes, and functions in functions.
inline constexpr int kDeepestGraph = 24;

/// Nodes once functions are inlined.
inline constexpr std::size_t kMostNodes = 100'000;

/// What inlined functions take for names, attributes and tensors: the first, and so many times the file's bytes, and no
/// more than the last. A kilobyte of functions that call each other twice would take all memory.
inline constexpr std::size_t kFreeInlinedBytes = std::size_t{4} << 20, kInlinedBytesPerByte = 256,
                             kMostInlinedBytes = std::size_t{256} << 20;

/// Axes of a tensor.
inline constexpr int kMostAxes = 32;

inline constexpr std::int64_t kFirstOpset = 7, kLastOpset = 28;
inline constexpr std::int64_t kFirstIrVersion = 3, kLastIrVersion = 14;

}  // namespace bitplan::onnx::tuning
