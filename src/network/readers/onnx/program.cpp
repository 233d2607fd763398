#include "readers/onnx/program.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <memory>
#include <set>

#include "bitplan/error.h"
#include "readers/onnx/nodes.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;

/// Of a size that may change, in the two examples that values have: so different that what is made of them is, too.
constexpr std::array<std::int64_t, 2> kOpenSamples{4, 12}, kOpenSize{64, 192};

/// Whether these can be the fields of a named tuple, also when it is written to a file.
bool AreFields(const std::vector<std::string>& names) {
  const auto is_letter = [](char c) { return c == '_' || std::isalpha(static_cast<unsigned char>(c)) != 0; };
  const auto is_field = [&](const std::string& name) {
    return !name.empty() && is_letter(name[0]) && name[0] != '_' && std::ranges::all_of(name, [&](char c) {
      return is_letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
    });
  };
  return std::ranges::all_of(names, is_field) && std::set(names.begin(), names.end()).size() == names.size();
}

class OnnxProgramReader {
 public:
  OnnxProgramReader(const onnx::Model& model, const c10::Device& device)
      : model_(model),
        builder_(*lowered_.graph, device),
        parameters_(lowered_, builder_, model.graph),
        nodes_(builder_, parameters_) {}

  LoweredGraph Read() {
    for (const onnx::ValueInfo& input : model_.graph.inputs) AddInput(input);
    if (lowered_.arguments.empty()) throw Error("the model has no inputs");
    nodes_.Insert(model_.graph, scope_);
    ReturnOutputs();
    if (!nodes_.cut_before().empty())
      lowered_.remarks.push_back(fmt::format(
          "cut before {}, which PyTorch has no operator for: the outputs are what it reads", nodes_.cut_before()));
    return std::move(lowered_);
  }

 private:
  static LoweredGraph EmptyGraph() {
    LoweredGraph lowered;
    lowered.graph = std::make_shared<torch::jit::Graph>();
    return lowered;
  }

  void AddInput(const onnx::ValueInfo& input) {
    Value* const value = lowered_.graph->addInput()->setType(c10::TensorType::get());
    if (lowered_.arguments.empty() && input.shape && !input.shape->empty())
      if (const auto* const samples = std::get_if<std::int64_t>(&input.shape->front()))
        lowered_.traced_samples = *samples;
    lowered_.arguments.push_back(input.name);
    scope_.emplace(input.name, OnnxValue(value));
    const at::ScalarType type = OnnxType(input.type);
    if (!input.shape) return;
    OnnxBuilder::Examples examples;
    for (const std::size_t side : {0, 1})
      examples[side] = at::empty(ExampleSizes(input, type, side), at::TensorOptions(type).device(at::kMeta));
    builder_.SetExamples(value, examples);
  }

  /// The first axis is that of the samples, of which there may be any number even where the file says one. Of a list
  /// of integers, it is not.
  std::vector<std::int64_t> ExampleSizes(const onnx::ValueInfo& input, at::ScalarType type, std::size_t side) {
    const bool is_list = input.shape->size() < 2 && !at::isFloatingType(type);
    std::vector<std::int64_t> sizes;
    for (const onnx::Dimension& dimension : *input.shape) {
      const bool is_first = sizes.empty() && !is_list;
      if (const auto* const size = std::get_if<std::int64_t>(&dimension)) {
        sizes.push_back(is_first && side == 1 ? *size * 3 : *size);
      } else if (const auto* const name = std::get_if<std::string>(&dimension); name && named_.contains(*name)) {
        sizes.push_back(named_.at(*name)[side]);
      } else {
        const auto& open = is_first ? kOpenSamples : kOpenSize;
        if (name) named_.emplace(*name, open);
        sizes.push_back(open[side]);
      }
    }
    return sizes;
  }

  void ReturnOutputs() {
    std::vector<Value*> outputs;
    std::vector<std::string> names, returned;
    for (const onnx::ValueInfo& output : model_.graph.outputs) names.push_back(output.name);
    names.insert(names.end(), nodes_.cut_at().begin(), nodes_.cut_at().end());
    for (const std::string& name : names)
      if (const OnnxValue& value = scope_.at(name); !value.is_cut) {
        outputs.push_back(TensorOf(value, builder_));
        returned.push_back(name);
      }
    if (outputs.empty()) throw Error("the model returns nothing that can be computed");
    if (outputs.size() == 1) {
      lowered_.graph->registerOutput(outputs[0]);
      return;
    }
    c10::TupleTypePtr type;
    if (AreFields(returned))
      type = c10::TupleType::createNamed(c10::QualifiedName("__torch__.bitplan.Outputs"), returned,
                                         std::vector<c10::TypePtr>(outputs.size(), c10::TensorType::get()));
    lowered_.graph->registerOutput(lowered_.graph->insertNode(lowered_.graph->createTuple(outputs, type))->output());
  }

  const onnx::Model& model_;
  LoweredGraph lowered_ = EmptyGraph();
  OnnxBuilder builder_;
  OnnxParameters parameters_;
  OnnxNodes nodes_;
  OnnxScope scope_;
  std::map<std::string, std::array<std::int64_t, 2>> named_;
};

}  // namespace

LoweredGraph OnnxProgramGraph(const onnx::Model& model, const c10::Device& device) {
  return OnnxProgramReader(model, device).Read();
}

}  // namespace bitplan::network
