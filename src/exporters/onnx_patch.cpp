#include "onnx_patch.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "bitplan/error.h"
#include "network/lowered_graph.h"
#include "onnx/quantized_values.h"
#include "onnx_places.h"
#include "onnx_weight.h"

namespace bitplan::exporters {

namespace {

using onnx::ElementType;

/// For each gate of ONNX's which one it is of ATen's.
std::vector<std::int64_t> GatesOf(const onnx::Node& node) {
  if (node.op == "LSTM") return {0, 3, 1, 2};  // iofc of ifgo
  if (node.op == "GRU") return {1, 0, 2};      // zrh of rzn
  return {0};
}

at::Tensor GatesFirst(const at::Tensor& rows, const std::vector<std::int64_t>& gates) {
  std::vector<at::Tensor> parts;
  const std::vector<at::Tensor> own = rows.chunk(static_cast<std::int64_t>(gates.size()), 0);
  for (const std::int64_t gate : gates) parts.push_back(own[static_cast<std::size_t>(gate)]);
  return at::cat(parts);
}

/// The weight [rows, columns] with its gates in the node's order, as [1, rows, columns].
QuantizedTensor OfDirection(QuantizedTensor weight, const std::vector<std::int64_t>& gates) {
  const auto reorder = [&](at::Tensor& values, bool in_front) {
    if (!values.defined() || (values.size(0) == 1 && !in_front)) return;
    values = GatesFirst(values, gates);
    if (in_front) values = values.unsqueeze(0);
  };
  reorder(weight.value, true);
  reorder(weight.q, true);
  reorder(weight.scale, false);
  reorder(weight.zero_point, false);
  weight.channel_axis += 1;
  return weight;
}

/// What a Gemm multiplies its product, or what it adds, with.
double FactorOf(const onnx::Node& node, const std::string& name) {
  const auto factor = node.op == "Gemm" ? node.attributes.find(name) : node.attributes.end();
  return factor == node.attributes.end() ? 1 : static_cast<double>(std::get<float>(factor->second));
}

class Patcher {
 public:
  Patcher(const Network& network, const PlannedTensors& planned, const OnnxFlavor& flavor, const onnx::Model& model,
          onnx::ModelEditor& editor)
      : network_(network),
        planned_(planned),
        flavor_(flavor),
        beside_inputs_(BesideInputs(flavor)),
        places_(network, model),
        editor_(editor),
        opset_(std::max<std::int64_t>(model.opset, 13)) {}

  void Patch() {
    for (std::size_t i = 0; i < network_.layers().size(); ++i) PatchLayer(i);
    for (const auto& [place, parts] : recurrent_) JoinDirections(place, parts);
    for (const std::size_t index : planned_.changed) PatchParameter(index);
    for (const auto& [site, shift] : planned_.shifts) AddShift(site, shift);
    PatchInputs();
    editor_.RaiseOpset(opset_);
  }

 private:
  using Key = std::pair<std::string, std::size_t>;  // node and input

  void PatchLayer(std::size_t index) {
    const Layer& layer = network_.layers()[index];
    const auto weight_index = static_cast<std::size_t>(layer.weight);
    const QuantizedTensor& weight = planned_.weights[index];
    const std::vector<std::string> norms = places_.NormsOf(index);
    const bool is_new = weight.format.bits < 32 || !norms.empty() || planned_.changed.contains(weight_index);
    const auto places = places_.WeightsOf(index);
    const bool recurrent = !places.empty() && places.front().direction;
    if (is_new || recurrent) PatchWeight(index, weight, places);
    if (is_new && recurrent)
      for (const WeightPlace& place : places) renewed_.insert({place.input.node, place.input.index});
    if (layer.bias >= 0) done_.insert(static_cast<std::size_t>(layer.bias));
    done_.insert(weight_index);
    if (layer.bias >= 0 && (!norms.empty() || planned_.changed.contains(static_cast<std::size_t>(layer.bias))))
      PatchBias(index);
    for (const std::string& norm : norms) editor_.Remove(norm);
  }

