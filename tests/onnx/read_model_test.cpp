// Against what Python's onnx package finds in the files (make_models.py).
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "message_of.h"
#include "onnx/model.h"

namespace bitplan::onnx {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const fs::path kFolder = fs::path(BITPLAN_TEST_DIR) / "onnx";

json ReadJson(const fs::path& file) { return json::parse(std::ifstream(file)); }

std::string Hex(const Tensor& tensor) {
  std::string text;
  for (const std::byte byte : tensor.bytes) text += fmt::format("{:02x}", std::to_integer<int>(byte));
  return text;
}

/// A line per node, as graph_lines of make_models.py.
class Lines {
 public:
  using Names = std::map<std::string, std::string>;

  static std::vector<std::string> Of(const Graph& graph, Names names, int depth) {
    int initializers = 0;
    for (const Tensor& tensor : graph.initializers)
      names[tensor.name] =
          tensor.source == Source::Constant ? Hex(tensor) : fmt::format("t{}.{}", depth, initializers++);
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) names[graph.inputs[i].name] = fmt::format("i{}.{}", depth, i);
    std::vector<std::string> lines;
    for (const Node& node : graph.nodes) {
      for (std::size_t i = 0; i < node.outputs.size(); ++i)
        names[node.outputs[i]] = fmt::format("n{}.{}.{}", depth, lines.size(), i);
      lines.push_back(LineOf(node, names, depth));
    }
    std::vector<std::string> outputs;
    for (const ValueInfo& output : graph.outputs) outputs.push_back(names.at(output.name));
    lines.push_back(fmt::format("return {}", fmt::join(outputs, " ")));
    return lines;
  }

 private:
  static std::string LineOf(const Node& node, const Names& names, int depth) {
    std::vector<std::string> inputs, attributes;
    for (const std::string& input : node.inputs) inputs.push_back(input.empty() ? "-" : names.at(input));
    for (const auto& [name, value] : node.attributes)
      attributes.push_back(
          fmt::format("{}={}", name, std::visit([&](const auto& held) { return Text(held, names, depth); }, value)));
    return fmt::format("{}({}){}{}", node.op, fmt::join(inputs, " "), attributes.empty() ? "" : " ",
                       fmt::join(attributes, ", "));
  }

  static std::string Text(std::int64_t number, const Names&, int) { return fmt::format("{}", number); }
  static std::string Text(float number, const Names&, int) { return fmt::format("{:g}", number); }
  static std::string Text(const std::string& text, const Names&, int) { return text; }
  static std::string Text(const Tensor& tensor, const Names&, int) { return Hex(tensor); }
  static std::string Text(const std::shared_ptr<const Graph>& graph, const Names& names, int depth) {
    return fmt::format("{{{}}}", fmt::join(Of(*graph, names, depth + 1), "; "));
  }
  template <typename Element>
  static std::string Text(const std::vector<Element>& values, const Names&, int) {
    return fmt::format("{}", fmt::join(values, " "));
  }
};

TEST(ReadOnnxModel, HasTheTensorsAndNodesThatOnnxFinds) {
  const json expected = ReadJson(kFolder / "models/expected.json");
  EXPECT_GE(expected.size(), 10U);
  for (const auto& [name, says] : expected.items()) {
    SCOPED_TRACE(name);
    const Model model = ReadModel(kFolder / "models" / (name + ".onnx"));
    EXPECT_EQ(model.opset, says["opset"]);
    EXPECT_EQ(model.ir_version, says["ir_version"]);
    EXPECT_EQ(Lines::Of(model.graph, {}, 0), says["nodes"].get<std::vector<std::string>>());
    std::size_t count = 0;
    for (const Tensor& tensor : model.graph.initializers) {
      if (tensor.source != Source::Initializer) continue;
      const json& known = says["tensors"][count];
      EXPECT_EQ(tensor.index, static_cast<std::int64_t>(count++));
      EXPECT_EQ(tensor.name, known["name"]);
      EXPECT_EQ(NameOf(tensor.type), known["type"]);
      EXPECT_EQ(tensor.shape, known["shape"].get<std::vector<std::int64_t>>()) << tensor.name;
      EXPECT_EQ(Hex(tensor), known["bytes"]) << tensor.name;
    }
    EXPECT_EQ(count, says["tensors"].size());
  }
}

TEST(ReadOnnxModel, RefusesBadFilesInOneLine) {
  const json expected = ReadJson(kFolder / "bad/expected.json");
  EXPECT_GE(expected.size(), 60U);
  for (const auto& [name, says] : expected.items()) {
    const fs::path file = kFolder / "bad" / (name + ".onnx");
    const std::string message = MessageOf([&] { ReadModel(file); });
    EXPECT_THAT(message, HasSubstr(says.get<std::string>())) << name;
    EXPECT_TRUE(message.starts_with(file.string() + ": ")) << message;
    EXPECT_THAT(message, Not(HasSubstr("\n")));
    EXPECT_LT(message.size(), file.string().size() + 400) << message;
  }
}

