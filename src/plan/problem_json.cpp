#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "plan/joint_json.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"
#include "plan/shape_json.h"

namespace bitplan {

namespace {

constexpr const char* kSchema = "bitplan.problem/1";

Choice ReadChoice(JsonReader& reader) {
  Choice choice{reader.String("name"), reader.Number("objective"), reader.NumberMap("costs")};
  if (reader.Has("standard_error")) choice.standard_error = reader.Number("standard_error", 0);
  reader.Finish();
  return choice;
}

Group ReadGroup(JsonReader& reader) {
  Group group;
  group.name = reader.String("name");
  group.members = reader.Strings("members");
  if (reader.Has("shape")) group.shape = ReadShape(reader.Object("shape"));
  for (JsonReader& choice : reader.Objects("choices")) group.choices.push_back(ReadChoice(choice));
  reader.Finish();
  return group;
}

Rule ReadRule(JsonReader& reader) {
  Rule rule{reader.Strings("groups"), reader.StringLists("allowed")};
  reader.Finish();
  return rule;
}

Json ChoiceJson(const Choice& choice) {
  Json json{{"name", choice.name}, {"objective", choice.objective}, {"costs", choice.costs}};
  if (choice.standard_error > 0) json["standard_error"] = choice.standard_error;
  return json;
}

Json ProblemJson(const Problem& problem) {
  Json json{{"schema", kSchema}, {"name", problem.name}, {"objective", problem.objective}, {"groups", Json::array()}};
  for (const Group& group : problem.groups) {
    Json choices = Json::array();
    for (const Choice& choice : group.choices) choices.push_back(ChoiceJson(choice));
    Json& added = json["groups"].emplace_back(Json{{"name", group.name}, {"members", group.members}});
    if (group.shape) added["shape"] = ShapeJson(*group.shape);
    added["choices"] = std::move(choices);
  }
  json["budgets"] = problem.budgets;
  if (!problem.prices.empty()) json["prices"] = problem.prices;
  for (const Rule& rule : problem.rules) json["rules"].push_back({{"groups", rule.groups}, {"allowed", rule.allowed}});
  return json;
}

}  // namespace

std::string ToJson(const Problem& problem) {
  Json json = ProblemJson(problem);
  if (problem.joint) json["joint"] = JointTermJson(*problem.joint);
  return JsonText(json);
}

void WriteProblem(const std::filesystem::path& file, const Problem& problem) {
  Json json = ProblemJson(problem);
  if (problem.joint) json["joint"] = WriteJointTerm(*problem.joint, std::filesystem::path(file).replace_extension());
  WriteFile(file, JsonText(json));
}

Problem ReadProblem(const std::filesystem::path& file) {
  JsonReader reader = JsonReader::Open(file, kSchema);
  Problem problem;
  problem.name = reader.String("name");
  problem.objective = reader.String("objective");
  for (JsonReader& group : reader.Objects("groups")) problem.groups.push_back(ReadGroup(group));
  problem.budgets = reader.NumberMap("budgets");
  if (reader.Has("prices")) problem.prices = reader.NumberMap("prices");
  if (reader.Has("rules"))
    for (JsonReader& rule : reader.Objects("rules")) problem.rules.push_back(ReadRule(rule));
  if (reader.Has("joint")) {
    JsonReader joint = reader.Object("joint");
    problem.joint = ReadJointTerm(joint, file.parent_path());
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