  void PatchWeight(std::size_t index, const QuantizedTensor& weight, const std::vector<WeightPlace>& places) {
    const Layer& layer = network_.layers()[index];
    const std::string what = fmt::format("layer '{}'", layer.name);
    if (weight.negative_scale.defined())
      throw Error(fmt::format("{}: {} has no place for a scale of its own for −1", what, flavor_.name));
    const bool quantized_input = std::any_of(layer.uses.begin(), layer.uses.end(), [&](const LayerUse& use) {
      return planned_.inputs.contains(use.input_site);
    });
    std::map<std::pair<std::size_t, std::vector<std::int64_t>>, std::string> made;  // by graph and order of axes
    for (const WeightPlace& place : places) {
      const onnx::Node& node = places_.NodeOf(place.input.node);
      const std::string name = NameOf(place.input, layer);
      if (place.direction) {
        const QuantizedTensor own = OfDirection(weight, GatesOf(node));
        recurrent_[{place.input.node, place.input.index}][*place.direction] =
            AddWeight(own, {0, 1, 2}, what, fmt::format("{}_{}", name, *place.direction), node.name, quantized_input);
        continue;
      }
      std::string& value = made[{editor_.GraphOf(node.name), place.axes}];
      if (value.empty()) value = AddWeight(weight, place.axes, what, name, node.name, quantized_input);
      editor_.SetInput(place.input, value);
    }
  }

  /// What the file calls what the node reads there, or the layer.
  std::string NameOf(const onnx::NodeInput& place, const Layer& layer) const {
    const std::string name = editor_.InputOf(place);
    return name.empty() ? layer.name : name;
  }

  std::string AddWeight(const QuantizedTensor& weight, const std::vector<std::int64_t>& axes, const std::string& what,
                        const std::string& name, const std::string& beside, bool quantized_input) {
    const ElementType type = places_.TypeOf(name);
    if (!weight.format.HasScale()) {
      const at::Tensor& values = weight.format.bits == 16 ? weight.q : weight.value;
      return onnx::AddValues(editor_, beside, ValuesOf(values.permute(axes), name), type);
    }
    const onnx::CodedTensor coded = CodesOf(weight, axes, what, name, quantized_input ? beside_inputs_ : flavor_);
    opset_ = std::max(opset_, onnx::OpsetOf(coded));
    return onnx::AddValues(editor_, beside, coded, type);
  }

  /// What a recurrent node reads: its directions one after the other.
  void JoinDirections(const Key& place, const std::map<std::size_t, std::string>& parts) {
    if (!renewed_.contains(place)) return;
    std::string value = parts.begin()->second;
    if (parts.size() > 1) {
      onnx::NewNode join{"Concat", {}, {editor_.NewName(place.first + "_directions")}, {{"axis", std::int64_t{0}}}};
      for (const auto& [direction, part] : parts) join.inputs.push_back(part);
      editor_.AddFirst(place.first, join);
      value = join.outputs[0];
    }
    editor_.SetInput({place.first, place.second}, value);
  }

  void PatchBias(std::size_t index) {
    const Layer& layer = network_.layers()[index];
    const at::Tensor& bias = planned_.parameters[static_cast<std::size_t>(layer.bias)];
    for (const onnx::NodeInput& place : places_.BiasesOf(index)) SetBias(place, bias, layer);
  }

  void SetBias(const onnx::NodeInput& place, const at::Tensor& bias, const Layer& layer) {
    std::string name = editor_.InputOf(place);
    if (name.empty()) name = layer.name + ".bias";
    editor_.SetInput(place, onnx::AddValues(editor_, place.node, ValuesOf(bias, name), places_.TypeOf(name)));
  }

  void PatchParameter(std::size_t index) {
    if (done_.contains(index)) return;
    const Parameter& parameter = network_.parameters()[index];
    for (const onnx::NodeInput& place : places_.InputsOf(parameter))
      editor_.SetInput(place, onnx::AddValues(editor_, place.node, ValuesOf(planned_.parameters[index], parameter.name),
                                              places_.TypeOf(editor_.InputOf(place))));
  }

