#include <memory>
#include <utility>

#include "bitplan/agent.h"

namespace bitplan {

namespace agent {
namespace {

class AgentSearch : public SearchAlgorithm {
 public:
  AgentSearch(AgentOptions options, CurveCallback curve) : options_(std::move(options)), curve_(std::move(curve)) {}

  std::string name() const override { return kAgentMethod; }
  SearchTraits traits() const override { return {.takes_joint_term = true, .needs_torch = true}; }

 private:
  Solution FindPlan(const Problem& problem, const SearchOptions& options) const override {
    AgentOptions own = options_;
    own.certificate = options.Limits();
    if (!own.progress) own.progress = options.progress;
    if (!own.stop) own.stop = options.stop;
    AgentResult result = SearchByAgent(problem, own);
    if (curve_) curve_(result.episodes);
    return std::move(result.solution);
  }

  const AgentOptions options_;
  const CurveCallback curve_;
};

}  // namespace
}  // namespace agent

void AddAgent(SearchRegistry& searches, const AgentOptions& options, const CurveCallback& curve) {
  options.Validate();
  searches.Add(std::make_shared<agent::AgentSearch>(options, curve));
}

}  // namespace bitplan
