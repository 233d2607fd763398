#include "problem/joint_term.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

double LargestOf(const QuadraticTerm& term) {
  double largest = 0;
  for (const double value : term.matrix) largest = std::max(largest, std::abs(value));
  return largest;
}

/// Eigenvalues may be below 0 by this, for rounding.
double Slack(const QuadraticTerm& term) {
  return tuning::joint::kMatrixTolerance * LargestOf(term) * std::sqrt(static_cast<double>(term.matrix.size()));
}

void Check(const QuadraticTerm& term, std::size_t choices) {
  if (term.matrix.size() != choices * choices)
    throw Error(fmt::format("joint matrix has {} entries; {} choices need {} × {}", term.matrix.size(), choices,
                            choices, choices));
  for (std::size_t i = 0; i < term.matrix.size(); ++i)
    if (!std::isfinite(term.matrix[i]))
      throw Error(fmt::format("joint matrix: entry [{}, {}] is {}, must be a finite number", i / choices, i % choices,
                              term.matrix[i]));
  const double largest = LargestOf(term);
  if (largest * static_cast<double>(term.matrix.size()) > std::numeric_limits<double>::max())
    throw Error("joint matrix: entries are too large: their sum is not a finite number");
  for (std::size_t i = 0; i < choices; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (std::abs(term.matrix[i * choices + j] - term.matrix[j * choices + i]) >
          tuning::joint::kMatrixTolerance * largest)
        throw Error(fmt::format("joint matrix is not symmetric: entry [{}, {}] is {}, [{}, {}] is {}", i, j,
                                term.matrix[i * choices + j], j, i, term.matrix[j * choices + i]));
  const auto size = static_cast<Eigen::Index>(choices);
  const Eigen::MatrixXd matrix = Eigen::Map<const Eigen::MatrixXd>(term.matrix.data(), size, size);
  const double slack = Slack(term);
  if (largest == 0 || (matrix + slack * Eigen::MatrixXd::Identity(size, size)).llt().info() == Eigen::Success) return;
  const double least = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(matrix, Eigen::EigenvaluesOnly).eigenvalues()[0];
  if (least < -slack)
    throw Error(fmt::format("joint matrix is not positive semidefinite: its least eigenvalue is {}, allowed is {}",
                            least, -slack));
}

void CheckCount(const char* what, std::size_t found, std::size_t expected, const LogitTerm& term) {
  if (found != expected)
    throw Error(fmt::format("joint {}: has {} numbers, must be {} ({} samples of {} classes{})", what, found, expected,
                            term.samples, term.classes,
                            std::string_view(what) == "shifts" ? ", for every choice" : ""));
}

void CheckFinite(const char* what, const std::vector<float>& values) {
  const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad != values.end())
    throw Error(fmt::format("joint {}: number {} is {}, must be finite", what, bad - values.begin(), *bad));
}

void CheckPositive(const char* what, double value) {
  if (!std::isfinite(value) || value <= 0)
    throw Error(fmt::format("joint {} is {}, must be a finite number above 0", what, value));
}

void Check(const LogitTerm& term, std::size_t choices) {
  const bool divergence = term.loss == LogitLoss::Divergence;
  if (term.samples == 0) throw Error("joint term has no samples, needs at least one");
  if (term.classes < 2) throw Error(fmt::format("joint term has {} classes, needs at least two", term.classes));
  CheckPositive("scale", term.scale);
  if (divergence) CheckPositive("temperature", term.temperature);
  CheckCount("logits", term.logits.size(), divergence ? term.samples * term.classes : 0, term);
  CheckCount("shifts", term.shifts.size(), choices * term.samples * term.classes, term);
  CheckFinite("logits", term.logits);
  CheckFinite("shifts", term.shifts);
}

}  // namespace

void CheckJointTerm(const JointTerm& term, std::size_t choices) {
  std::visit([&](const auto& kind) { Check(kind, choices); }, term);
}

double LeastOf(const JointTerm& term, std::size_t groups) {
  const auto* quadratic = std::get_if<QuadraticTerm>(&term);
  return quadratic == nullptr ? 0 : -Slack(*quadratic) * static_cast<double>(groups);
}

}  // namespace bitplan::search
