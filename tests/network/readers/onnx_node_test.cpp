// ONNX's own node tests, as make_node_cases.py writes them: every case passes or stands with its reason in
// onnx/node_cases.txt, where none stands that passes.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "decode/file.h"
#include "decode/npz.h"
#include "network/lowered_graph.h"
#include "network/program.h"
#include "readers/model_reader.h"
#include "readers/onnx/node.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

fs::path NodeCaseFile(const std::string& ending) {
  return fs::path(BITPLAN_TEST_DIR) / "network" / "onnx" / ("node_cases" + ending);
}

/// The file's cases, and the bytes that they point into.
struct NodeCases {
  json index;
  std::vector<std::uint8_t> data;

  NodeCases() {
    const fs::path file = NodeCaseFile(".npz");
    for (decode::NamedArray& named : decode::DecodeNpz(decode::ReadFile(file), file.string()))
      if (named.name == "index")
        index = json::parse(named.array.bytes);
      else
        data = std::move(named.array.bytes);
  }

  at::Tensor Value(const json& value) const {
    static const std::map<std::string, at::ScalarType> types{
        {"float16", at::kHalf}, {"float32", at::kFloat}, {"float64", at::kDouble}, {"bool", at::kBool},
        {"int8", at::kChar},    {"int16", at::kShort},   {"int32", at::kInt},      {"int64", at::kLong},
        {"uint8", at::kByte},   {"uint16", at::kUInt16}, {"uint32", at::kUInt32},  {"uint64", at::kUInt64}};
    const at::Tensor tensor =
        at::empty(value.at("shape").get<std::vector<std::int64_t>>(), types.at(value.at("type").get<std::string>()));
    std::copy_n(data.data() + value.at("offset").get<std::size_t>(), tensor.nbytes(),
                static_cast<std::uint8_t*>(tensor.data_ptr()));
    return tensor;
  }

  std::vector<at::Tensor> Values(const json& values) const {
    std::vector<at::Tensor> all;
    for (const json& value : values) all.push_back(Value(value));
    return all;
  }
};

/// Lines "operator NAME: REASON" and "case NAME: REASON".
struct Exceptions {
  std::map<std::string, std::string> operators, cases;

  explicit Exceptions(const fs::path& file) {
    std::ifstream in(file);
    for (std::string kind, name, reason; in >> kind >> name && std::getline(in, reason);)
      (kind == "operator" ? operators : cases)[name.substr(0, name.size() - 1)] = reason;
  }

  bool HasOperatorOf(const json& entry) const {
    return std::any_of(entry.at("operators").begin(), entry.at("operators").end(),
                       [&](const json& name) { return operators.contains(name.get<std::string>()); });
  }
};

/// The network computes in float32.
bool IsNarrow(const at::Tensor& tensor) { return tensor.scalar_type() == at::kHalf; }

std::vector<at::Tensor> RunModel(const fs::path& file, const std::vector<at::Tensor>& inputs) {
  const LoweredGraph lowered = network::ReadModel(file, {});
  torch::jit::Stack stack;
  for (const at::Tensor& input : inputs) stack.emplace_back(IsNarrow(input) ? input.to(at::kFloat) : input);
  for (const Parameter& parameter : lowered.parameters) stack.emplace_back(parameter.value);
  network::Program(lowered.graph, "node test").Run(stack);
  std::vector<at::Tensor> outputs;
  for (const c10::IValue& value : stack) {
    if (value.isTensor()) outputs.push_back(value.toTensor());
    if (value.isTuple())
      for (const c10::IValue& element : value.toTupleRef().elements()) outputs.push_back(element.toTensor());
  }
  return outputs;
}

/// Empty where they agree: integers exactly, float32 to 1e-5 of the largest number, what was rounded to narrower types
/// as closely as the suite asks.
std::string Difference(const at::Tensor& found, const at::Tensor& wanted, const json& entry) {
  const std::string name = entry.at("name");
  const bool narrow = IsNarrow(wanted) || name.find("float16") != name.npos || name.find("bf16") != name.npos;
  if (found.sizes() != wanted.sizes()) return "another shape";
  if (found.scalar_type() != (IsNarrow(wanted) ? at::kFloat : wanted.scalar_type())) return "another type";
  if (!wanted.is_floating_point()) return at::equal(found, wanted) ? "" : "other integers";
  const at::Tensor expected = wanted.to(at::kDouble);
  const at::Tensor finite = expected.masked_select(expected.isfinite());
  const double largest = finite.numel() == 0 ? 1 : std::max(1.0, finite.abs().max().item<double>());
  const at::Tensor numbers = found.to(at::kDouble);
  const double relative = narrow ? std::max(5e-3, entry.at("rtol").get<double>()) : 0;
  const double absolute = narrow ? 5e-3 * largest : 1e-5 * largest;
  if (at::allclose(numbers, expected, relative, absolute, true)) return "";
  return "other values, by up to " + std::to_string((numbers - expected).abs().nan_to_num().max().item<double>());
}

