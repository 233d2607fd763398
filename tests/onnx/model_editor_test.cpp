// Files with changes, as ReadModel finds them, and the bytes that ONNX's specification of tensors says.
#include "onnx/model_editor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "files/temporary_folder.h"
#include "message_of.h"
#include "onnx/model.h"
#include "onnx/quantized_values.h"

namespace bitplan::onnx {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kModels = fs::path(BITPLAN_TEST_DIR) / "onnx" / "models";

std::vector<std::byte> Codes(const std::vector<int>& values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value & 0xff));
  return bytes;
}

std::vector<int> Signed(const Tensor& tensor) {
  std::vector<int> values;
  for (const std::byte byte : tensor.bytes) values.push_back(static_cast<signed char>(byte));
  return values;
}

class Edited : public testing::Test {
 protected:
  Model Read(const std::string& bytes) { return ReadModel(folder_.Put("edited.onnx", bytes), Operators::Quantized); }

  static const Node& Find(const Graph& graph, const std::string& op) {
    for (const Node& node : graph.nodes) {
      if (node.op == op) return node;
      for (const auto& [name, value] : node.attributes)
        if (const auto* const inner = std::get_if<std::shared_ptr<const Graph>>(&value))
          if (const Node& found = Find(**inner, op); !found.op.empty()) return found;
    }
    static const Node none;
    return none;
  }

  static const Tensor& TensorNamed(const Graph& graph, const std::string& name) {
    return *std::find_if(graph.initializers.begin(), graph.initializers.end(),
                         [&](const Tensor& tensor) { return tensor.name == name; });
  }

  const TemporaryFolder folder_;
};

TEST_F(Edited, KeepsWhatIsNotChanged) {
  for (const std::string name :
       {"constants", "defaults", "functions", "optional", "passing", "subgraphs", "types_raw"}) {
    const fs::path file = kModels / (name + ".onnx");
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(ModelEditor(file).Finish(), bytes) << name;
  }
}

/// onnx.proto: 4-bit elements two to a byte, the first in the low half; 2-bit ones four to a byte, the first lowest;
/// what is left of the last byte is 0.
TEST_F(Edited, PacksCodesAsTheSpecificationSays) {
  struct Case {
    ElementType type;
    std::vector<int> codes;
    std::string packed;
  };
  const std::vector<Case> cases{{ElementType::Int4, {1, -2, 7}, "\xe1\x07"},
                                {ElementType::Uint4, {15, 3, 8}, "\x3f\x08"},
                                {ElementType::Int2, {1, -2, -1, 0, 1}, "\x39\x01"},
                                {ElementType::Int8, {-128, 5, 127}, "\x80\x05\x7f"}};
  for (const Case& each : cases) {
    ModelEditor editor(kModels / "old.onnx");
    CodedTensor coded;
    coded.name = "w";
    coded.type = each.type;
    coded.shape = {static_cast<std::int64_t>(each.codes.size())};
    coded.codes = Codes(each.codes);
    coded.scales = {0.5};
    const std::string value = AddValues(editor, "Mul_0", coded);
    editor.SetInput({"Mul_0", 1}, value);
    editor.RaiseOpset(OpsetOf(coded));
    const std::string bytes = editor.Finish();
    EXPECT_THAT(bytes, HasSubstr(std::string("J") + static_cast<char>(each.packed.size()) + each.packed))
        << "field 9, raw_data, of " << NameOf(each.type);
    const Model model = Read(bytes);
    const Tensor& codes = TensorNamed(model.graph, "w_quantized");
    EXPECT_EQ(codes.type, each.type);
    EXPECT_EQ(codes.shape, coded.shape);
    EXPECT_EQ(Signed(codes), each.codes);
    const Node& node = Find(model.graph, "DequantizeLinear");
    EXPECT_EQ(Find(model.graph, "Mul").inputs[1], node.outputs[0]);
    EXPECT_EQ(std::count_if(model.graph.initializers.begin(), model.graph.initializers.end(),
                            [](const Tensor& tensor) { return tensor.name == "w"; }),
              0)
        << "the float weight is still there";
  }
}

