#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "bitplan/plan.h"
#include "cost/error_message.h"
#include "files/temporary_folder.h"
#include "plan/example_files.h"

namespace bitplan::plan {
namespace {

using nlohmann::ordered_json;

/// One of the files that are read: how, and a good one.
struct Kind {
  std::string schema, good;
  std::function<void(const std::filesystem::path&)> read;
};

/// Small ones, as the tests below change every value of them.
std::vector<Kind> Kinds() {
  Sensitivity sensitivity = FullSensitivity();
  sensitivity.layers.resize(1);
  ProblemOptions options;
  options.budgets = {ParseBudget("weight_size=50%")};
  options.pins = {ParsePin("first=a8")};
  Problem problem = MakeProblem(sensitivity, options);
  problem.groups[0].choices[0].standard_error = 0.5;
  problem.prices = {{"bops", 2}};
  problem.rules = {{{problem.groups[0].name}, {{problem.groups[0].choices[0].name}}}};
  return {{"bitplan.sensitivity/1", ToJson(sensitivity), [](const auto& file) { ReadSensitivity(file); }},
          {"bitplan.problem/1", ToJson(problem), [](const auto& file) { ReadProblem(file); }},
          {"bitplan.plan/1", ToJson(FullPlan()), [](const auto& file) { ReadPlan(file); }}};
}

class MalformedFile : public ::testing::Test {
 protected:
  void ExpectRefused(const Kind& kind, const std::string& bytes, const std::string& part) const {
    const auto file = folder.Put("bad.json", bytes);
    EXPECT_THAT([&] { kind.read(file); }, OneLineError("bad.json", part)) << kind.schema << ": " << bytes.substr(0, 80);
  }

