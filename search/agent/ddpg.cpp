#include "ddpg.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "files/tensor_steps.h"
#include "statistics/draw_below.h"
#include "tuning.h"

namespace bitplan::agent {
namespace {

constexpr std::int64_t kStates = std::tuple_size_v<AgentState>;
constexpr std::int64_t kAction = kStates, kReward = kAction + 1, kNext = kReward + 1, kGoesOn = kNext + kStates,
                       kColumns = kGoesOn + 1;

std::vector<std::int64_t> Widths(std::int64_t inputs) { return {inputs, tuning::kHidden[0], tuning::kHidden[1], 1}; }

at::Tensor Policy(const Mlp& actor, const at::Tensor& states) { return actor.Forward(states).sigmoid(); }

at::Tensor Value(const Mlp& critic, const at::Tensor& states, const at::Tensor& actions) {
  return critic.Forward(at::cat({states, actions}, 1));
}

void Follow(const Mlp& target, const Mlp& source) {
  for (std::size_t i = 0; i < target.parameters().size(); ++i)
    at::Tensor(target.parameters()[i]).lerp_(source.parameters()[i].detach(), tuning::kTargetRate);
}

/// The tensors of all networks and the buffer, by name.
template <typename Visit>
void ForEachTensor(const std::vector<std::pair<const char*, const Mlp*>>& networks, const at::Tensor& replay,
                   const Visit& visit) {
  for (const auto& [name, network] : networks)
    for (std::size_t i = 0; i < network->parameters().size(); ++i)
      visit(std::string(name) + std::to_string(i), network->parameters()[i]);
  visit("replay", replay);
}

}  // namespace

Ddpg::Ddpg(std::int64_t capacity, std::uint64_t seed)
    : Ddpg(capacity, at::make_generator<at::CPUGeneratorImpl>(seed)) {}

Ddpg::Ddpg(std::int64_t capacity, at::Generator random)
    : actor_(Widths(kStates), random),
      critic_(Widths(kStates + 1), random),
      target_actor_(actor_.Frozen()),
      target_critic_(critic_.Frozen()),
      actor_optimizer_(actor_.parameters(), torch::optim::AdamOptions(tuning::kActorRate)),
      critic_optimizer_(critic_.parameters(), torch::optim::AdamOptions(tuning::kCriticRate)),
      replay_(at::zeros({capacity, kColumns}, at::kFloat)) {}

double Ddpg::Act(const AgentState& state) const {
  const at::NoGradGuard no_grad;
  return Policy(actor_, at::tensor(at::ArrayRef<float>(state)).unsqueeze(0)).item<double>();
}

void Ddpg::Remember(const Transition& transition) {
  float* const row = replay_.mutable_data_ptr<float>() + remembered_ % replay_.size(0) * kColumns;
  std::copy(transition.state.begin(), transition.state.end(), row);
  row[kAction] = static_cast<float>(transition.action);
  row[kReward] = static_cast<float>(transition.reward);
  std::copy(transition.next.begin(), transition.next.end(), row + kNext);
  row[kGoesOn] = transition.last ? 0 : 1;
  ++remembered_;
}

void Ddpg::Update(std::mt19937_64& random) {
  const at::AutoGradMode with_gradients(true);
  const auto known = static_cast<std::uint64_t>(std::min(remembered_, replay_.size(0)));
  std::vector<std::int64_t> drawn;
  for (std::int64_t i = 0; i < tuning::kBatch; ++i)
    drawn.push_back(static_cast<std::int64_t>(statistics::DrawBelow(known, random)));
  const at::Tensor batch = replay_.index_select(0, at::tensor(drawn));
  const at::Tensor states = batch.narrow(1, 0, kStates), next = batch.narrow(1, kNext, kStates);
  const at::Tensor rewards = batch.narrow(1, kReward, 1);
  const double mean = rewards.mean().item<double>();
  baseline_ = baseline_ ? *baseline_ + tuning::kBaselineRate * (mean - *baseline_) : mean;
  // The reward is the whole episode's at each of its steps, and so is the critic's value: both say the same of a step,
  // the one as it came, the other as it is expected to come by now.
  const at::Tensor expected = Value(target_critic_, next, Policy(target_actor_, next));
  const at::Tensor wanted =
      at::lerp(rewards - *baseline_, expected, tuning::kNextShare * batch.narrow(1, kGoesOn, 1)).detach();

  critic_optimizer_.zero_grad();
  (Value(critic_, states, batch.narrow(1, kAction, 1)) - wanted).square().mean().backward();
  critic_optimizer_.step();

  actor_optimizer_.zero_grad();
  const std::vector<at::Tensor>& of_actor = actor_.parameters();
  (-Value(critic_, states, Policy(actor_, states)).mean()).backward({}, std::nullopt, false, of_actor);
  actor_optimizer_.step();

  const at::NoGradGuard no_grad;
  Follow(target_actor_, actor_);
  Follow(target_critic_, critic_);
}

void Ddpg::Save(files::JournalSteps& steps) const {
  ForEachTensor(
      {{"actor", &actor_}, {"critic", &critic_}, {"target_actor", &target_actor_}, {"target_critic", &target_critic_}},
      replay_, [&](const std::string& name, const at::Tensor& tensor) { files::AddTensor(steps, name, tensor); });
  files::AddArchive(steps, "actor_optimizer", actor_optimizer_);
  files::AddArchive(steps, "critic_optimizer", critic_optimizer_);
  steps.Add<std::int64_t>("remembered", {remembered_});
  steps.Add("baseline", baseline_ ? std::vector<double>{*baseline_} : std::vector<double>());
}

void Ddpg::Load(const files::Journal& checkpoint) {
  const at::NoGradGuard no_grad;
  ForEachTensor(
      {{"actor", &actor_}, {"critic", &critic_}, {"target_actor", &target_actor_}, {"target_critic", &target_critic_}},
      replay_,
      [&](const std::string& name, at::Tensor tensor) { tensor.copy_(files::ReadTensor(checkpoint, name, tensor)); });
  files::ReadArchive(checkpoint, "actor_optimizer", actor_optimizer_);
  files::ReadArchive(checkpoint, "critic_optimizer", critic_optimizer_);
  remembered_ = checkpoint.Get<std::int64_t>("remembered", 1).front();
  const std::vector<double> baseline = checkpoint.Rows<double>("baseline", 1);
  baseline_ = baseline.empty() ? std::nullopt : std::optional(baseline.front());
}

}  // namespace bitplan::agent
