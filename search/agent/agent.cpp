#include "bitplan/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <map>
#include <numbers>
#include <utility>

#include "bitplan/error.h"
#include "checkpoint.h"
#include "ddpg.h"
#include "plan_space.h"
#include "plan_walk.h"
#include "search/outcome.h"
#include "statistics/draw_uniform.h"
#include "tuning.h"

namespace bitplan {
namespace agent {
namespace {

using statistics::DrawUniform;

/// Normal, by Box and Muller.
double DrawNormal(std::mt19937_64& random) {
  const double radius = std::sqrt(-2 * std::log(DrawUniform(random)));
  return radius * std::cos(2 * std::numbers::pi * DrawUniform(random));
}

/// Normal around `mean` of [0, 1], drawn again until it is in [0, 1].
double DrawAction(double mean, double deviation, std::mt19937_64& random) {
  double action = -1;
  while (!(action >= 0 && action <= 1)) action = mean + deviation * DrawNormal(random);
  return action;
}

/// Tries plans and learns from them.
class Learner {
 public:
  Learner(const Problem& problem, const AgentOptions& options, const agent::PlanSpace& space,
          std::vector<std::size_t> plan)
      : problem_(problem),
        options_(options),
        space_(space),
        states_(space),
        plan_(std::move(plan)),
        training_{Ddpg(agent::tuning::kRemembered * Steps(space), options.seed), std::mt19937_64(options.seed)} {
    if (options.checkpoint.empty()) return;
    checkpoint_ = files::Journal(options.checkpoint, SubjectOf(problem, options));
    ReadCheckpoint(checkpoint_, options_, training_);
  }

  /// Until all episodes are done or it is asked to stop.
  const agent::Training& Learn() {
    const auto done = [&] { return std::ssize(training_.episodes); };
    while (done() < options_.episodes && !(options_.stop && options_.stop())) {
      RunEpisode();
      if (done() % agent::tuning::kEpisodesKept == 0) Keep();
      Report(options_.progress, "agent", done(), options_.episodes);
    }
    Keep();
    return training_;
  }

 private:
  static std::int64_t Steps(const agent::PlanSpace& space) {
    std::size_t steps = 0;
    for (const agent::SpaceGroup& group : space.groups()) steps += group.coordinates.size();
    return static_cast<std::int64_t>(std::max<std::size_t>(steps, 1));
  }

  void Keep() {
    if (!options_.checkpoint.empty()) checkpoint_.Replace(StepsOf(training_));
  }

  void RunEpisode() {
    const std::int64_t number = std::ssize(training_.episodes);
    const bool random = number < options_.warm_up;
    const double noise = random ? 0
                                : agent::tuning::kFirstNoise * std::pow(agent::tuning::kNoiseDecay,
                                                                        static_cast<double>(number - options_.warm_up));
    agent::PlanWalk walk(space_, states_, plan_);
    std::vector<agent::Transition> steps;
    while (!walk.Done()) {
      agent::Transition& step = steps.emplace_back();
      step.state = walk.State();
      const double action =
          random ? DrawUniform(training_.random) : DrawAction(training_.agent.Act(step.state), noise, training_.random);
      step.action = walk.Take(action);
      step.last = walk.Done();
      if (!step.last) step.next = walk.State();
    }
    const std::vector<std::size_t> choices = walk.Choices();
    const double loss = LossOf(choices);
    const double best = training_.episodes.empty() ? loss : std::min(loss, training_.episodes.back().best);
    if (training_.episodes.empty() || loss < training_.episodes.back().best) training_.best = choices;
    training_.episodes.push_back({loss, best, noise});
    for (agent::Transition& step : steps) {
      step.reward = RewardOf(loss);
      training_.agent.Remember(step);
      if (!random) training_.agent.Update(training_.random);
    }
  }

  double LossOf(const std::vector<std::size_t>& choices) {
    if (!options_.measured_loss) return ObjectiveOf(problem_, choices);
    const auto [known, inserted] = measured_.try_emplace(choices, 0.0);
    if (inserted) known->second = options_.measured_loss(choices);
    if (!std::isfinite(known->second) || known->second < 0)
      throw Error(
          fmt::format("the measured loss of a plan is {}, must be a finite number of at least 0", known->second));
    return known->second;
  }

  double RewardOf(double loss) const {
    const double least = options_.measured_loss ? 0 : space_.LeastObjective(),
                 unit = training_.episodes.front().loss - least;
    return unit > 0 ? -std::log(agent::tuning::kLeastShare + std::max(loss - least, 0.0) / unit) : 0;
  }

  const Problem& problem_;
  const AgentOptions& options_;
  const agent::PlanSpace& space_;
  const agent::StepStates states_;
  const std::vector<std::size_t> plan_;  // some plan within the budgets
  Training training_;
  files::Journal checkpoint_;
  std::map<std::vector<std::size_t>, double> measured_;
};

/// What an exact search proves: a bound, or that there is no plan.
Solution Prove(const Problem& problem, const AgentOptions& options) {
  const auto& [gap, time_limit_seconds, progress, stop] = options.certificate;
  return Search(problem, {ProvingMethod(problem.joint.has_value()), gap, time_limit_seconds, progress, stop});
}

}  // namespace
}  // namespace agent

void AgentOptions::Validate() const {
  if (episodes < 1) throw Error(fmt::format("episodes is {}, must be at least 1", episodes));
  if (warm_up < 1) throw Error(fmt::format("warm_up is {}, must be at least 1: an agent learns from plans", warm_up));
  certificate.Validate();
}

AgentResult SearchByAgent(const Problem& problem, const AgentOptions& options) {
  options.Validate();
  problem.Validate();
  const auto begun = std::chrono::steady_clock::now();
  AgentResult result{agent::Prove(problem, options), {}};
  Solution& solution = result.solution;
  solution.method = kAgentMethod;
  if (solution.status == SolutionStatus::Infeasible) return result;
  const agent::PlanSpace space(problem, options.stop);
  const auto plan = space.Complete(0, std::vector<double>(space.budgets()), true);
  std::vector<std::size_t> best;
  if (plan) {
    agent::Learner learner(problem, options, space, *plan);
    const agent::Training& training = learner.Learn();
    result.episodes = training.episodes;
    best = training.best;
  }
  if (best.empty()) {
    solution = search::Unknown(solution.bound, solution.nodes);
  } else {
    const double objective = ObjectiveOf(problem, best);
    solution = search::Describe(
        problem, {std::move(best), objective, solution.bound, solution.nodes, false, solution.shadow_prices}, 0);
  }
  solution.method = kAgentMethod;
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return result;
}

}  // namespace bitplan
