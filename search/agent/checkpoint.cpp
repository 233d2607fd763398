#include "checkpoint.h"

#include <fmt/format.h>

#include <sstream>
#include <string>
#include <utility>
#include <variant>

#include "agent/options_fields.h"
#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "files/sha256.h"

namespace bitplan::agent {
namespace {

template <typename Number>
void AddNumbers(files::Sha256& sha256, const std::vector<Number>& numbers) {
  sha256.Add(numbers.data(), numbers.size() * sizeof(Number));
}

void AddTerm(files::Sha256& sha256, const QuadraticTerm& term) {
  const auto& [matrix] = term;
  AddNumbers(sha256, matrix);
}

void AddTerm(files::Sha256& sha256, const LogitTerm& term) {
  const auto& [loss, temperature, scale, samples, classes, logits, shifts] = term;
  sha256.Add(fmt::format("{} {} {} {} {}", static_cast<int>(loss), temperature, scale, samples, classes));
  AddNumbers(sha256, logits);
  AddNumbers(sha256, shifts);
}

/// Of all that a problem says: its JSON, but for the joint term's large arrays, which are added as they are.
std::string DigestOf(const Problem& problem) {
  const auto& [name, objective, groups, budgets, prices, rules, joint] = problem;
  files::Sha256 sha256;
  sha256.Add(ToJson(Problem{name, objective, groups, budgets, prices, rules, {}}));
  if (joint) std::visit([&](const auto& term) { AddTerm(sha256, term); }, *joint);
  return sha256.Hex();
}

std::vector<double> TableOf(const std::vector<AgentEpisode>& episodes) {
  std::vector<double> numbers;
  for (const AgentEpisode& episode : episodes)
    numbers.insert(numbers.end(), {episode.loss, episode.best, episode.noise});
  return numbers;
}

std::vector<char> RandomText(const std::mt19937_64& random) {
  std::ostringstream text;
  text << random;
  const std::string state = text.str();
  return {state.begin(), state.end()};
}

}  // namespace

files::JournalSubject SubjectOf(const Problem& problem, const AgentOptions& options) {
  // More episodes go on; a certificate is made anew each time.
  files::Json subject = files::OptionsJson(options, {"checkpoint", "progress", "stop", "episodes", "certificate"});
  subject["problem"] = DigestOf(problem);
  return {"a learning agent", subject.dump(-1, ' ', false, files::Json::error_handler_t::replace)};
}

void ReadCheckpoint(const files::Journal& checkpoint, const AgentOptions& options, Training& training) {
  if (checkpoint.empty()) return;
  training.agent.Load(checkpoint);
  const std::vector<char> random = checkpoint.Rows<char>("random", 1);
  if (!(std::istringstream(std::string(random.begin(), random.end())) >> training.random))
    checkpoint.RefuseDamaged("random");
  const std::vector<double> table = checkpoint.Rows<double>("episodes", 3);
  for (const double* at = table.data(); at < table.data() + table.size(); at += 3)
    training.episodes.push_back({at[0], at[1], at[2]});
  for (const std::int64_t choice : checkpoint.Rows<std::int64_t>("best", 1))
    training.best.push_back(static_cast<std::size_t>(choice));
  if (std::ssize(training.episodes) > options.episodes)
    throw Error(fmt::format("{}: has {} episodes already; ask for at least as many, not {}",
                            options.checkpoint.string(), training.episodes.size(), options.episodes));
}

files::JournalSteps StepsOf(const Training& training) {
  files::JournalSteps steps;
  training.agent.Save(steps);
  steps.Add("random", RandomText(training.random));
  steps.Add("episodes", TableOf(training.episodes));
  steps.Add("best", std::vector<std::int64_t>(training.best.begin(), training.best.end()));
  return steps;
}

}  // namespace bitplan::agent
