#include "joint/logit_objective.h"

#include <cmath>
#include <map>
#include <numeric>

#include "joint/vector_sums.h"

namespace bitplan::search {
namespace {

/// Parts in the order of their first use, numbered from 0.
std::map<std::size_t, Index> NumberParts(const std::vector<Together>& parts) {
  std::map<std::size_t, Index> number;
  for (const Together& together : parts)
    for (const std::size_t part : together) number.emplace(part, static_cast<Index>(number.size()));
  return number;
}

}  // namespace

LogitObjective::LogitObjective(const LogitTerm& term, const std::vector<Together>& parts, Eigen::VectorXd linear)
    : samples_(static_cast<Eigen::Index>(term.samples)),
      classes_(static_cast<Eigen::Index>(term.classes)),
      weight_(term.scale * term.temperature * term.temperature / static_cast<double>(term.samples)),
      linear_(std::move(linear)),
      logits_(Eigen::Map<const Eigen::VectorXf>(term.logits.data(), samples_ * classes_).cast<double>() /
              term.temperature) {
  const Eigen::Map<const Eigen::MatrixXf> all(term.shifts.data(), logits_.size(),
                                              static_cast<Eigen::Index>(term.shifts.size()) / logits_.size());
  const std::map<std::size_t, Index> number = NumberParts(parts);
  parts_.resize(logits_.size(), static_cast<Eigen::Index>(number.size()));
  for (const auto& [part, position] : number)
    parts_.col(position) = all.col(static_cast<Eigen::Index>(part)).cast<double>() / term.temperature;
  std::vector<Eigen::Triplet<double>> taken;
  for (std::size_t c = 0; c < parts.size(); ++c)
    for (const std::size_t part : parts[c])
      taken.emplace_back(static_cast<int>(number.at(part)), static_cast<int>(c), 1.0);
  takes_.resize(parts_.cols(), linear_.size());
  takes_.setFromTriplets(taken.begin(), taken.end());
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
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(static_cast<Eigen::Index>(plan.size()));
  return linear_(plan).sum() + SlopeAt(ShiftOf(plan, ones)).value;
}

Eigen::VectorXd LogitObjective::ShiftOf(const std::vector<Index>& column, const Eigen::VectorXd& shares) const {
  Eigen::VectorXd shift = Eigen::VectorXd::Zero(logits_.size());
  Eigen::VectorXd of_parts = Eigen::VectorXd::Zero(parts_.cols());
  for (std::size_t c = 0; c < column.size(); ++c)
    for (Takes::InnerIterator part(takes_, column[c]); part; ++part)
      of_parts[part.row()] += shares[static_cast<Eigen::Index>(c)];
  for (Eigen::Index part = 0; part < of_parts.size(); ++part)
    if (of_parts[part] != 0) shift += of_parts[part] * parts_.col(part);
  return shift;
}

Eigen::VectorXd LogitObjective::GradientOf(const Slope& slope) const {
  return linear_ + takes_.transpose() * (parts_.transpose() * slope.derivative);
}

Eigen::VectorXd LogitObjective::SoftmaxAt(const Eigen::VectorXd& shift) const {
  Eigen::VectorXd softmax = logits_ + shift;
  for (Eigen::Index n = 0; n < samples_; ++n) {
    auto q = softmax.segment(n * classes_, classes_);
    q = (q.array() - q.maxCoeff()).exp();
    q /= q.sum();
  }
  return softmax;
}

Eigen::MatrixXd LogitObjective::Centered(const Eigen::VectorXd& shift, const std::vector<Index>& part) const {
  const Eigen::VectorXd softmax = SoftmaxAt(shift);
  Eigen::MatrixXd centered = parts_(Eigen::all, part);
  for (Eigen::Index n = 0; n < samples_; ++n) {
    auto block = centered.middleRows(n * classes_, classes_);
    const Eigen::RowVectorXd mean = softmax.segment(n * classes_, classes_).transpose() * block;
    block.rowwise() -= mean;
  }
  return centered;
}

Eigen::MatrixXd LogitObjective::CurvatureOf(const Eigen::VectorXd& shift, Eigen::MatrixXd centered,
                                            const Eigen::VectorXd& weights) const {
  Eigen::VectorXd scale = weight_ * SoftmaxAt(shift);
  for (Eigen::Index n = 0; n < samples_; ++n) scale.segment(n * classes_, classes_) *= weights[n];
  centered.array().colwise() *= scale.array().sqrt();
  return GramOf(centered);
}

QuadraticModel LogitObjective::ExpandAt(const Eigen::VectorXd& x) const {
  std::vector<Index> all(static_cast<std::size_t>(x.size())), part(static_cast<std::size_t>(parts_.cols()));
  std::iota(all.begin(), all.end(), Index{0});
  std::iota(part.begin(), part.end(), Index{0});
  const Eigen::VectorXd shift = ShiftOf(all, x);
  const Slope slope = SlopeAt(shift);
  const Eigen::MatrixXd of_parts = CurvatureOf(shift, Centered(shift, part), Eigen::VectorXd::Ones(samples_));
  QuadraticModel model;
  model.matrix = takes_.transpose() * of_parts * takes_;
  const Eigen::VectorXd gradient = GradientOf(slope), curved = model.matrix * x;
  model.linear = gradient - curved;
  model.constant = slope.value + linear_.dot(x) - gradient.dot(x) + curved.dot(x) / 2;
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
