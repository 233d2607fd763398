#include "onnx/layer_name.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace bitplan::onnx {
namespace {

Node NodeOf(const std::string& name, std::vector<std::string> modules = {}) {
  Node node;
  node.name = name;
  node.op = "Conv";
  node.modules = std::move(modules);
  return node;
}

TEST(LayerName, IsTheWeightsWhereThatIsTheModels) {
  EXPECT_EQ(LayerName("layer1.0.conv1.weight", NodeOf("/layer1/layer1.0/conv1/Conv")), "layer1.0.conv1");
  EXPECT_EQ(LayerName("layer1.0.conv1.weight", NodeOf("node_Conv_303", {"", "layer1", "layer1.0.bn1", "batch_norm"})),
            "layer1.0.conv1");
  EXPECT_EQ(LayerName("fc.weight", NodeOf("Gemm_12")), "fc");
  EXPECT_EQ(LayerName("resnetv17_conv0_weight", NodeOf("resnetv17_conv0_fwd")), "resnetv17_conv0");
  EXPECT_EQ(LayerName("gpu_0/conv1_w_0", NodeOf("Conv_0")), "gpu_0.conv1");
}

TEST(LayerName, IsTheScopesOfTheTracedExporterWhereItRenamedTheWeight) {
  EXPECT_EQ(LayerName("onnx::Conv_374", NodeOf("/conv1/Conv")), "conv1");
  EXPECT_EQ(LayerName("onnx::Conv_377", NodeOf("/layer1/layer1.0/conv1/Conv")), "layer1.0.conv1");
  EXPECT_EQ(LayerName("onnx::Conv_380", NodeOf("/layer1/layer1.0/downsample/downsample.0/Conv")),
            "layer1.0.downsample.0");
  EXPECT_EQ(LayerName("onnx::MatMul_9", NodeOf("/model/layers.0/self_attn/q_proj/MatMul_1")),
            "model.layers.0.self_attn.q_proj");
  EXPECT_EQ(LayerName("onnx::LSTM_468", NodeOf("/lstm/LSTM")), "lstm");
  EXPECT_EQ(LayerName("onnx::MatMul_474", NodeOf("/MatMul")), "MatMul");
  EXPECT_EQ(LayerName("193", NodeOf("Conv_4")), "Conv_4");
}

TEST(LayerName, IsTheModuleOfTorchExportWhereItComputedTheWeight) {
  EXPECT_EQ(LayerName("val_272", NodeOf("node_MatMul_272", {"", "fc", "linear_2"})), "fc");
  EXPECT_EQ(LayerName("val_254", NodeOf("node_lstm__2", {"", "lstm", "lstm"})), "lstm");
  EXPECT_EQ(LayerName("t", NodeOf("node_matmul", {"", "matmul"})), "node_matmul");
}

/// Modules that compute with the weights of modules in them, as F.linear(x, self.qkv.weight, self.qkv.bias).
TEST(LayerName, IsTheBiasesWhereThatSaysMore) {
  Node product = NodeOf("/features/features.1/attn/MatMul");
  product.op = "MatMul";
  EXPECT_EQ(LayerName("onnx::MatMul_206", product, "features.1.attn.qkv.bias"), "features.1.attn.qkv");
  EXPECT_EQ(LayerName("onnx::MatMul_206", product, "onnx::Add_207"), "features.1.attn");
  EXPECT_EQ(LayerName("onnx::MatMul_206", product, "features.1.attn.relative_position_bias"), "features.1.attn");
  product.modules = {"", "features.1.attn", "linear"};
  EXPECT_EQ(LayerName("val_12", product, "features.1.attn.proj.bias"), "features.1.attn.proj");
  EXPECT_EQ(LayerName("decoder.fc.weight", product, "features.1.attn.proj.bias"), "decoder.fc");
  EXPECT_EQ(LayerName("193", NodeOf("Conv_4"), "stem.0.bias"), "stem.0");
  EXPECT_EQ(LayerName("onnx::Conv_5", NodeOf("/layer1/conv1/Conv"), "layer1.bn1.bias"), "layer1.conv1");
}

TEST(LayerName, IsThePathOfKeras) {
  EXPECT_EQ(LayerName("StatefulPartitionedCall/model/conv2d/Conv2D/ReadVariableOp:0",
                      NodeOf("StatefulPartitionedCall/model/conv2d/Conv2D")),
            "model.conv2d");
  EXPECT_EQ(LayerName("const_fold_opt__123", NodeOf("model/conv2d/Conv2D")), "model.conv2d");
  EXPECT_EQ(LayerName("const_fold_opt__9", NodeOf("StatefulPartitionedCall/sequential/dense/MatMul")),
            "sequential.dense");
  EXPECT_EQ(LayerName("model/dense/kernel:0", NodeOf("model/dense/MatMul")), "model.dense");
}

/// Files of make_exports.py, layers with two weights (LSTM) once.
TEST(LayerName, IsTheModulesOfBothExportersOfPyTorch) {
  const std::filesystem::path folder = std::filesystem::path(BITPLAN_TEST_DIR) / "onnx/exports";
  const auto expected = nlohmann::json::parse(std::ifstream(folder / "expected.json"))["layers"];
  for (const char* file : {"traced.onnx", "exported.onnx"}) {
    const Model model = ReadModel(folder / file);
    std::set<std::string> weights;
    for (const Tensor& tensor : model.graph.initializers)
      if (tensor.type == ElementType::Float && tensor.shape.size() > 1) weights.insert(tensor.name);
    std::vector<std::string> names;
    for (const Node& node : model.graph.nodes)
      if (std::set<std::string>{"Conv", "Gemm", "MatMul", "LSTM"}.contains(node.op) && weights.contains(node.inputs[1]))
        names.push_back(LayerName(node.inputs[1], node));
    EXPECT_EQ(names, expected.get<std::vector<std::string>>()) << file;
  }
}

TEST(LayerName, IsNeverEmpty) {
  for (const char* weight : {"", "/", "t", "onnx::", "0", ".weight", ":0", "//A"})
    for (const char* name : {"Conv_0", "/Conv", "///Conv"})
      EXPECT_NE(LayerName(weight, NodeOf(name)), "") << weight << name;
}

}  // namespace
}  // namespace bitplan::onnx
