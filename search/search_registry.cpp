#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "methods.h"
#include "text/shortened.h"

namespace bitplan {
namespace {

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Solution SearchAlgorithm::Solve(const Problem& problem, const SearchOptions& options) const {
  options.Validate();
  problem.Validate();
  if (problem.joint && !traits().takes_joint_term)
    throw Error(fmt::format("method {} leaves the joint term out; a problem that has one takes method {}", name(),
                            ProvingMethod(true)));
  Solution solution = FindPlan(problem, options);
  solution.method = name();
  return solution;
}

SearchRegistry::SearchRegistry() : algorithms_(search::OwnMethods()) {}

void SearchRegistry::Add(std::shared_ptr<const SearchAlgorithm> algorithm) {
  const std::string name = algorithm->name();
  if (!IsName(name))
    throw Error(fmt::format("search method '{}': names are of small letters, digits and '-', and not empty", name));
  if (Has(name)) throw Error(fmt::format("search method {} is registered twice", name));
  algorithms_.push_back(std::move(algorithm));
}

bool SearchRegistry::Has(std::string_view method) const {
  return std::any_of(algorithms_.begin(), algorithms_.end(),
                     [&](const auto& algorithm) { return algorithm->name() == method; });
}

const SearchAlgorithm& SearchRegistry::Get(std::string_view method) const {
  for (const auto& algorithm : algorithms_)
    if (algorithm->name() == method) return *algorithm;
  throw Error(
      fmt::format("unknown search method '{}', must be one of: {}; other rooms bring theirs (agent: SearchByAgent, or "
                  "AddAgent to a registry)",
                  method, text::Shortened(Names())));
}

std::vector<std::string> SearchRegistry::Names() const {
  std::vector<std::string> names;
  for (const auto& algorithm : algorithms_) names.push_back(algorithm->name());
  return names;
}

std::vector<std::string> SearchRegistry::NamesForJointTerms() const {
  std::vector<std::string> names;
  for (const auto& algorithm : algorithms_)
    if (algorithm->traits().takes_joint_term) names.push_back(algorithm->name());
  return names;
}

Solution SearchRegistry::Solve(const Problem& problem, const SearchOptions& options) const {
  return Get(options.method).Solve(problem, options);
}

std::string ProvingMethod(bool joint) {
  for (const auto& algorithm : search::OwnMethods())
    if (const SearchTraits traits = algorithm->traits(); traits.proves_optimum && (traits.takes_joint_term || !joint))
      return algorithm->name();
  throw std::logic_error("no method of Search proves an optimum");
}

std::string StandIn(const std::string& method, bool joint) {
  return SearchRegistry().Has(method) ? method : ProvingMethod(joint);
}

}  // namespace bitplan
