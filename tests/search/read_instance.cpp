#include "search/read_instance.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace bitplan::search_test {

Instance ReadInstance(const std::string& name) {
  std::ifstream file(BITPLAN_TEST_DIR "/search/instances/" + name + ".json");
  if (!file) throw std::runtime_error("no instance " + name);
  const auto json = nlohmann::json::parse(file);
  Instance instance;
  instance.problem.name = name;
  instance.problem.budgets = json.at("budgets").get<std::map<std::string, double>>();
  for (const auto& group : json.at("groups")) {
    auto& read = instance.problem.groups.emplace_back();
    read.name = group.at("name");
    read.members = group.at("members").get<std::vector<std::string>>();
    for (const auto& choice : group.at("choices"))
      read.choices.push_back(
          {choice.at("name"), choice.at("objective"), choice.at("costs").get<std::map<std::string, double>>()});
  }
  instance.optimum = json.contains("reference") ? json.at("reference").at("optimum").get<double>() : std::nan("");
  return instance;
}

std::vector<std::string> HawqInstances() {
  std::vector<std::string> names;
  for (const char* cost : {"bops", "latency_ms", "size_bytes"})
    for (const char* share : {"0.25", "0.5", "0.75"})
      names.push_back(std::string("hawq-v3-resnet18-") + cost + "-" + share);
  return names;
}

}  // namespace bitplan::search_test