TEST(ReadOnnxModel, SaysWhichFileIsNotThere) {
  EXPECT_THAT(MessageOf([] { ReadModel("nowhere.onnx"); }), HasSubstr("nowhere.onnx: cannot be opened: No such file"));
  EXPECT_THAT(MessageOf([] { ReadModel(kFolder); }), HasSubstr("not a regular file"));
}

/// Truncated anywhere, or with one byte changed: read or refused.
TEST(ReadOnnxModel, EndsInAnErrorOrAModelAfterDamage) {
  const fs::path damaged = fs::temp_directory_path() / "bitplan-onnx-damaged.onnx";
  for (const char* name : {"functions", "subgraphs", "types_typed"}) {
    std::ifstream in(kFolder / "models" / (std::string(name) + ".onnx"), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t i = 0; i < bytes.size(); i += 11) {
      for (const std::string& text : {bytes.substr(0, i), bytes.substr(0, i) + '\xff' + bytes.substr(i + 1)}) {
        std::ofstream(damaged, std::ios::binary) << text;
        try {
          ReadModel(damaged);
        } catch (const Error&) {
        }
      }
    }
  }
  fs::remove(damaged);
}

TEST(ReadOnnxModel, SharesTheMappedFileAmongExternalTensors) {
  const Model model = ReadModel(kFolder / "models/types_external.onnx");
  std::map<const void*, int> uses;
  for (const Tensor& tensor : model.graph.initializers) ++uses[tensor.storage.get()];
  const auto most =
      std::max_element(uses.begin(), uses.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_EQ(most->second, 20);  // those of 8 bits and more with values
}

TEST(ReadOnnxModel, KeepsTensorsAfterTheModel) {
  Tensor tensor;
  {
    const Model model = ReadModel(kFolder / "models/types_raw.onnx");
    tensor = model.graph.initializers.front();
  }
  EXPECT_EQ(tensor.name, "float");
  EXPECT_EQ(Hex(tensor).substr(0, 16), "0000003f0000803f");
}

TEST(ReadOnnxModel, NamesNodesOnceAndSaysWhereTheyStand) {
  const Model optional = ReadModel(kFolder / "models/optional.onnx");
  EXPECT_EQ(optional.graph.nodes[0].name, "clip");
  EXPECT_EQ(optional.graph.nodes[1].name, "clip_2");
  EXPECT_EQ(optional.graph.nodes[1].file_name, "clip");
  EXPECT_EQ(optional.graph.nodes[1].index, 1);
  EXPECT_EQ(optional.graph.nodes[1].outputs, (std::vector<std::string>{"y", ""}));
  const Model functions = ReadModel(kFolder / "models/functions.onnx");
  EXPECT_EQ(functions.graph.nodes[1].name, "call/Inner_0/n");
  EXPECT_EQ(functions.graph.nodes[1].index, -1);
  EXPECT_EQ(functions.graph.nodes[8].name, "Outer_1/Inner_0/n");
  const Model constants = ReadModel(kFolder / "models/constants.onnx");
  EXPECT_EQ(constants.graph.nodes[0].name, "Sum_6");
  EXPECT_EQ(constants.graph.nodes[0].index, 6);
  EXPECT_EQ(constants.graph.initializers[1].shape, std::vector<std::int64_t>{});
  EXPECT_EQ(constants.graph.initializers[5].index, 5);
}

TEST(ReadOnnxModel, LeavesInputsThatAreInitializersOut) {
  const Model model = ReadModel(kFolder / "models/old.onnx");
  ASSERT_EQ(model.graph.inputs.size(), 1U);
  EXPECT_EQ(model.graph.inputs[0].name, "x");
  EXPECT_EQ(model.producer, "test");
}

TEST(IsOnnxModel, GoesByTheFirstBytes) {
  for (const char* name : {"types_raw", "functions", "old"}) {
    std::ifstream in(kFolder / "models" / (std::string(name) + ".onnx"), std::ios::binary);
    std::string head(3, '\0');
    in.read(head.data(), 3);
    EXPECT_TRUE(IsModel(head)) << name;
  }
  for (const char* head : {"", "\x08", "PK\x03\x04", "\x80\x02}", "{\"a\":", "\x08\x08\x08"})
    EXPECT_FALSE(IsModel(head)) << head;
}

}  // namespace
}  // namespace bitplan::onnx