  const TemporaryFolder folder;
};

TEST_F(MalformedFile, GoodOnesAreRead) {
  for (const Kind& kind : Kinds()) {
    EXPECT_NO_THROW(kind.read(folder.Put("good.json", kind.good)));
    EXPECT_NO_THROW(kind.read(folder.Put("good.json", "\xEF\xBB\xBF" + kind.good)));
  }
}

TEST_F(MalformedFile, ThatCannotBeReadIsNamed) {
  for (const Kind& kind : Kinds()) {
    EXPECT_THAT([&] { kind.read(folder / "missing.json"); },
                OneLineError("missing.json", "cannot be read", kind.schema));
    EXPECT_THAT([&] { kind.read(folder.path()); }, OneLineError("cannot be read", kind.schema));
    EXPECT_THAT([&] { kind.read(std::string(5000, 'x')); }, OneLineError("cannot be read", kind.schema));
  }
}

TEST_F(MalformedFile, ThatIsNotJsonIsRefused) {
  const std::string binary("\x00\x01\x02\xff\xfe PK\x03\x04", 11);
  for (const Kind& kind : Kinds())
    for (const std::string& bytes : {std::string(), std::string(" \n"), std::string("{"), std::string("nonsense"),
                                     binary, kind.good.substr(0, kind.good.size() / 2), kind.good + "x",
                                     std::string("{\"a\": 1,}"), std::string("{\"schema\": \"\xff\xfe\"}"),
                                     std::string("{\"schema\": 1e999}"), "{\"" + std::string(100000, 'k')})
      ExpectRefused(kind, bytes, "not JSON");
}

TEST_F(MalformedFile, ThatIsNoObjectIsRefused) {
  for (const Kind& kind : Kinds())
    for (const char* bytes : {"[]", "null", "3", "\"bitplan.plan/1\"", "true"}) ExpectRefused(kind, bytes, kind.schema);
}

TEST_F(MalformedFile, NestedTooDeeplyIsRefused) {
  for (const Kind& kind : Kinds()) {
    ExpectRefused(kind, std::string(1'000'000, '['), "nested");
    ExpectRefused(kind, "{\"reference\": " + std::string(100, '[') + std::string(100, ']') + "}", "nested");
    std::string objects;
    for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
    ExpectRefused(kind, objects, "nested");
  }
}

TEST_F(MalformedFile, WithManyKeysIsRefusedAtOnce) {
  std::string bytes = "{\"schema\": \"bitplan.plan/1\"";
  for (int i = 0; i < 60000; ++i) bytes += ",\"k" + std::to_string(i) + "\":1";
  ExpectRefused(Kinds()[2], bytes + "}", "is missing");
}

TEST_F(MalformedFile, OfAnotherSchemaOrVersionIsRefused) {
  for (const Kind& kind : Kinds()) {
    for (const char* schema : {"bitplan.plan/2", "bitplan.solution/1", "", "plan"}) {
      auto json = ordered_json::parse(kind.good);
      json["schema"] = schema;
      ExpectRefused(kind, json.dump(), "expected \"" + kind.schema + "\", not \"" + schema + "\"");
    }
    auto json = ordered_json::parse(kind.good);
    json["schema"] = 1;
    ExpectRefused(kind, json.dump(), kind.schema);
    json.erase("schema");
    ExpectRefused(kind, json.dump(), "key 'schema' is missing; expected \"" + kind.schema);
  }
}

TEST_F(MalformedFile, WithAKeyTwiceIsRefused) {
  for (const Kind& kind : Kinds())
    ExpectRefused(kind, "{\"schema\": \"x\", \"schema\": \"" + kind.schema + "\"}", "'schema' stands twice");
}

/// Paths of all objects in a document, the document's own ("") included.
void CollectObjects(const ordered_json& json, const ordered_json::json_pointer& at,
                    std::vector<ordered_json::json_pointer>& found) {
  if (json.is_object()) found.push_back(at);
  if (json.is_object())
    for (const auto& [key, value] : json.items()) CollectObjects(value, at / key, found);
  if (json.is_array())
    for (std::size_t i = 0; i < json.size(); ++i) CollectObjects(json[i], at / i, found);
}

std::vector<ordered_json::json_pointer> Objects(const ordered_json& json) {
  std::vector<ordered_json::json_pointer> found;
  CollectObjects(json, ordered_json::json_pointer(), found);
  return found;
}

/// Objects whose keys are free: names of costs, and of the layers that resampling was asked about.
bool IsFree(const ordered_json::json_pointer& at) {
  return !at.empty() &&
         (at.back() == "costs" || at.back() == "budgets" || at.back() == "prices" || at.back() == "kept");
}

TEST_F(MalformedFile, WithAnUnknownKeyAnywhereIsRefused) {
  for (const Kind& kind : Kinds()) {
    const auto good = ordered_json::parse(kind.good);
    for (const auto& object : Objects(good)) {
      if (IsFree(object)) continue;
      auto json = good;
      json[object]["surprise"] = 1;
      ExpectRefused(kind, json.dump(), "surprise'");
    }
  }
}

TEST_F(MalformedFile, WithAKeyMissingAnywhereIsRefused) {
  for (const Kind& kind : Kinds()) {
    const auto good = ordered_json::parse(kind.good);
    for (const auto& object : Objects(good)) {
      if (IsFree(object)) continue;
      if (!object.empty() && object.back() == "figures") continue;  // of the measures that were asked for
      for (const auto& [key, value] : good[object].items()) {
        if (key == "standard_error" || key == "prices" || key == "rules") continue;  // may be left out
        auto json = good;
        json[object].erase(key);
        ExpectRefused(kind, json.dump(), key + "' is missing; expected");
      }
    }
  }
}

TEST_F(MalformedFile, WithAWrongTypeAnywhereIsRefusedUnderTheKeysName) {
  for (const Kind& kind : Kinds()) {
    const auto good = ordered_json::parse(kind.good);
    for (const auto& object : Objects(good))
      for (const auto& [key, value] : good[object].items())
        for (const ordered_json& wrong :
             {ordered_json(ordered_json::array({ordered_json::array()})), ordered_json(true), ordered_json("text"),
              ordered_json(-0.5), ordered_json(ordered_json::object())}) {
          const bool fits = wrong.type() == value.type() || (wrong.is_number() && value.is_number()) ||
                            (key == "reference") || (key == "eigenvalue" && wrong.is_number());
          if (fits || (wrong.is_number() && value.is_null())) continue;
          auto json = good;
          json[object][key] = wrong;
          ExpectRefused(kind, json.dump(), key);
        }
  }
}

}  // namespace
}  // namespace bitplan::plan
