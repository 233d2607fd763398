#include "tree/cuts.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "tuning.h"

namespace bitplan::search {
namespace {

/// Σ row x ≤ limit, figures ≥ 0 and about 1.
struct Cut {
  std::vector<double> row;  // per column of the core
  double limit = 0;
  double depth = 0;  // how far the shares are beyond it
};

/// Finds rows that a relaxation's shares exceed.
class Separator {
 public:
  Separator(const Core& core, const Node& root) : core_(core), part_(root.part) {
    const Relaxation& relaxation = root.relaxation;
    base_ = relaxation.leading;
    for (const Share& share : relaxation.split)
      if (base_[core.group[share.column]] != share.column) others_.push_back(share);
    for (std::size_t i = 0; i < core.budgets(); ++i) {
      rest_.push_back(part_.rest[i]);
      for (const Index column : base_) rest_.back() -= core.Cost(i, column);
    }
    ProposeBudgets(relaxation);
    ProposeBasis(relaxation);
  }

  /// The deepest first.
  std::vector<Cut> Cuts() && {
    std::stable_sort(cuts_.begin(), cuts_.end(), [](const Cut& a, const Cut& b) { return a.depth > b.depth; });
    return std::move(cuts_);
  }

 private:
  using Weights = std::vector<double>;  // of the rows
  struct Candidate {
    double beyond = 0;
    Weights weights;
  };

  double Change(std::size_t row, Index column) const {
    return core_.Cost(row, column) - core_.Cost(row, base_[core_.group[column]]);
  }

  /// Each row alone, so that the change to some column is 1.
  void ProposeBudgets(const Relaxation& relaxation) {
    Weights weights(core_.budgets(), 0.0);
    for (std::size_t i = 0; i < core_.budgets(); ++i) {
      if (relaxation.multipliers[i] == 0) continue;
      std::vector<double> units;
      for (Index c = 0; c < core_.columns(); ++c)
        if (const double unit = std::abs(Change(i, c)); unit > tuning::cuts::kLeastUnit * core_.limits[i])
          units.push_back(unit);
      std::sort(units.begin(), units.end());
      units.erase(std::unique(units.begin(), units.end()), units.end());
      const std::size_t stride = 1 + units.size() / tuning::cuts::kMostUnits;
      std::vector<Candidate> candidates;
      for (std::size_t at = 0; at < units.size(); at += stride)
        for (const double sign : {1.0, -1.0}) {
          weights[i] = sign / units[at];
          candidates.push_back({Beyond(weights), weights});
        }
      weights[i] = 0;
      TakeDeepest(std::move(candidates));
    }
  }

  /// Rows of the basis' inverse, in which a share that is to be whole stands alone (Gomory 1960), and multiples.
  void ProposeBasis(const Relaxation& relaxation) {
    if (relaxation.basis.size() != core_.budgets()) return;
    const auto rows = static_cast<Eigen::Index>(core_.budgets());
    Eigen::MatrixXd basis(rows, rows);
    for (Eigen::Index p = 0; p < rows; ++p)
      for (Eigen::Index i = 0; i < rows; ++i) {
        const BasisEntry& entry = relaxation.basis[static_cast<std::size_t>(p)];
        const auto row = static_cast<std::size_t>(i);
        basis(i, p) =
            entry.extra ? static_cast<double>(entry.at == row) : core_.Cost(row, entry.at) - core_.Cost(row, entry.key);
      }
    const Eigen::FullPivLU<Eigen::MatrixXd> factors(basis);
    if (!factors.isInvertible()) return;
    const Eigen::MatrixXd inverse = factors.inverse();
    for (Eigen::Index p = 0; p < rows; ++p) {
      if (relaxation.basis[static_cast<std::size_t>(p)].extra) continue;
      std::vector<Candidate> candidates;
      for (int multiple = 1; multiple <= tuning::cuts::kMostMultiples; ++multiple)
        for (const double sign : {1.0, -1.0}) {
          Weights weights;
          for (Eigen::Index i = 0; i < rows; ++i) weights.push_back(sign * multiple * inverse(p, i));
          candidates.push_back({Beyond(weights), std::move(weights)});
        }
      TakeDeepest(std::move(candidates));
    }
  }

  /// Of those that the shares exceed most, the one that they exceed most for its length.
  void TakeDeepest(std::vector<Candidate> candidates) {
    std::erase_if(candidates, [](const Candidate& candidate) { return candidate.beyond <= tuning::cuts::kLeastDepth; });
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.beyond > b.beyond; });
    Cut deepest;
    for (std::size_t at = 0; at < std::min(candidates.size(), tuning::cuts::kMostOfARow); ++at) {
      Cut cut = CutOf(candidates[at]);
      if (cut.depth > deepest.depth) deepest = std::move(cut);
    }
    if (deepest.depth > tuning::cuts::kLeastDepth) cuts_.push_back(std::move(deepest));
  }

  /// A weighed sum of rows, Σ α x ≤ β beside the base, rounded.
  class Rounded {
   public:
    Rounded(const Separator& of, const Weights& weights) : of_(of), weights_(weights) {
      double beta = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) beta += weights[i] * of.rest_[i];
      limit_ = std::floor(beta);
      fraction_ = beta - limit_;
      for (std::size_t i = 0; i < weights.size(); ++i)  // of rows of negative weight what they leave stays
        if (weights[i] < 0) limit_ -= weights[i] / (1 - fraction_) * of.rest_[i];
    }

