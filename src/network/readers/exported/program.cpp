#include "readers/exported/program.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "bitplan/error.h"
#include "input_value.h"
#include "readers/exported/nodes.h"
#include "readers/exported/output_tree.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;

/// Where a tensor lies and how: equal for those that are tied.
using Place = std::tuple<const void*, at::ScalarType, std::vector<std::int64_t>, std::vector<std::int64_t>>;

Place PlaceInMemory(const at::Tensor& tensor) {
  return {tensor.const_data_ptr(), tensor.scalar_type(), tensor.sizes().vec(), tensor.strides().vec()};
}

LoweredGraph Empty() {
  LoweredGraph lowered;
  lowered.graph = std::make_shared<torch::jit::Graph>();
  return lowered;
}

class ProgramReader {
 public:
  ProgramReader(ExportedArchive& archive, const c10::Device& device, const std::map<std::string, std::string>& values)
      : archive_(archive),
        module_(archive.program().at("graph_module")),
        graph_(module_.at("graph")),
        values_(values),
        device_(device),
        nodes_(*lowered_.graph, device) {
    for (const std::string& each : archive.names_in_order())
      if (const at::Tensor tensor = archive.Tensor(each); tensor.numel() > 0)
        first_names_.emplace(PlaceInMemory(tensor), each);
  }

  LoweredGraph Read() {
    for (const Json& spec : module_.at("signature").at("input_specs")) AddUserInput(spec);
    CheckValues();
    for (const Json& spec : module_.at("signature").at("input_specs")) AddState(spec);
    nodes_.Insert(graph_, scope_);
    ReturnOutputs();
    if (nodes_.was_training()) lowered_.remarks.push_back("exported in training mode, and put in eval mode");
    return std::move(lowered_);
  }

 private:
  void AddUserInput(const Json& spec) {
    const auto [kind, content] = Untag(spec);
    if (kind != "user_input") return;
    const auto [form, value] = Untag(content.at("arg"));
    if (form == "as_tensor") {
      const std::string name = value.at("name").get<std::string>();
      if (lowered_.arguments.empty()) lowered_.traced_samples = FixedSamples(name);
      lowered_.arguments.push_back(name);
      Value* const input = lowered_.graph->addInput()->setType(c10::TensorType::get());
      nodes_.SetSizes(graph_, name, input);
      scope_.emplace(name, input);
    } else if (value.is_object() && value.contains("as_name")) {
      AddNumber(form, value.at("as_name").get<std::string>());
    }  // anything else was fixed when it was exported
  }

  /// A number that the program computes with, and that the user says.
  void AddNumber(const std::string& form, const std::string& name) {
    const c10::TypePtr type = form == "as_sym_int"     ? c10::TypePtr(c10::IntType::get())
                              : form == "as_sym_float" ? c10::TypePtr(c10::FloatType::get())
                                                       : c10::TypePtr(c10::BoolType::get());
    const c10::Argument argument(name, type);
    const auto given = values_.find(name);
    if (given == values_.end()) RejectMissingValue(argument);
    const c10::IValue value = ParseInputValue(argument, given->second);
    lowered_.input_values[name] = InputValueText(value);
    scope_.emplace(name, lowered_.graph->insertConstant(value));
  }

  void CheckValues() const {
    for (const auto& [name, text] : values_)
      if (!lowered_.input_values.contains(name))
        throw Error(
            fmt::format("it has no input '{}' that takes a number: torch.export fixes those that are given to it "
                        "as plain numbers",
                        name));
  }

  std::optional<std::int64_t> FixedSamples(const std::string& name) const {
    const Json& sizes = graph_.at("tensor_values").at(name).at("sizes");
    if (sizes.empty()) return std::nullopt;
    const Json& first = sizes[0];
    return first.contains("as_int") ? std::optional(FixedSize(first)) : std::nullopt;
  }

  void AddState(const Json& spec) {
    const auto [kind, content] = Untag(spec);
    if (kind == "user_input") return;
    if (kind == "constant_input") {
      scope_.emplace(content.at("name").get<std::string>(), nodes_.Argument(content.at("value"), scope_));
    } else if (kind == "parameter") {
      AddTensor(content, content.at("parameter_name").get<std::string>(), /*is_parameter=*/true);
    } else if (kind == "buffer") {
      AddTensor(content, content.at("buffer_name").get<std::string>(), /*is_parameter=*/false);
    } else if (kind == "tensor_constant") {
      AddTensor(content, content.at("tensor_constant_name").get<std::string>(), /*is_parameter=*/false);
    } else {
      throw Error(fmt::format("the program has an input of kind {}, which has no meaning here", kind));
    }
  }

  void AddTensor(const Json& content, const std::string& name, bool is_parameter) {
    const std::string read_as = content.at("arg").at("name").get<std::string>();
    const at::Tensor tensor = archive_.Tensor(name);
    const auto first = first_names_.find(PlaceInMemory(tensor));
    Value*& input = states_[PlaceInMemory(tensor)];
    if (!input || tensor.numel() == 0) {
      const std::string& own_name = first == first_names_.end() ? name : first->second;
      input = lowered_.AddParameter({own_name, tensor.to(device_), is_parameter && tensor.is_floating_point()});
      nodes_.SetSizes(graph_, read_as, input);
    }
    scope_.emplace(read_as, input);
  }

  void ReturnOutputs() {
    std::vector<Value*> outputs;
    for (const Json& spec : module_.at("signature").at("output_specs")) {
      const auto [kind, content] = Untag(spec);
      if (kind == "user_output")
        outputs.push_back(nodes_.Argument(content.at("arg"), scope_));
      else if (!kind.ends_with("_mutation"))  // state starts anew in each run
        throw Error(fmt::format("the program has an output of kind {}: export the model for inference", kind));
    }
    if (outputs.empty()) throw Error("the program returns nothing");
    const Json& calls = module_.at("module_call_graph");
    const Json* const signature = calls.empty() ? nullptr : &calls[0].at("signature");
    const bool has_spec = signature && signature->is_object() && signature->contains("out_spec");
    lowered_.graph->registerOutput(
        OutputTree(*lowered_.graph, outputs, has_spec ? signature->at("out_spec").get<std::string>() : ""));
  }

  ExportedArchive& archive_;
  const Json& module_;
  const Json& graph_;
  const std::map<std::string, std::string>& values_;
  c10::Device device_;
  LoweredGraph lowered_ = Empty();
  ExportedNodes nodes_;
  Scope scope_;
  std::map<Place, Value*> states_;
  std::map<Place, std::string> first_names_;  // of tied ones, as the module names them: strict mode takes the last
};

}  // namespace

LoweredGraph ProgramGraph(ExportedArchive& archive, const c10::Device& device,
                          const std::map<std::string, std::string>& input_values) {
  return ProgramReader(archive, device, input_values).Read();
}

}  // namespace bitplan::network
