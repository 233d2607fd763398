#pragma once

#include "bitplan/cost.h"
#include "bitplan/problem.h"
#include "bitplan/sensitivity.h"

namespace bitplan::cost {

/// Throws Error unless `sensitivity` has what a joint problem of `measure` is made of.
void CheckJoint(const Sensitivity& sensitivity, Measure measure);

/// The figure that the joint term charges for a choice made alone.
Measure JointFigure(Measure measure);

/// The share of the cross terms that these options leave: CrossTermShare, or 1 where nothing is shrunk or joined.
double ShareFor(const Sensitivity& sensitivity, const ProblemOptions& options);

/// As MakeProblem, of what that takes, with this share of the cross terms.
Problem MakeProblemWithShare(const Sensitivity& sensitivity, const ProblemOptions& options, double share);

/// The loss of the summed shifts of the choices of `problem`, times `share`: of LogitShift and Divergence the logit
/// model, of GaussNewton and Quadratic Q = UᵀU/N with the curvature's rows U (docs/architecture.md). A share of 0 gives
/// no term.
std::optional<JointTerm> MakeJointTerm(const Sensitivity& sensitivity, Measure measure, double share,
                                       const Problem& problem);

}  // namespace bitplan::cost
