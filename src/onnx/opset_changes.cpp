#include "opset_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "names.h"
#include "refused_operators.h"

namespace bitplan::onnx {
namespace {

using NewName = std::function<std::string(const std::string&)>;

/// An attribute that is an input from a version of the operator set on.
struct MovedAttribute {
  std::string_view op, attribute;
  int input;
  std::int64_t version;
  bool is_scalar = false;
};

/// From ONNX's list of operators and their versions.
constexpr std::array kMoved{
    MovedAttribute{"Slice", "starts", 1, 10},         MovedAttribute{"Slice", "ends", 2, 10},
    MovedAttribute{"Slice", "axes", 3, 10},           MovedAttribute{"Clip", "min", 1, 11, true},
    MovedAttribute{"Clip", "max", 2, 11, true},       MovedAttribute{"Pad", "pads", 1, 11},
    MovedAttribute{"Pad", "value", 2, 11, true},      MovedAttribute{"Squeeze", "axes", 1, 13},
    MovedAttribute{"Unsqueeze", "axes", 1, 13},       MovedAttribute{"ReduceSum", "axes", 1, 13},
    MovedAttribute{"Split", "split", 1, 13},          MovedAttribute{"ReduceMax", "axes", 1, 18},
    MovedAttribute{"ReduceMean", "axes", 1, 18},      MovedAttribute{"ReduceMin", "axes", 1, 18},
    MovedAttribute{"ReduceProd", "axes", 1, 18},      MovedAttribute{"ReduceL1", "axes", 1, 18},
    MovedAttribute{"ReduceL2", "axes", 1, 18},        MovedAttribute{"ReduceLogSum", "axes", 1, 18},
    MovedAttribute{"ReduceLogSumExp", "axes", 1, 18}, MovedAttribute{"ReduceSumSquare", "axes", 1, 18},
};

/// Operators that mean something else from a version on, which no table of attributes tells.
struct Ended {
  std::string_view op;
  std::int64_t version;
};
constexpr std::array kEnded{Ended{"Upsample", 10}, Ended{"Resize", 11}, Ended{"TopK", 10},
                            Ended{"GroupNormalization", 21}, Ended{"DFT", 20}};

const proto::AttributeProto* AttributeOf(const proto::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute())
    if (attribute.name() == name) return &attribute;
  return nullptr;
}

void Erase(proto::NodeProto& node, std::string_view name) {
  auto& all = *node.mutable_attribute();
  for (int i = all.size(); i-- > 0;)
    if (all[i].name() == name) all.DeleteSubrange(i, 1);
}

void SetInt(proto::NodeProto& node, const std::string& name, std::int64_t value) {
  Erase(node, name);
  auto& added = *node.add_attribute();
  added.set_name(name);
  added.set_type(proto::AttributeProto::INT);
  added.set_i(value);
}

void SetText(proto::NodeProto& node, const std::string& name, const std::string& value) {
  Erase(node, name);
  auto& added = *node.add_attribute();
  added.set_name(name);
  added.set_type(proto::AttributeProto::STRING);
  added.set_s(value);
}

proto::NodeProto NodeOf(const std::string& op, const std::vector<std::string>& inputs, const std::string& output) {
  proto::NodeProto node;
  node.set_op_type(op);
  node.set_name(output + "_" + op);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

class NodeRaiser {
 public:
  NodeRaiser(std::int64_t from, std::int64_t to, const NewName& new_name) : from_(from), to_(to), new_name_(new_name) {}

  void Raise(Nodes& nodes) {
    std::vector<proto::NodeProto*> old(static_cast<std::size_t>(nodes.size()));
    for (std::size_t i = old.size(); i-- > 0;) old[i] = nodes.ReleaseLast();
    for (proto::NodeProto* node : old) {
      after_.clear();
      if (IsDefaultDomain(node->domain())) RaiseNode(*node, nodes);
      std::vector<proto::NodeProto> after = std::move(after_);
      nodes.AddAllocated(node);
      for (proto::NodeProto& added : after) *nodes.Add() = std::move(added);
      for (auto& attribute : *node->mutable_attribute()) {
        if (attribute.has_g()) Raise(*attribute.mutable_g()->mutable_node());
        for (auto& graph : *attribute.mutable_graphs()) Raise(*graph.mutable_node());
      }
    }
  }

 private:
  bool Crosses(std::int64_t version) const { return from_ < version && version <= to_; }

  void RaiseNode(proto::NodeProto& node, Nodes& nodes) {
    const std::string& op = node.op_type();
    for (const Ended& ended : kEnded)
      if (op == ended.op && Crosses(ended.version) && !IsSame(node))
        throw Error(fmt::format(
            "node {} ({}): from operator set {} on it is another operator, and the model has set {}; export the model "
            "with set {} or raise it by onnx.version_converter",
            Quoted(node.name()), op, ended.version, from_, ended.version));
    for (const MovedAttribute& moved : kMoved)
      if (op == moved.op && Crosses(moved.version)) Move(node, moved, nodes);
    if (op == "Dropout" && Crosses(12)) Erase(node, "ratio");
    if (op == "BatchNormalization" && Crosses(9)) Erase(node, "spatial");
    if (op == "Scatter" && Crosses(11)) node.set_op_type("ScatterElements");
    if ((op == "Softmax" || op == "LogSoftmax" || op == "Hardmax") && Crosses(13)) RaiseSoftmax(node, nodes);
    if (op == "RoiAlign" && Crosses(16) && !AttributeOf(node, "coordinate_transformation_mode"))
      SetText(node, "coordinate_transformation_mode", "output_half_pixel");
    if (op == "Split" && Crosses(18) && (node.input_size() < 2 || node.input(1).empty()))
      SetInt(node, "num_outputs", node.output_size());
    if (op == "GridSample" && Crosses(20)) RaiseGridSample(node);
  }

  /// Of operators that changed for some of what they can say only.
  static bool IsSame(const proto::NodeProto& node) { return node.op_type() == "TopK" && !AttributeOf(node, "k"); }

  void Move(proto::NodeProto& node, const MovedAttribute& moved, Nodes& nodes) {
    const proto::AttributeProto* attribute = AttributeOf(node, moved.attribute);
    if (!attribute) return;
    proto::NodeProto constant = NodeOf("Constant", {}, new_name_(std::string(moved.attribute)));
    proto::AttributeProto& value = *constant.add_attribute();
    value = *attribute;
    value.set_name(!moved.is_scalar ? "value_ints" : "value_float");
    while (node.input_size() < moved.input) node.add_input("");
    if (node.input_size() == moved.input)
      node.add_input(constant.output(0));
    else
      node.set_input(moved.input, constant.output(0));
    Erase(node, moved.attribute);
    *nodes.Add() = std::move(constant);
  }

  /// Before set 13 over all axes from `axis` on, as one.
  void RaiseSoftmax(proto::NodeProto& node, Nodes& nodes) {
    const proto::AttributeProto* axis = AttributeOf(node, "axis");
    const std::int64_t begin = axis ? axis->i() : 1;
    SetInt(node, "axis", -1);
    if (begin == -1) return;
    const std::string input = node.input(0), output = node.output(0);
    proto::NodeProto shape = NodeOf("Shape", {input}, new_name_(output + "_shape"));
    proto::NodeProto flat = NodeOf("Flatten", {input}, new_name_(output + "_rows"));
    SetInt(flat, "axis", begin);
    const std::string own = new_name_(output + "_flat");
    node.set_input(0, flat.output(0));
    node.set_output(0, own);
    after_.push_back(NodeOf("Reshape", {own, shape.output(0)}, output));
    *nodes.Add() = std::move(shape);
    *nodes.Add() = std::move(flat);
  }

  static void RaiseGridSample(proto::NodeProto& node) {
    const proto::AttributeProto* mode = AttributeOf(node, "mode");
    if (!mode) return;
    const std::string given = mode->s();
    SetText(node, "mode", given == "bilinear" ? "linear" : given == "bicubic" ? "cubic" : given);
  }

  std::int64_t from_, to_;
  const NewName& new_name_;
  std::vector<proto::NodeProto> after_;
};

}  // namespace

void RaiseNodes(Nodes& nodes, std::int64_t from, std::int64_t to, const NewName& new_name) {
  NodeRaiser(from, to, new_name).Raise(nodes);
}

std::int64_t IrVersionOf(std::int64_t opset) {
  constexpr std::array<std::pair<std::int64_t, std::int64_t>, 8> kTable{
      {{11, 6}, {14, 7}, {18, 8}, {20, 9}, {22, 10}, {23, 11}, {24, 12}, {27, 13}}};
  for (const auto& [last, version] : kTable)
    if (opset <= last) return version;
  return 14;
}

}  // namespace bitplan::onnx
