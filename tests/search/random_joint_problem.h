#pragma once

#include <cstdint>

#include "bitplan/problem.h"

namespace bitplan::search_test {

enum class JointKind { Matrix, SquaredShift, Divergence };

/// RandomProblem(seed) with a joint term. Among them are shifts that all but cancel, that all point one way, that are
/// zero, and matrices of low rank.
Problem RandomJointProblem(std::uint64_t seed, JointKind kind);

JointTerm RandomJointTerm(std::uint64_t seed, JointKind kind, std::size_t choices);

}  // namespace bitplan::search_test