  /// Into the bias where the node has a free input for one, else added behind it.
  void AddShift(int site, const at::Tensor& shift) {
    const std::string& name = network_.sites()[static_cast<std::size_t>(site)].name;
    for (const std::string& node : places_.OutputsOf(site)) {
      const onnx::Node& own = places_.NodeOf(node);
      const onnx::NodeInput bias{node, 2};
      const double factor = FactorOf(own, "alpha");
      const bool takes_bias = own.op == "Conv" || (own.op == "Gemm" && factor == 1 && FactorOf(own, "beta") == 1);
      if (takes_bias && editor_.InputOf(bias).empty()) {
        editor_.SetInput(bias, onnx::AddValues(editor_, node, ValuesOf(shift.flatten(), name + "_bias"),
                                               places_.TypeOf(own.outputs[0])));
        continue;
      }
      const std::string value =
          onnx::AddValues(editor_, node, ValuesOf(shift * factor, name + "_shift"), places_.TypeOf(own.outputs[0]));
      const std::string output = editor_.OutputOf(node, 0), before = editor_.DivertOutput(node, 0);
      editor_.AddAfter(node, {"Add", {before, value}, {output}});
    }
  }

  /// Those who read a value on the same grid.
  struct Readers {
    std::size_t graph = 0;
    std::string value;
    onnx::ActivationGrid grid;
    std::vector<onnx::NodeInput> places = {};
  };

  /// Sites of one value on one grid, a layer's input and an operand, read it from one pair of nodes: so a tool can hand
  /// it on in codes.
  void PatchInputs() {
    std::vector<Readers> all;
    for (const auto& [site, input] : planned_.inputs) {
      const onnx::ActivationGrid grid = GridOf(input, network_.sites()[static_cast<std::size_t>(site)].name);
      opset_ = std::max(opset_, onnx::OpsetOf(grid.type));
      for (const onnx::NodeInput& place : places_.InputsOf(site)) {
        Readers own{editor_.GraphOf(place.node), editor_.InputOf(place), grid};
        own.grid.value_type = places_.TypeOf(own.value);
        const auto same = std::find_if(all.begin(), all.end(), [&](const Readers& other) {
          return other.graph == own.graph && other.value == own.value && other.grid == own.grid;
        });
        Readers& readers = same == all.end() ? all.emplace_back(std::move(own)) : *same;
        readers.places.push_back(place);
      }
    }
    for (const Readers& readers : all) {
      std::vector<std::string> nodes;
      for (const onnx::NodeInput& place : readers.places) nodes.push_back(place.node);
      const std::string value = onnx::AddGrid(editor_, nodes, readers.value, readers.grid);
      for (const onnx::NodeInput& place : readers.places) editor_.SetInput(place, value);
    }
  }

  onnx::ActivationGrid GridOf(const QuantizedInput& input, const std::string& site) const {
    const Format& format = input.format;
    onnx::ActivationGrid grid;
    grid.offset = static_cast<float>(input.range.offset);
    if (!format.HasScale()) {
      grid.type = format.type == NumberType::BFloat16 ? ElementType::Bfloat16 : ElementType::Float16;
      return grid;
    }
    const bool is_signed = format.scheme == Scheme::Symmetric;
    const std::int64_t least = format.QuantMin(), largest = format.QuantMax(), zero = input.range.zero_point;
    grid.type = TypeFor(flavor_.input_types, least, largest, is_signed);
    if (grid.type == ElementType::Undefined)
      throw Error(fmt::format("input '{}': {} has no type for {} integers of {} bits", site, flavor_.name,
                              is_signed ? "signed" : "unsigned", format.bits));
    grid.scale = static_cast<float>(input.range.scale);
    grid.zero_point = zero;
    const CodeRange range = RangeOf(grid.type);
    if (least > range.least || largest < range.largest)
      grid.range = {static_cast<float>(static_cast<double>(least - zero) * input.range.scale),
                    static_cast<float>(static_cast<double>(largest - zero) * input.range.scale)};
    return grid;
  }

  const Network& network_;
  const PlannedTensors& planned_;
  const OnnxFlavor& flavor_;
  const OnnxFlavor beside_inputs_;
  OnnxPlaces places_;
  onnx::ModelEditor& editor_;
  std::int64_t opset_;
  std::set<std::size_t> done_;                                   // parameters of layers
  std::map<Key, std::map<std::size_t, std::string>> recurrent_;  // values of their directions
  std::set<Key> renewed_;                                        // those of which one is planned
};

}  // namespace

void PatchModel(const Network& network, const PlannedTensors& planned, const OnnxFlavor& flavor,
                const onnx::Model& model, onnx::ModelEditor& editor) {
  Patcher(network, planned, flavor, model, editor).Patch();
}

}  // namespace bitplan::exporters
