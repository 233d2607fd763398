#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "joint_json.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"
#include "shape_json.h"

namespace bitplan {

namespace {

constexpr const char* kProblemSchema = "bitplan.problem/1";

Choice ReadChoice(plan::JsonReader& reader) {
  Choice choice{reader.String("name"), reader.Number("objective"), reader.NumberMap("costs")};
  if (reader.Has("standard_error")) choice.standard_error = reader.Number("standard_error", 0);
  reader.Finish();
  return choice;
}

Group ReadGroup(plan::JsonReader& reader) {
  Group group;
  group.name = reader.String("name");
  group.members = reader.Strings("members");
  if (reader.Has("shape")) group.shape = plan::ReadShape(reader.Object("shape"));
  for (plan::JsonReader& choice : reader.Objects("choices")) group.choices.push_back(ReadChoice(choice));
  reader.Finish();
  return group;
}

Rule ReadRule(plan::JsonReader& reader) {
  Rule rule{reader.Strings("groups"), reader.StringLists("allowed")};
  reader.Finish();
  return rule;
}

plan::Json ChoiceJson(const Choice& choice) {
  plan::Json json{{"name", choice.name}, {"objective", choice.objective}, {"costs", choice.costs}};
  if (choice.standard_error > 0) json["standard_error"] = choice.standard_error;
  return json;
}

plan::Json ProblemJson(const Problem& problem) {
  plan::Json json{{"schema", kProblemSchema},
                  {"name", problem.name},
                  {"objective", problem.objective},
                  {"groups", plan::Json::array()}};
  for (const Group& group : problem.groups) {
    plan::Json choices = plan::Json::array();
    for (const Choice& choice : group.choices) choices.push_back(ChoiceJson(choice));
    plan::Json& added = json["groups"].emplace_back(plan::Json{{"name", group.name}, {"members", group.members}});
    if (group.shape) added["shape"] = plan::ShapeJson(*group.shape);
    added["choices"] = std::move(choices);
  }
  json["budgets"] = problem.budgets;
  if (!problem.prices.empty()) json["prices"] = problem.prices;
  for (const Rule& rule : problem.rules) json["rules"].push_back({{"groups", rule.groups}, {"allowed", rule.allowed}});
  return json;
}

}  // namespace

std::string ToJson(const Problem& problem) {
  plan::Json json = ProblemJson(problem);
  if (problem.joint) json["joint"] = plan::JointTermJson(*problem.joint);
  return plan::JsonText(json);
}

void WriteProblem(const std::filesystem::path& file, const Problem& problem) {
  plan::Json json = ProblemJson(problem);
  if (problem.joint)
    json["joint"] = plan::WriteJointTerm(*problem.joint, std::filesystem::path(file).replace_extension());
  WriteFile(file, plan::JsonText(json));
}

Problem ReadProblem(const std::filesystem::path& file) {
  plan::JsonReader reader = plan::JsonReader::Open(file, kProblemSchema);
  Problem problem;
  problem.name = reader.String("name");
  problem.objective = reader.String("objective");
  for (plan::JsonReader& group : reader.Objects("groups")) problem.groups.push_back(ReadGroup(group));
  problem.budgets = reader.NumberMap("budgets");
  if (reader.Has("prices")) problem.prices = reader.NumberMap("prices");
  if (reader.Has("rules"))
    for (plan::JsonReader& rule : reader.Objects("rules")) problem.rules.push_back(ReadRule(rule));
  if (reader.Has("joint")) {
    plan::JsonReader joint = reader.Object("joint");
    problem.joint = plan::ReadJointTerm(joint, file.parent_path());
  }
  reader.Ignore("reference");
  reader.Finish();
  try {
    problem.Validate();
  } catch (const Error& error) {
    throw Error(file.string() + ": " + error.what());
  }
  return problem;
}

}  // namespace bitplan
