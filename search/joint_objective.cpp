#include "search/joint_objective.h"

#include "search/logit_objective.h"
#include "search/quadratic_objective.h"

namespace bitplan::search {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::VectorXd ObjectivesOf(const Problem& problem, const std::vector<std::size_t>& choices) {
  std::vector<double> all;
  for (const auto& group : problem.groups)
    for (const auto& choice : group.choices) all.push_back(choice.objective);
  Eigen::VectorXd objectives(static_cast<Eigen::Index>(choices.size()));
  for (std::size_t c = 0; c < choices.size(); ++c) objectives[static_cast<Eigen::Index>(c)] = all[choices[c]];
  return objectives;
}

std::unique_ptr<JointObjective> MakeQuadratic(const QuadraticTerm& term, const std::vector<std::size_t>& choices,
                                              Eigen::VectorXd linear, std::size_t all) {
  const auto size = static_cast<Eigen::Index>(all);
  const Eigen::Map<const RowMajor> matrix(term.matrix.data(), size, size);
  QuadraticModel model{0, std::move(linear), matrix(choices, choices)};
  model.matrix = (model.matrix + model.matrix.transpose()).eval() / 2;
  return std::make_unique<QuadraticObjective>(std::move(model));
}

}  // namespace

double QuadraticModel::Value(const CorePlan& plan) const {
  double value = constant;
  for (const Index a : plan) {
    double pairs = 0;
    for (const Index b : plan) pairs += matrix(b, a);
    value += linear[a] + pairs / 2;
  }
  return value;
}

std::unique_ptr<JointObjective> MakeJointObjective(const Problem& problem, const std::vector<std::size_t>& choices) {
  Eigen::VectorXd linear = ObjectivesOf(problem, choices);
  if (const auto* quadratic = std::get_if<QuadraticTerm>(&*problem.joint))
    return MakeQuadratic(*quadratic, choices, std::move(linear), problem.ChoiceCount());
  const auto& logit = std::get<LogitTerm>(*problem.joint);
  if (logit.loss == LogitLoss::SquaredShift)
    return MakeQuadratic(QuadraticOf(logit), choices, std::move(linear), problem.ChoiceCount());
  return std::make_unique<LogitObjective>(logit, choices, std::move(linear));
}

}  // namespace bitplan::search
