#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bitplan/problem.h"
#include "bitplan/progress.h"
#include "bitplan/search.h"

namespace bitplan {

/// What a plan costs the loss when it is tried.
using PlanLoss = std::function<double(const std::vector<std::size_t>& choices)>;

struct AgentOptions {
  std::int64_t episodes = 600;  ///< plans that are tried, ≥ 1
  std::int64_t warm_up =
      20;  ///< with random actions, before the agent learns: the first so many; ≥ 1. All of them: random search
  std::uint64_t seed = 0;
  /// What is minimized in place of the problem's objective: the measured loss of a plan, ≥ 0. Empty: the objective, as
  /// predicted.
  PlanLoss measured_loss = {};
  /// What `measured_loss` measures and on what, as text of any form: an agent that learned from other losses is not
  /// gone on from. Of no account without it.
  std::string measured_by = {};
  SearchLimits certificate = {};  ///< of the search that proves a bound: by the ProvingMethod
  /// A file that keeps the agent between episodes. Found there, of the same problem, seed, warm-up and measured loss,
  /// it is gone on from, to the same result as without a break; more episodes than it has go on learning. Empty: none.
  std::filesystem::path checkpoint = {};
  ProgressCallback progress = {};   ///< after every episode; may throw, which ends all
  std::function<bool()> stop = {};  ///< asked before every episode: true ends the search with the best plan so far

  void Validate() const;  ///< throws Error
};

/// One plan that the agent tried.
struct AgentEpisode {
  double loss = 0;   ///< predicted, or measured
  double best = 0;   ///< the least loss so far
  double noise = 0;  ///< standard deviation of the exploration's noise; 0 where actions were random
};

struct AgentResult {
  /// The best plan, its predicted objective, and the bound that the exact search of the same problem proves: so `gap`
  /// is how far from the optimum it may be. Infeasible as Search says; unknown when it was stopped before the first
  /// episode.
  Solution solution;
  std::vector<AgentEpisode> episodes;  ///< the learning curve, from the first episode on
};

/// Reinforcement learning as in HAQ (Wang et al., CVPR 2019, arXiv 1811.08886): an actor and a critic, trained by deep
/// deterministic policy gradients (Lillicrap et al., arXiv 1509.02971), walk through the groups. At every step a state
/// of ten numbers becomes an action in [0, 1], which becomes a width: of a group whose choices are named as by
/// MakeProblem first the weights', then the activations', of others the choice in the order of costs. A choice that
/// would leave no plan within the budgets and rules is replaced by the nearest that leaves one. Noise is normal,
/// truncated to [0, 1], and decays once the warm-up is over.
///
/// The ten numbers are HAQ's where all groups have a shape, as MakeProblem gives them. In other problems the place in
/// the network, the kind of the tensor and the previous action are as there, and the layer's shape gives way to what
/// the problem knows of the group: how the loss and the costs depend on its choices, how much of the budgets is left,
/// how much is still ahead.
///
/// The reward is −log of the loss above the least there could be, in units of the first plan's.
///
/// Equal problems, options and numbers of threads give equal plans and curves. Throws Error when the problem or the
/// options are malformed, as Search does, when a measured loss is not finite or negative, and when the checkpoint is of
/// another search, is none, or cannot be written.
AgentResult SearchByAgent(const Problem& problem, const AgentOptions& options);

/// The name of SearchByAgent as a method.
inline constexpr const char* kAgentMethod = "agent";

/// Takes the learning curve of a search that is done.
using CurveCallback = std::function<void(const std::vector<AgentEpisode>& episodes)>;

/// Makes `searches` know the method agent: SearchByAgent with `options`, the certificate by the options of the search,
/// whose progress and stop count where `options` have none. `curve`, unless empty, is called after every search. Throws
/// Error when the options are malformed, or `searches` know the method already.
void AddAgent(SearchRegistry& searches, const AgentOptions& options = {}, const CurveCallback& curve = {});

/// A row an episode: loss, best so far, noise.
std::string ToCsv(const std::vector<AgentEpisode>& episodes);

/// Loss of every episode and the best so far, on a logarithmic axis where all losses are above 0. Throws Error without
/// episodes.
std::string ToSvg(const std::vector<AgentEpisode>& episodes);

}  // namespace bitplan