    bool Counts() const {
      return fraction_ >= tuning::cuts::kLeastFraction && fraction_ <= 1 - tuning::cuts::kLeastFraction;
    }
    double Limit() const { return limit_; }
    double Fraction() const { return fraction_; }
    double Figure(Index column) const {
      double alpha = 0, left = 0;
      for (std::size_t i = 0; i < weights_.size(); ++i) {
        if (weights_[i] == 0) continue;
        const double change = weights_[i] * of_.Change(i, column);
        alpha += change;
        if (weights_[i] < 0) left -= change;
      }
      const double whole = std::floor(alpha);
      return whole + (std::max(0.0, alpha - whole - fraction_) + left) / (1 - fraction_);
    }

   private:
    const Separator& of_;
    const Weights& weights_;
    double limit_ = 0, fraction_ = 0;
  };

  /// By how much the shares exceed it.
  double Beyond(const Weights& weights) const {
    const Rounded rounded(*this, weights);
    if (!rounded.Counts()) return 0;
    double beyond = -rounded.Limit();
    for (const Share& share : others_) beyond += share.value * rounded.Figure(share.column);
    return beyond;
  }

  /// Of depth 0 where it is none.
  Cut CutOf(const Candidate& candidate) const {
    const Rounded rounded(*this, candidate.weights);
    Cut cut;
    double norm = 0;
    cut.row.resize(core_.columns());
    for (Index c = 0; c < core_.columns(); ++c) {
      if (c != base_[core_.group[c]]) cut.row[c] = rounded.Figure(c);
      norm += cut.row[c] * cut.row[c];
    }
    cut.limit = rounded.Limit() + RoundingOf(candidate.weights) / (1 - rounded.Fraction());
    if (Scale(cut)) cut.depth = candidate.beyond / std::sqrt(norm);
    return cut;
  }

  /// Of a sum over a plan that is within the rows.
  double RoundingOf(const Weights& weights) const {
    double magnitude = 1;
    for (std::size_t i = 0; i < weights.size(); ++i)
      magnitude += std::abs(weights[i]) * (2 * core_.limits[i] + 2 * std::abs(rest_[i]));
    const auto terms = static_cast<double>(core_.groups() + core_.settled_groups + core_.budgets() + 8);
    return 4 * terms * std::numeric_limits<double>::epsilon() * magnitude;
  }

  /// Figures from 0 on in each group. Returns whether any plan can keep the row.
  bool Scale(Cut& cut) const {
    double largest = 0;
    for (std::size_t g = 0; g < core_.groups(); ++g) {
      const auto begin = cut.row.begin() + core_.first[g], end = cut.row.begin() + core_.first[g + 1];
      const double least = *std::min_element(begin, end);
      for (auto at = begin; at != end; ++at) *at -= least;
      cut.limit -= least;
      largest = std::max(largest, *std::max_element(begin, end));
    }
    if (!(cut.limit > 0)) return false;
    const double scale = std::exp2(-std::ceil(std::log2(std::max(cut.limit, largest))));
    for (double& figure : cut.row) figure *= scale;
    cut.limit *= scale;
    return true;
  }

  const Core& core_;
  const Subproblem& part_;
  std::vector<Index> base_;    // column of each group
  std::vector<Share> others_;  // that are not of the base
  std::vector<double> rest_;   // of each row beside the base
  std::vector<Cut> cuts_;
};

double Cosine(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<Eigen::Index>(a.size());
  const Eigen::Map<const Eigen::VectorXd> x(a.data(), n), y(b.data(), n);
  return x.dot(y) / (x.norm() * y.norm());
}

}  // namespace

bool AddCuts(ReducedCore& part, double cutoff, Monitor& monitor) {
  const ReducedCore without = part;
  const double missed = cutoff - part.root.bound;
  if (part.core.goal != Goal::Loss || !std::isfinite(missed) || part.core.groups() == 0) return false;
  std::vector<Cut> cuts;
  double bound = part.root.bound;
  int idle = 0;
  for (int round = 0; round < tuning::cuts::kMostRounds && !monitor.Expired(); ++round) {
    std::vector<Cut> found = Separator(part.core, part.root).Cuts();
    std::size_t added = 0;
    for (Cut& cut : found) {
      if (added == tuning::cuts::kMostOfARound || cuts.size() >= tuning::cuts::kMostRows) break;
      const auto parallel = [&](const Cut& other) { return Cosine(cut.row, other.row) > tuning::cuts::kMostCosine; };
      if (std::any_of(cuts.end() - static_cast<std::ptrdiff_t>(added), cuts.end(), parallel)) continue;
      cuts.push_back(std::move(cut));
      ++added;
    }
    if (added == 0) break;
    part = without;
    for (const Cut& cut : cuts) part.AddRow(cut.row, cut.limit);
    part.root =
        Node(part.root.part, SolveRelaxation(part.core, part.root.part, part.root.relaxation.basis, cutoff, monitor),
             part.root.bound);
    if (part.root.bound >= cutoff) return true;
    idle = part.root.bound - bound < tuning::cuts::kLeastGain * missed ? idle + 1 : 0;
    bound = part.root.bound;
    std::size_t at = without.core.budgets();
    std::erase_if(cuts, [&](const Cut&) { return part.root.relaxation.multipliers[at++] == 0; });
    if (idle > (bound - without.root.bound < tuning::cuts::kLeastGain * missed ? 0 : tuning::cuts::kMostIdleRounds))
      break;
  }
  part = without;
  if (bound - without.root.bound < tuning::cuts::kLeastShare * missed) return false;
  for (const Cut& cut : cuts) part.AddRow(cut.row, cut.limit);
  part.root =
      Node(part.root.part, SolveRelaxation(part.core, part.root.part, part.root.relaxation.basis, cutoff, monitor),
           part.root.bound);
  return true;
}

}  // namespace bitplan::search