TEST_F(Edited, HasScalesByTensorChannelAndBlock) {
  const auto shape_of = [&](const CodedTensor& coded) {
    ModelEditor editor(kModels / "old.onnx");
    editor.SetInput({"Mul_0", 1}, AddValues(editor, "Mul_0", coded));
    editor.RaiseOpset(OpsetOf(coded));
    const Model model = Read(editor.Finish());
    const Node& node = Find(model.graph, "DequantizeLinear");
    EXPECT_EQ(node.attributes.contains("block_size"), coded.block_size > 0);
    EXPECT_EQ(model.opset, OpsetOf(coded));
    return TensorNamed(model.graph, node.inputs[1]).shape;
  };
  CodedTensor coded;
  coded.name = "w";
  coded.shape = {2, 5};
  coded.codes = Codes({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  coded.scales = {1};
  EXPECT_TRUE(shape_of(coded).empty());
  coded.scales = {1, 2};
  EXPECT_EQ(shape_of(coded), (std::vector<std::int64_t>{2}));
  coded.axis = 1;
  coded.block_size = 2;
  coded.scales = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(shape_of(coded), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(OpsetOf(coded), 21);
}

TEST_F(Edited, TakesOperatorSetsOfOldInTheirNewForm) {
  ModelEditor editor(kModels / "old.onnx");  // Clip's bounds were attributes, IR 3 lists initializers as inputs
  editor.RaiseOpset(21);
  const Model model = Read(editor.Finish());
  EXPECT_EQ(model.opset, 21);
  EXPECT_EQ(model.ir_version, 10);
  const Node& clip = Find(model.graph, "Clip");
  EXPECT_TRUE(clip.attributes.empty());
  ASSERT_EQ(clip.inputs.size(), 3U);
  float largest = 0;
  std::memcpy(&largest, TensorNamed(model.graph, clip.inputs[2]).bytes.data(), sizeof largest);
  EXPECT_EQ(largest, 6);
}

TEST_F(Edited, ReachesNodesOfInnerGraphsAndNotOfFunctions) {
  ModelEditor editor(kModels / "subgraphs.onnx");
  ASSERT_TRUE(editor.Has("Add_0"));
  EXPECT_NE(editor.GraphOf("Add_0"), editor.GraphOf("loop"));
  CodedTensor coded;
  coded.name = "w";
  coded.shape = {1};
  coded.codes = Codes({4});
  coded.scales = {0.5};
  editor.SetInput({"Add_0", 1}, AddValues(editor, "Add_0", coded));
  const std::string value = AddGrid(editor, {"Add_0"}, editor.InputOf({"Add_0", 0}), ActivationGrid{});
  editor.SetInput({"Add_0", 0}, value);
  const Model model = Read(editor.Finish());
  EXPECT_EQ(Find(model.graph, "Add").inputs[0], value);
  EXPECT_EQ(Find(model.graph, "QuantizeLinear").inputs[0], "carried");
  EXPECT_FALSE(ModelEditor(kModels / "functions.onnx").Has("call/n"));
  EXPECT_THAT(MessageOf([] { ModelEditor(kModels / "functions.onnx").SetInput({"call/n", 0}, "x"); }),
              HasSubstr("function"));
}

TEST_F(Edited, TakesNodesOutAndPutsNewOnesBehind) {
  ModelEditor editor(kModels / "old.onnx");
  editor.Remove("Clip_1");  // a graph's output: its name stays
  const std::string before = editor.DivertOutput("Mul_0", 0);
  editor.AddAfter("Mul_0", {"Neg", {before}, {"y"}});
  const Model model = Read(editor.Finish());
  ASSERT_EQ(model.graph.nodes.size(), 2U);
  EXPECT_EQ(model.graph.nodes[0].op, "Mul");
  EXPECT_EQ(model.graph.nodes[1].inputs[0], model.graph.nodes[0].outputs[0]);
  EXPECT_EQ(model.graph.outputs[0].name, "y");
}

TEST_F(Edited, HoldsTensorsThatLayBesideIt) {
  const Model before = ReadModel(kModels / "types_external.onnx");
  const Model after = Read(ModelEditor(kModels / "types_external.onnx").Finish());  // in another folder, alone
  ASSERT_EQ(after.graph.initializers.size(), before.graph.initializers.size());
  for (std::size_t i = 0; i < before.graph.initializers.size(); ++i) {
    const Tensor &was = before.graph.initializers[i], &is = after.graph.initializers[i];
    EXPECT_EQ(is.type, was.type);
    EXPECT_TRUE(std::equal(is.bytes.begin(), is.bytes.end(), was.bytes.begin(), was.bytes.end())) << was.name;
  }
}

TEST_F(Edited, HasActivationsOnGrids) {
  ModelEditor editor(kModels / "old.onnx");
  ActivationGrid grid;
  grid.scale = 0.25;
  grid.zero_point = 3;
  grid.range = {{-0.75F, 3.0F}};
  grid.offset = 1;
  editor.SetInput({"Mul_0", 0}, AddGrid(editor, {"Mul_0"}, "x", grid));
  editor.RaiseOpset(13);
  const Model model = Read(editor.Finish());
  std::vector<std::string> ops;
  for (const Node& node : model.graph.nodes) ops.push_back(node.op);
  EXPECT_EQ(ops, (std::vector<std::string>{"Sub", "Clip", "QuantizeLinear", "DequantizeLinear", "Mul", "Clip"}));
  const Tensor& zero = TensorNamed(model.graph, Find(model.graph, "QuantizeLinear").inputs[2]);
  EXPECT_EQ(zero.type, ElementType::Uint8);
  EXPECT_EQ(Signed(zero), std::vector<int>{3});
}

}  // namespace
}  // namespace bitplan::onnx
