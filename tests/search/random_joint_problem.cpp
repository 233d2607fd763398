#include "search/random_joint_problem.h"

#include <fmt/format.h>

#include <random>

#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

using Generator = std::mt19937_64;

double UniformIn(Generator& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

std::vector<float> Normals(Generator& random, std::size_t count, double deviation) {
  std::normal_distribution<float> normal(0, static_cast<float>(deviation));
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

/// Gram matrix of one random row a choice.
QuadraticTerm RandomMatrix(Generator& random, std::size_t choices) {
  const std::size_t rank = 1 + random() % 6;
  const std::vector<float> rows = Normals(random, choices * rank, UniformIn(random, 0.1, 1.5));
  const std::vector<float> shared = Normals(random, rank, UniformIn(random, 0, 1));
  QuadraticTerm term{std::vector<double>(choices * choices, 0.0)};
  for (std::size_t i = 0; i < choices; ++i)
    for (std::size_t j = 0; j < choices; ++j)
      for (std::size_t r = 0; r < rank; ++r)
        term.matrix[i * choices + j] += double{rows[i * rank + r] + shared[r]} * double{rows[j * rank + r] + shared[r]};
  return term;
}

LogitTerm RandomShifts(Generator& random, std::size_t choices, LogitLoss loss) {
  LogitTerm term;
  term.loss = loss;
  term.samples = 1 + random() % 6;
  term.classes = 2 + random() % 4;
  term.scale = UniformIn(random, 0.2, 3);
  term.temperature = UniformIn(random, 0.5, 4);
  const std::size_t logits = term.samples * term.classes;
  if (loss == LogitLoss::Divergence) term.logits = Normals(random, logits, 2);
  const std::vector<float> shared = Normals(random, logits, UniformIn(random, 0, 1));
  const double deviation = UniformIn(random, 0.1, 2);
  for (std::size_t c = 0; c < choices; ++c) {
    const auto size = static_cast<float>(random() % 6 == 0 ? 0 : UniformIn(random, -1, 1));
    const std::vector<float> own = Normals(random, logits, deviation);
    for (std::size_t i = 0; i < logits; ++i) term.shifts.push_back(size * (own[i] + shared[i]));
  }
  return term;
}

}  // namespace

JointTerm RandomJointTerm(std::uint64_t seed, JointKind kind, std::size_t choices) {
  Generator random(seed + 1000);
  if (kind == JointKind::Matrix) return RandomMatrix(random, choices);
  return RandomShifts(random, choices, kind == JointKind::Divergence ? LogitLoss::Divergence : LogitLoss::SquaredShift);
}

Problem RandomJointProblem(std::uint64_t seed, JointKind kind) {
  Problem problem = RandomProblem(seed);
  if (seed % 3 == 0)
    for (auto& group : problem.groups)
      for (auto& choice : group.choices) choice.objective = 0;
  problem.joint = RandomJointTerm(seed, kind, problem.ChoiceCount());
  return problem;
}

}  // namespace bitplan::search_test
