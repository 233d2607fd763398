#include "search/agent/checkpoint.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "data/decode/checkpoint_archive.h"

namespace bitplan::search {
namespace {

/// FNV-1a, 64 bits, of all that a problem says.
class Digest {
 public:
  void Add(std::string_view text) {
    for (const char byte : text) hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  void Add(double number) { Add(std::string_view(reinterpret_cast<const char*>(&number), sizeof number)); }
  template <typename Number>
  void Add(const std::vector<Number>& numbers) {
    for (const Number number : numbers) Add(static_cast<double>(number));
  }
  void Add(const std::map<std::string, double>& numbers) {
    for (const auto& [name, number] : numbers) {
      Add(name);
      Add(number);
    }
  }
  void Add(const QuadraticTerm& term) { Add(term.matrix); }
  void Add(const LogitTerm& term) {
    Add(std::vector{static_cast<double>(term.loss), term.temperature, term.scale, static_cast<double>(term.samples)});
    Add(term.logits);
    Add(term.shifts);
  }
  std::string Text() const { return fmt::format("{:016x}", hash_); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

std::string DigestOf(const Problem& problem) {
  Digest digest;
  for (const Group& group : problem.groups) {
    digest.Add(group.name);
    if (const auto& shape = group.shape)
      digest.Add(std::vector{shape->input_channels, shape->output_channels, shape->kernel_size, shape->stride,
                             shape->feature_size, shape->parameters, std::int64_t{shape->depthwise}});
    for (const Choice& choice : group.choices) {
      digest.Add(choice.name);
      digest.Add(choice.objective);
      digest.Add(choice.costs);
    }
  }
  digest.Add(problem.budgets);
  digest.Add(problem.prices);
  for (const Rule& rule : problem.rules) {
    for (const std::string& group : rule.groups) digest.Add(group);
    for (const auto& row : rule.allowed)
      for (const std::string& choice : row) digest.Add(choice);
  }
  if (problem.joint) std::visit([&](const auto& term) { digest.Add(term); }, *problem.joint);
  return digest.Text();
}

/// What must be the same for an agent to go on.
std::vector<std::pair<std::string, std::string>> SubjectOf(const Problem& problem, const AgentOptions& options) {
  return {{"problem", DigestOf(problem)},
          {"seed", std::to_string(options.seed)},
          {"warm-up", std::to_string(options.warm_up)},
          {"reward", options.measured_loss ? "measured" : "predicted"}};
}

at::Tensor TableOf(const std::vector<AgentEpisode>& episodes) {
  at::Tensor table = at::empty({static_cast<std::int64_t>(episodes.size()), 3}, at::kDouble);
  auto* at = table.mutable_data_ptr<double>();
  for (const AgentEpisode& episode : episodes)
    for (const double number : {episode.loss, episode.best, episode.noise}) *at++ = number;
  return table;
}

std::string RandomText(const std::mt19937_64& random) {
  std::ostringstream text;
  text << random;
  return text.str();
}

std::string ReadText(torch::serialize::InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  return value.toStringRef();
}

void Read(torch::serialize::InputArchive& archive, Training& training) {
  training.agent.Load(archive);
  std::istringstream(ReadText(archive, "random")) >> training.random;
  at::Tensor episodes, best;
  archive.read("episodes", episodes);
  archive.read("best", best);
  const auto* at = episodes.const_data_ptr<double>();
  for (std::int64_t i = 0; i < episodes.size(0); ++i, at += 3) training.episodes.push_back({at[0], at[1], at[2]});
  for (std::int64_t i = 0; i < best.numel(); ++i)
    training.best.push_back(static_cast<std::size_t>(best.const_data_ptr<std::int64_t>()[i]));
}

}  // namespace

void ReadCheckpoint(const Problem& problem, const AgentOptions& options, Training& training) {
  const std::string file = options.checkpoint.string();
  std::error_code ignored;
  if (file.empty() || !std::filesystem::exists(file, ignored)) return;
  const auto refuse = [&](const std::string& why) { return Error(fmt::format("{}: {}", file, why)); };
  decode::RequireWholeCheckpoint(options.checkpoint, "a learning agent");
  torch::serialize::InputArchive archive;
  std::vector<std::pair<std::string, std::string>> subject;
  try {
    archive.load_from(file);
    for (const auto& [name, value] : SubjectOf(problem, options)) subject.emplace_back(name, ReadText(archive, name));
  } catch (const std::exception&) {
    throw refuse("is no checkpoint of a learning agent; remove it or name another file");
  }
  for (const auto& [name, value] : SubjectOf(problem, options))
    for (const auto& [there, other] : subject)
      if (there == name && other != value)
        throw refuse(fmt::format("was begun with another {}: {} there, {} here; remove the file to start anew", name,
                                 other, value));
  try {
    Read(archive, training);
  } catch (const std::exception&) {
    throw refuse("is damaged; remove it to start anew");
  }
  if (std::ssize(training.episodes) > options.episodes)
    throw refuse(fmt::format("has {} episodes already; ask for at least as many, not {}", training.episodes.size(),
                             options.episodes));
}

void WriteCheckpoint(const Problem& problem, const AgentOptions& options, const Training& training) {
  if (options.checkpoint.empty()) return;
  torch::serialize::OutputArchive archive;
  for (const auto& [name, value] : SubjectOf(problem, options)) archive.write(name, c10::IValue(value));
  training.agent.Save(archive);
  archive.write("random", c10::IValue(RandomText(training.random)));
  archive.write("episodes", TableOf(training.episodes));
  at::Tensor best = at::empty({std::ssize(training.best)}, at::kLong);
  for (std::size_t i = 0; i < training.best.size(); ++i)
    best.mutable_data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(training.best[i]);
  archive.write("best", best);
  std::ostringstream bytes;
  archive.save_to(bytes);
  WriteFile(options.checkpoint, bytes.str());
}

}  // namespace bitplan::search
