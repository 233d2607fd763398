#pragma once

#include <cstddef>
#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::hessian::tuning {

// Rows of the loss's curvature (gauss_newton/loss_rows.cpp).

/// Rows of a sample up to which all are taken; of more so many are drawn, which leaves the matrix unbiased.
inline constexpr std::int64_t kMostExactRows = 64;
inline constexpr int kDrawnRows = 32;

/// Of rows of a loss that is a module's (gauss_newton/module_rows.cpp): dimensions of the Krylov spaces that square
/// roots are taken in, as many as are off by 1e-3 for a softmax of 100 classes, and numbers that their bases hold at a
/// time.
inline constexpr std::int64_t kRootSteps = 24;
inline constexpr std::int64_t kRootNumbers = 1 << 23;

/// Samples whose rows are worked out at a time: bounds the memory.
inline constexpr std::int64_t kSamplesOfRowsAtOnce = 64;

/// A pass over n samples takes about as long as n + so many would by themselves.
inline constexpr double kSamplesOfAPass = 4;

/// Eigenvalues below this share of the largest are rounding.
inline constexpr double kShareOfRounding = 1e-13;

// The smaller of the two forms of a Gauss-Newton matrix (gauss_newton/row_space.cpp).

/// Up to so many rows, variables or directions a matrix is solved densely: Lanczos would take as many products.
inline constexpr std::ptrdiff_t kDenseRows = 64;

/// A product of Lanczos goes through all rows twice; about as many of them are made.
inline constexpr double kSweeps = 2 * 12;

/// A matrix times a vector waits for the memory; so many multiplications in a product of matrices take as long as one
/// of it.
inline constexpr double kCostOfStreaming = 12;

/// Products with a matrix that is formed cost little: so many are plenty.
inline constexpr int kPlentyOfProducts = 2000;

// Passes. Larger ones leave the processor's caches.

inline constexpr std::int64_t kLargestShiftChunk = 64, kLargestOutputBatch = 32;

// Shifts to first order.

/// Up to this width a step is too coarse for a derivative, and beyond so many outputs derivatives take longer than
/// passes.
inline constexpr int kCoarseBits = 3;
inline constexpr std::int64_t kMostLinearOutputs = 16;

// Spectra (eigen).

/// Vectors of a Krylov space at the least: restarts of smaller ones hardly converge.
inline constexpr int kLeastKrylovSize = 12;

/// Steps of Lanczos for each probe of a density, the default; how far a curve goes on beyond the outermost nodes, in
/// standard deviations; and the points of it within one.
inline constexpr std::ptrdiff_t kDensitySteps = 80;
inline constexpr double kTails = 6, kPointsPerWidth = 3;

}  // namespace bitplan::hessian::tuning
