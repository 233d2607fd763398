#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "joint/logit_objective.h"

namespace bitplan {
namespace {

constexpr int kScale = 10;  // the largest objective and every budget come to about 2¹⁰

/// A power of two that brings `largest` to about 2^kScale.
double ScaleFor(double largest) { return largest > 0 ? std::ldexp(1.0, kScale - std::ilogb(largest)) : 1.0; }

/// Texts in comments stay on their line.
std::string OnOneLine(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return text;
}

std::string Variable(std::size_t group, std::size_t choice) { return fmt::format("x{}_{}", group, choice); }

/// A sum, a term a line: lines of the format must not be long.
class Sum {
 public:
  void Add(double factor, const std::string& variables) {
    if (factor != 0) text_ += fmt::format("  {} {:.17g} {}\n", factor < 0 ? '-' : '+', std::abs(factor), variables);
  }
  /// An empty one is not a sum to all readers.
  std::string Text() const { return text_.empty() ? "  0 x0_0\n" : text_; }

 private:
  std::string text_;
};

double Charge(const Problem& problem, const Choice& choice) {
  double charge = choice.objective;
  for (const auto& [cost, price] : problem.prices) charge += price * choice.costs.at(cost);
  return charge;
}

/// Q of the joint term; empty without one.
std::vector<double> MatrixOf(const Problem& problem) {
  if (!problem.joint) return {};
  if (const auto* quadratic = std::get_if<QuadraticTerm>(&*problem.joint)) return quadratic->matrix;
  const auto& logit = std::get<LogitTerm>(*problem.joint);
  if (logit.loss == LogitLoss::Divergence)
    throw Error("the problem charges a divergence, which is neither linear nor quadratic: the LP format cannot say it");
  return search::QuadraticOf(logit).matrix;
}

std::vector<std::string> Variables(const Problem& problem) {
  std::vector<std::string> names;
  for (std::size_t g = 0; g < problem.groups.size(); ++g)
    for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c) names.push_back(Variable(g, c));
  return names;
}

std::string Objective(const Problem& problem, const std::vector<double>& matrix, double scale) {
  Sum linear;
  for (std::size_t g = 0; g < problem.groups.size(); ++g)
    for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c)
      linear.Add(scale * Charge(problem, problem.groups[g].choices[c]), Variable(g, c));
  std::string text = " obj:\n" + linear.Text();
  if (matrix.empty()) return text;
  const std::vector<std::string> names = Variables(problem);
  Sum pairs;
  for (std::size_t i = 0; i < names.size(); ++i) {
    pairs.Add(scale * matrix[i * names.size() + i], names[i] + " ^ 2");
    for (std::size_t j = 0; j < i; ++j)
      pairs.Add(scale * (matrix[i * names.size() + j] + matrix[j * names.size() + i]), names[i] + " * " + names[j]);
  }
  return text + "  + [\n" + pairs.Text() + "  ] / 2\n";
}

std::string OneChoiceEach(const Problem& problem) {
  std::string text;
  for (std::size_t g = 0; g < problem.groups.size(); ++g) {
    Sum sum;
    for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c) sum.Add(1, Variable(g, c));
    text += fmt::format(" group{}:\n{}  = 1\n", g, sum.Text());
  }
  return text;
}

std::string Budgets(const Problem& problem) {
  std::string text;
  std::size_t number = 0;
  for (const auto& [cost, limit] : problem.budgets) {
    const double scale = ScaleFor(limit);
    Sum sum;
    for (std::size_t g = 0; g < problem.groups.size(); ++g)
      for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c)
        sum.Add(scale * problem.groups[g].choices[c].costs.at(cost), Variable(g, c));
    text +=
        fmt::format("\\ budget {}\n budget{}:\n{}  <= {:.17g}\n", OnOneLine(cost), number++, sum.Text(), scale * limit);
  }
  return text;
}

/// One share for each row of a rule; a group takes a choice to the extent that rows with it are taken.
std::string Rules(const Problem& problem) {
  std::string text;
  for (std::size_t r = 0; r < problem.rules.size(); ++r) {
    const Rule& rule = problem.rules[r];
    for (std::size_t m = 0; m < rule.groups.size(); ++m) {
      const auto group = std::find_if(problem.groups.begin(), problem.groups.end(),
                                      [&](const Group& each) { return each.name == rule.groups[m]; });
      const auto g = static_cast<std::size_t>(group - problem.groups.begin());
      for (std::size_t c = 0; c < group->choices.size(); ++c) {
        Sum sum;
        sum.Add(1, Variable(g, c));
        for (std::size_t row = 0; row < rule.allowed.size(); ++row)
          if (rule.allowed[row][m] == group->choices[c].name) sum.Add(-1, fmt::format("row{}_{}", r, row));
        text += fmt::format(" rule{}_{}_{}:\n{}  = 0\n", r, m, c, sum.Text());
      }
    }
  }
  return text;
}

}  // namespace

std::string ToLp(const Problem& problem) {
  problem.Validate();
  const std::vector<double> matrix = MatrixOf(problem);
  double largest = 0;
  for (const auto& group : problem.groups)
    for (const auto& choice : group.choices) largest = std::max(largest, std::abs(Charge(problem, choice)));
  for (const double value : matrix) largest = std::max(largest, std::abs(value));
  const double scale = ScaleFor(largest);
  std::string text = fmt::format("\\ {}\n\\ the objective is multiplied by {:.17g}\n", OnOneLine(problem.name), scale);
  for (std::size_t g = 0; g < problem.groups.size(); ++g)
    for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c)
      text += fmt::format("\\ {}: {}, {}\n", Variable(g, c), OnOneLine(problem.groups[g].name),
                          OnOneLine(problem.groups[g].choices[c].name));
  text += "minimize\n" + Objective(problem, matrix, scale) + "subject to\n" + OneChoiceEach(problem) +
          Budgets(problem) + Rules(problem) + "binary\n";
  for (const std::string& name : Variables(problem)) text += "  " + name + "\n";
  return text + "end\n";
}

}  // namespace bitplan