/// Empty where the case passes.
std::string Trouble(const NodeCases& cases, const json& entry, const fs::path& file) {
  const auto at = entry.at("model").get<std::vector<std::size_t>>();
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(cases.data.data() + at[0]), static_cast<std::streamsize>(at[1]));
  try {
    const auto found = RunModel(file, cases.Values(entry.at("inputs")));
    const auto wanted = cases.Values(entry.at("outputs"));
    if (found.size() != wanted.size()) return "another number of outputs";
    for (std::size_t i = 0; i < found.size(); ++i)
      if (const std::string difference = Difference(found[i], wanted[i], entry); !difference.empty()) return difference;
    return "";
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return text.substr(0, text.find('\n'));
  }
}

TEST(OnnxNodeTests, PassOrAreExceptedWithAReason) {
  const NodeCases cases;
  const Exceptions known(NodeCaseFile(".txt"));
  const fs::path file = fs::temp_directory_path() / "bitplan-onnx-node-case.onnx";
  std::set<std::string> names, operators;
  int passed = 0;
  for (const json& entry : cases.index) {
    const std::string name = entry.at("name");
    names.insert(name);
    operators.insert(entry.at("operators").begin(), entry.at("operators").end());
    if (entry.contains("reason")) continue;
    const std::string trouble = Trouble(cases, entry, file);
    const bool excepted = known.cases.contains(name) || known.HasOperatorOf(entry);
    EXPECT_EQ(trouble.empty(), !excepted) << "case " << name << ": " << (trouble.empty() ? "it passes" : trouble);
    passed += trouble.empty() ? 1 : 0;
  }
  fs::remove(file);
  for (const auto& [name, reason] : known.cases) EXPECT_TRUE(names.contains(name)) << name;
  for (const auto& [name, reason] : known.operators) EXPECT_TRUE(operators.contains(name)) << name;
  RecordProperty("passed", passed);
  EXPECT_GE(passed, 1200);
}

/// Every operator's models with a few bytes changed, which are read or refused by an Error.
TEST(OnnxNodeTests, ChangedModelsAreReadOrRefused) {
  const NodeCases cases;
  const fs::path file = fs::temp_directory_path() / "bitplan-onnx-changed-case.onnx";
  std::mt19937 random(20);
  const char* const rounds = std::getenv("BITPLAN_CHANGED_MODELS");  // more than a test has time for
  int read = 0, refused = 0;
  for (int round = 0; round < (rounds ? std::atoi(rounds) : 1); ++round) {
    for (const json& entry : cases.index) {
      if (entry.contains("reason")) continue;
      const auto at = entry.at("model").get<std::vector<std::size_t>>();
      std::vector<std::uint8_t> model(cases.data.begin() + static_cast<std::ptrdiff_t>(at[0]),
                                      cases.data.begin() + static_cast<std::ptrdiff_t>(at[0] + at[1]));
      for (unsigned change = 0; change < 1 + random() % 3; ++change)
        model[random() % model.size()] = static_cast<std::uint8_t>(random());
      std::ofstream(file, std::ios::binary)
          .write(reinterpret_cast<const char*>(model.data()), static_cast<std::streamsize>(model.size()));
      const std::clock_t start = std::clock();
      try {
        network::ReadModel(file, {});
        ++read;
      } catch (const Error&) {
        ++refused;
      } catch (const std::exception& error) {
        ADD_FAILURE() << entry.at("name") << " in round " << round << ": " << error.what();
      }
      EXPECT_LE(std::clock() - start, 5 * CLOCKS_PER_SEC) << entry.at("name") << " in round " << round;
    }
  }
  fs::remove(file);
  EXPECT_GE(read, 30);
  EXPECT_GE(refused, 100);
}

/// The table of docs/inputs.md.
TEST(OnnxOperators, AreThoseThatTheDocumentsName) {
  std::ifstream file(fs::path(BITPLAN_TEST_DIR).parent_path() / "docs" / "inputs.md");
  std::set<std::string> documented;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| operators that are read")) inside = true;
    if (!line.starts_with("|")) inside = false;
    for (auto begin = line.find('`'); inside && begin != line.npos;) {
      const auto end = line.find('`', begin + 1);
      documented.insert(line.substr(begin + 1, end - begin - 1));
      begin = line.find('`', end + 1);
    }
  }
  std::set<std::string> read{"Constant", "If", "Loop", "Scan"};
  for (const auto& [name, function] : network::AllOnnxOperators()) read.insert(name);
  EXPECT_EQ(documented, read);
}

}  // namespace
}  // namespace bitplan::test
