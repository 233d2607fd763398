#pragma once

#include "bitplan/problem.h"

namespace bitplan::search {

/// Throws Error naming the property of `term` that breaks a rule of its type; `choices` of the whole problem.
void CheckJointTerm(const JointTerm& term, std::size_t choices);

/// No plan of the problem, which has `groups` groups, is charged less by `term`.
double LeastOf(const JointTerm& term, std::size_t groups);

}  // namespace bitplan::search
