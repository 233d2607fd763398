#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "methods.h"
#include "text/shortened.h"

namespace bitplan {
namespace {

std::vector<std::string_view> NamesOf(const std::vector<std::shared_ptr<const SearchAlgorithm>>& algorithms) {
  std::vector<std::string_view> names;
  for (const auto& algorithm : algorithms) names.push_back(ToString(algorithm->method()));
  return names;
}

}  // namespace

Solution SearchAlgorithm::Solve(const Problem& problem, const SearchOptions& options) const {
  options.Validate();
  problem.Validate();
  if (problem.joint && !traits().takes_joint_term)
    throw Error(fmt::format("method {} leaves the joint term out; a problem that has one takes method {}",
                            ToString(method()), ToString(ProvingMethod(true))));
  return FindPlan(problem, options);
}

SearchRegistry::SearchRegistry() : algorithms_(search::OwnMethods()) {}

void SearchRegistry::Add(std::shared_ptr<const SearchAlgorithm> algorithm) {
  if (Has(algorithm->method()))
    throw Error(fmt::format("search method {} is registered twice", ToString(algorithm->method())));
  algorithms_.push_back(std::move(algorithm));
}

bool SearchRegistry::Has(SearchMethod method) const {
  return std::any_of(algorithms_.begin(), algorithms_.end(),
                     [&](const auto& algorithm) { return algorithm->method() == method; });
}

const SearchAlgorithm& SearchRegistry::Get(SearchMethod method) const {
  for (const auto& algorithm : algorithms_)
    if (algorithm->method() == method) return *algorithm;
  throw Error(
      fmt::format("search method {} is not one of those here: {}; other rooms bring theirs (agent: "
                  "SearchByAgent, or AddAgent to a registry)",
                  ToString(method), text::Shortened(Names())));
}

SearchMethod SearchRegistry::Parse(std::string_view name) const {
  for (const auto& algorithm : algorithms_)
    if (ToString(algorithm->method()) == name) return algorithm->method();
  throw Error(fmt::format("unknown search method '{}', must be one of: {}", name, text::Shortened(Names())));
}

std::vector<SearchMethod> SearchRegistry::Methods() const {
  std::vector<SearchMethod> methods;
  for (const auto& algorithm : algorithms_) methods.push_back(algorithm->method());
  return methods;
}

std::vector<std::string_view> SearchRegistry::Names() const { return NamesOf(algorithms_); }

std::vector<std::string_view> SearchRegistry::NamesForJointTerms() const {
  std::vector<std::shared_ptr<const SearchAlgorithm>> taking;
  std::copy_if(algorithms_.begin(), algorithms_.end(), std::back_inserter(taking),
               [](const auto& algorithm) { return algorithm->traits().takes_joint_term; });
  return NamesOf(taking);
}

Solution SearchRegistry::Solve(const Problem& problem, const SearchOptions& options) const {
  return Get(options.method).Solve(problem, options);
}

SearchMethod ProvingMethod(bool joint) {
  for (const auto& algorithm : search::OwnMethods())
    if (const SearchTraits traits = algorithm->traits(); traits.proves_optimum && (traits.takes_joint_term || !joint))
      return algorithm->method();
  throw std::logic_error("no method of Search proves an optimum");
}

SearchMethod StandIn(SearchMethod method, bool joint) {
  return SearchRegistry().Has(method) ? method : ProvingMethod(joint);
}

}  // namespace bitplan
