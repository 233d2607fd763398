#include "search/logit_objective.h"

#include <algorithm>
#include <cmath>

namespace bitplan::search {

LogitObjective::LogitObjective(const LogitTerm& term, const std::vector<std::size_t>& choices, Eigen::VectorXd linear)
    : samples_(static_cast<Eigen::Index>(term.samples)),
      classes_(static_cast<Eigen::Index>(term.classes)),
      weight_(term.scale * term.temperature * term.temperature / static_cast<double>(term.samples)),
      linear_(std::move(linear)),
      shifts_(samples_ * classes_, linear_.size()),
      logits_(samples_ * classes_) {
  const auto temperature = static_cast<float>(term.temperature);
  const Eigen::Map<const Eigen::MatrixXf> all(term.shifts.data(), shifts_.rows(),
                                              static_cast<Eigen::Index>(term.shifts.size()) / shifts_.rows());
  for (Eigen::Index c = 0; c < shifts_.cols(); ++c)
    shifts_.col(c) = all.col(static_cast<Eigen::Index>(choices[static_cast<std::size_t>(c)])) / temperature;
  logits_ = Eigen::Map<const Eigen::VectorXf>(term.logits.data(), logits_.size()).cast<double>() / term.temperature;
  for (Eigen::Index n = 0; n < samples_; ++n) {
    auto z = logits_.segment(n * classes_, classes_);
    const double most = z.maxCoeff();
    z.array() -= most + std::log((z.array() - most).exp().sum());
  }
}

Eigen::VectorXf LogitObjective::ShiftOf(const CorePlan& plan) const {
  Eigen::VectorXf shift = Eigen::VectorXf::Zero(shifts_.rows());
  for (const Index column : plan) shift += shifts_.col(column);
  return shift;
}

/// KL(p ‖ q) = log Σ_c p_c exp(v_c) − Σ_c p_c v_c.
double LogitObjective::Residual(const Eigen::VectorXf& shift, Eigen::VectorXf& residual) const {
  residual.resize(shift.size());
  double sum = 0;
  Eigen::ArrayXd p(classes_), v(classes_), q(classes_);
  for (Eigen::Index n = 0; n < samples_; ++n) {
    const Eigen::Index at = n * classes_;
    p = logits_.segment(at, classes_).array().exp();
    v = shift.segment(at, classes_).cast<double>().array();
    q = logits_.segment(at, classes_).array() + v;
    const double most = q.maxCoeff();
    q = (q - most).exp();
    const double total = q.sum();
    sum += most + std::log(total) - (p * v).sum();
    residual.segment(at, classes_) = (weight_ * (q / total - p)).cast<float>().matrix();
  }
  return weight_ * sum;
}

double LogitObjective::JointValue(const Eigen::VectorXf& shift) const {
  Eigen::VectorXf residual;
  return Residual(shift, residual);
}

double LogitObjective::JointGradient(const Eigen::VectorXf& shift, Eigen::VectorXd& gradient) const {
  Eigen::VectorXf residual;
  const double value = Residual(shift, residual);
  gradient = (shifts_.transpose() * residual).cast<double>();
  return value;
}

double LogitObjective::Value(const CorePlan& plan) const {
  double own = 0;
  for (const Index column : plan) own += linear_[column];
  return own + JointValue(ShiftOf(plan));
}

double LogitObjective::Own(Index column) const { return linear_[column] + JointValue(shifts_.col(column)); }

/// The Hessian in the shifts of a sample is diag(q) − q qᵀ = RᵀR with rows √q_c (e_c − q) (design.md, section 5).
QuadraticModel LogitObjective::ExpandAt(const Eigen::VectorXd& x) const {
  const Eigen::VectorXf shift = ShiftOf(x);
  Eigen::VectorXf residual;
  const double value = Residual(shift, residual);
  Eigen::MatrixXf rows = shifts_;
  for (Eigen::Index n = 0; n < samples_; ++n) {
    const Eigen::Index at = n * classes_;
    Eigen::ArrayXd q = logits_.segment(at, classes_).array() + shift.segment(at, classes_).cast<double>().array();
    q = (q - q.maxCoeff()).exp();
    q /= q.sum();
    auto block = rows.middleRows(at, classes_);
    const Eigen::RowVectorXf mean = q.cast<float>().matrix().transpose() * block;
    block.rowwise() -= mean;
    block.array().colwise() *= (q * weight_).sqrt().cast<float>();
  }
  QuadraticModel model;
  model.matrix = (rows.transpose() * rows).cast<double>();
  const Eigen::VectorXd gradient = (shifts_.transpose() * residual).cast<double>();
  const Eigen::VectorXd curved = model.matrix * x;
  model.linear = linear_ + gradient - curved;
  model.constant = value - gradient.dot(x) + curved.dot(x) / 2;
  return model;
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
