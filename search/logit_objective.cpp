#include "search/logit_objective.h"

#include <cmath>

#include "search/logit_bounder.h"

namespace bitplan::search {

LogitObjective::LogitObjective(const LogitTerm& term, const std::vector<Together>& parts, Eigen::VectorXd linear)
    : samples_(static_cast<Eigen::Index>(term.samples)),
      classes_(static_cast<Eigen::Index>(term.classes)),
      weight_(term.scale * term.temperature * term.temperature / static_cast<double>(term.samples)),
      linear_(std::move(linear)),
      shifts_(Eigen::MatrixXd::Zero(samples_ * classes_, linear_.size())),
      logits_(Eigen::Map<const Eigen::VectorXf>(term.logits.data(), samples_ * classes_).cast<double>() /
              term.temperature) {
  const Eigen::Map<const Eigen::MatrixXf> all(term.shifts.data(), shifts_.rows(),
                                              static_cast<Eigen::Index>(term.shifts.size()) / shifts_.rows());
  for (Eigen::Index c = 0; c < shifts_.cols(); ++c)
    for (const std::size_t part : parts[static_cast<std::size_t>(c)])
      shifts_.col(c) += all.col(static_cast<Eigen::Index>(part)).cast<double>() / term.temperature;
  for (Eigen::Index n = 0; n < samples_; ++n) {
    auto z = logits_.segment(n * classes_, classes_);
    const double most = z.maxCoeff();
    z.array() -= most + std::log((z.array() - most).exp().sum());
  }
  probabilities_ = logits_.array().exp();
}

/// KL(p ‖ q) = log Σ_c p_c exp(v_c) − Σ_c p_c v_c, whose derivative is q − p.
LogitObjective::Slope LogitObjective::SlopeAt(const Eigen::VectorXd& shift) const {
  Slope slope;
  slope.derivative = logits_ + shift;
  for (Eigen::Index n = 0; n < samples_; ++n) {
    auto q = slope.derivative.segment(n * classes_, classes_);
    const double most = q.maxCoeff();
    q = (q.array() - most).exp();
    const double total = q.sum();
    slope.value += most + std::log(total);
    q /= total;
  }
  slope.value = weight_ * (slope.value - probabilities_.dot(shift));
  slope.derivative = weight_ * (slope.derivative - probabilities_);
  return slope;
}

double LogitObjective::Value(const CorePlan& plan) const {
  double own = 0;
  Eigen::VectorXd shift = Eigen::VectorXd::Zero(shifts_.rows());
  for (const Index column : plan) {
    own += linear_[column];
    shift += shifts_.col(column);
  }
  return own + SlopeAt(shift).value;
}

double LogitObjective::Own(Index column) const { return linear_[column] + SlopeAt(shifts_.col(column)).value; }

Eigen::VectorXd LogitObjective::SoftmaxAt(const Eigen::VectorXd& shift) const {
  Eigen::VectorXd softmax = logits_ + shift;
  for (Eigen::Index n = 0; n < samples_; ++n) {
    auto q = softmax.segment(n * classes_, classes_);
    q = (q.array() - q.maxCoeff()).exp();
    q /= q.sum();
  }
  return softmax;
}

Eigen::MatrixXd LogitObjective::Center(const Eigen::VectorXd& shift, Eigen::MatrixXd shifts) const {
  const Eigen::VectorXd softmax = SoftmaxAt(shift);
  for (Eigen::Index n = 0; n < samples_; ++n) {
    auto block = shifts.middleRows(n * classes_, classes_);
    const Eigen::RowVectorXd mean = softmax.segment(n * classes_, classes_).transpose() * block;
    block.rowwise() -= mean;
  }
  return shifts;
}

Eigen::MatrixXd LogitObjective::CurvatureRows(const Eigen::VectorXd& shift, Eigen::MatrixXd centered,
                                              const Eigen::VectorXd& weights) const {
  Eigen::VectorXd scale = weight_ * SoftmaxAt(shift);
  for (Eigen::Index n = 0; n < samples_; ++n) scale.segment(n * classes_, classes_) *= weights[n];
  centered.array().colwise() *= scale.array().sqrt();
  return centered;
}

Eigen::MatrixXd LogitObjective::HessianAt(const Eigen::VectorXd& shift, const Eigen::MatrixXd& shifts) const {
  return GramOf(CurvatureRows(shift, Center(shift, shifts), Eigen::VectorXd::Ones(samples_)));
}

Eigen::MatrixXd GramOf(const Eigen::MatrixXd& rows) {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(rows.cols(), rows.cols());
  gram.selfadjointView<Eigen::Lower>().rankUpdate(rows.transpose());
  gram = gram.selfadjointView<Eigen::Lower>();
  return gram;
}

QuadraticModel LogitObjective::ExpandAt(const Eigen::VectorXd& x) const {
  const Eigen::VectorXd shift = shifts_ * x;
  const Slope slope = SlopeAt(shift);
  QuadraticModel model;
  model.matrix = HessianAt(shift, shifts_);
  const Eigen::VectorXd gradient = shifts_.transpose() * slope.derivative;
  const Eigen::VectorXd curved = model.matrix * x;
  model.linear = linear_ + gradient - curved;
  model.constant = slope.value - gradient.dot(x) + curved.dot(x) / 2;
  return model;
}

std::unique_ptr<JointBounder> LogitObjective::MakeBounder(const Core& core, const JointOrder& order,
                                                          const Eigen::VectorXd& shares) const {
  return std::make_unique<LogitBounder>(core, *this, order, shares);
}

QuadraticTerm QuadraticOf(const LogitTerm& term) {
  const auto samples = static_cast<Eigen::Index>(term.samples), classes = static_cast<Eigen::Index>(term.classes);
  const auto choices = static_cast<Eigen::Index>(term.shifts.size()) / (samples * classes);
  Eigen::MatrixXd centered =
      Eigen::Map<const Eigen::MatrixXf>(term.shifts.data(), samples * classes, choices).cast<double>();
  for (Eigen::Index n = 0; n < samples; ++n) {
    auto block = centered.middleRows(n * classes, classes);
    const Eigen::RowVectorXd mean = block.colwise().mean();
    block.rowwise() -= mean;
  }
  const Eigen::MatrixXd matrix = centered.transpose() * centered * (term.scale / static_cast<double>(samples));
  return {std::vector<double>(matrix.data(), matrix.data() + matrix.size())};
}

}  // namespace bitplan::search
