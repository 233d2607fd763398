#include "output.h"

#include <ATen/ATen.h>
#include <ATen/core/jit_type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "network/torch_error.h"
#include "text/shortened.h"

namespace bitplan::network {

namespace {

using Named = std::vector<std::pair<std::string, c10::IValue>>;

/// The parts of a tuple, list or dict, by name where they have one, else by index.
Named Parts(const c10::IValue& value) {
  Named parts;
  const auto add = [&](const c10::IValue& part) { parts.emplace_back(std::to_string(parts.size()), part); };
  if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements()) add(element);
    if (const auto& schema = value.type()->expectRef<c10::TupleType>().schema())
      for (std::size_t i = 0; i < parts.size(); ++i) parts[i].first = schema->arguments()[i].name();
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) add(element);
  } else if (value.isTensorList()) {
    for (const at::Tensor& element : value.toTensorVector()) add(element);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict())
      parts.emplace_back(entry.key().isString() ? entry.key().toStringRef() : fmt::format("{}", parts.size()),
                         entry.value());
  }
  return parts;
}

std::string Names(const Named& parts) {
  std::vector<std::string> names;
  for (const auto& [name, part] : parts) names.push_back(name);
  return text::Shortened(names);
}

using NamedValues = std::vector<std::pair<std::string, torch::jit::Value*>>;

/// The parts of a tuple, list or dict that the graph makes and only returns; none where it cannot be taken apart.
NamedValues Parts(torch::jit::Value* value) {
  torch::jit::Node* const node = value->node();
  NamedValues parts;
  if (value->uses().size() != 1) return parts;
  const auto inputs = node->inputs();
  if (node->kind() == c10::prim::TupleConstruct || node->kind() == c10::prim::ListConstruct) {
    const auto tuple = value->type()->cast<c10::TupleType>();
    const auto schema = tuple ? tuple->schema() : nullptr;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      parts.emplace_back(schema ? schema->arguments()[i].name() : std::to_string(i), inputs[i]);
  } else if (node->kind() == c10::prim::DictConstruct) {
    for (std::size_t i = 0; i + 1 < inputs.size(); i += 2) {
      const auto key = torch::jit::toIValue(inputs[i]);
      if (!key) return {};
      parts.emplace_back(key->isString() ? key->toStringRef() : std::to_string(i / 2), inputs[i + 1]);
    }
  }
  return parts;
}

/// What is in a network's outputs, by paths.
void AddOutputValues(Named& values, const std::string& path, const c10::IValue& value) {
  if (value.isNone()) return;
  const bool holds_others = value.isTuple() || value.isList() || value.isGenericDict();
  if (!holds_others) return values.emplace_back(path, value), void();
  for (const auto& [name, part] : Parts(value)) AddOutputValues(values, path.empty() ? name : path + "." + name, part);
}

/// What a path of names and indices leads to, and the same path in names. Throws Error listing what is there instead.
std::pair<std::string, c10::IValue> Find(const c10::IValue& output, const std::string& path) {
  const Named parts = Parts(output);
  const auto dot = path.find('.');
  const std::string head = path.substr(0, dot);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].first != head && std::to_string(i) != head) continue;
    if (dot == std::string::npos) return parts[i];
    const auto [rest, value] = Find(parts[i].second, path.substr(dot + 1));
    return {parts[i].first + "." + rest, value};
  }
  throw Error(parts.empty() ? fmt::format("the network has no output '{}': what would hold it is no list or dict", path)
                            : fmt::format("the network has no output '{}'; its outputs are {}", path, Names(parts)));
}

/// Of `which`: "all", or paths with commas between.
Named OutputValues(const c10::IValue& output, const std::string& which) {
  Named values;
  if (which == kAllOutputs) {
    AddOutputValues(values, "", output);
    return values;
  }
  for (std::size_t begin = 0; begin <= which.size();) {
    const std::size_t end = std::min(which.find(',', begin), which.size());
    const auto [path, value] = Find(output, which.substr(begin, end - begin));
    AddOutputValues(values, path, value);
    begin = end + 1;
  }
  return values;
}

bool IsFloatTensor(const c10::IValue& value) { return value.isTensor() && value.toTensor().is_floating_point(); }

std::string TypeText(const c10::IValue& value) {
  return value.isTensor() ? c10::toString(value.toTensor().scalar_type()) : value.tagKind();
}

}  // namespace

bool SelectsSeveral(const std::string& which) { return which == kAllOutputs || which.find(',') != std::string::npos; }

std::string NarrowOutput(LoweredGraph& lowered, std::string which) {
  torch::jit::Value* output = lowered.graph->outputs()[0];
  for (NamedValues parts = Parts(output); !parts.empty(); parts = Parts(output)) {
    if (which.find(',') != std::string::npos) break;
    if (which.empty() || which == kAllOutputs) {
      std::erase_if(parts, [](const auto& part) { return part.second->mustBeNone(); });
      if (parts.size() != 1) break;
      output = parts[0].second;
    } else {
      const auto dot = which.find('.');
      const std::string head = which.substr(0, dot);
      std::size_t found = 0;
      while (found < parts.size() && parts[found].first != head && std::to_string(found) != head) ++found;
      if (found == parts.size()) break;
      output = parts[found].second;
      which = dot == std::string::npos ? "" : which.substr(dot + 1);
    }
    lowered.graph->eraseOutput(0);
    lowered.graph->registerOutput(output);
    torch::jit::EliminateDeadCode(lowered.graph);  // leaves the return as the only reader of the parts
  }
  lowered.RemoveUnusedParameters();
  return which;
}

at::Tensor SelectOutput(const c10::IValue& output, const std::string& which) {
  if (output.isTensor()) {
    if (which.empty() || which == "0") return output.toTensor();
    throw Error(fmt::format("the network has no output '{}': its output is one tensor", which));
  }
  const Named parts = Parts(output);
  if (parts.empty()) throw Error(fmt::format("the network's output is {}, not a tensor", output.tagKind()));
  if (which.empty()) {
    Named tensors = parts;
    std::erase_if(tensors, [](const auto& part) { return part.second.isNone(); });
    if (tensors.size() == 1) return SelectOutput(tensors[0].second, "");
    throw Error(fmt::format("the network has {} outputs ({}); name one with the option output, or several, or all",
                            parts.size(), Names(parts)));
  }
  const auto dot = which.find('.');
  const std::string head = which.substr(0, dot), rest = dot == std::string::npos ? "" : which.substr(dot + 1);
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i].first == head || std::to_string(i) == head) return SelectOutput(parts[i].second, rest);
  throw Error(fmt::format("the network has no output '{}'; its outputs are {}", which, Names(parts)));
}

std::vector<NamedOutput> DescribeOutputs(const c10::IValue& output, const std::string& which) {
  std::vector<NamedOutput> outputs;
  if (output.isTensor()) return outputs;
  for (const auto& [name, value] : OutputValues(output, which)) {
    NamedOutput& described = outputs.emplace_back(NamedOutput{name, {}, IsFloatTensor(value) ? "" : TypeText(value)});
    if (value.isTensor() && value.toTensor().dim() > 0) described.shape = value.toTensor().sizes().slice(1).vec();
  }
  return outputs;
}

std::vector<at::Tensor> FloatOutputs(const c10::IValue& output, const std::string& which) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, value] : OutputValues(output, which))
    if (IsFloatTensor(value)) tensors.push_back(value.toTensor());
  return tensors;
}

at::Tensor SideBySide(const c10::IValue& output, const std::string& which, std::optional<std::int64_t> samples) {
  if (output.isTensor()) return SelectOutput(output, which == kAllOutputs ? "" : which);
  const Named values = OutputValues(output, which);
  std::vector<at::Tensor> rows;
  for (const auto& [name, value] : values) {
    if (!IsFloatTensor(value)) continue;
    const at::Tensor tensor = value.toTensor();
    if (!samples && tensor.dim() > 0) samples = tensor.size(0);
    if (tensor.dim() == 0 || tensor.size(0) != *samples)
      throw Error(
          fmt::format("the network's output '{}' has shape [{}] for a batch of {}, and its first axis must "
                      "count the samples; name the outputs to use, with commas between",
                      name, fmt::join(tensor.sizes(), ", "), samples.value_or(1)));
    rows.push_back(tensor.reshape({*samples, tensor.numel() / std::max<std::int64_t>(*samples, 1)}));
  }
  if (rows.empty())
    throw Error(fmt::format("the network has no output of floating-point numbers among its {} ({})", values.size(),
                            Names(values)));
  return at::cat(rows, 1);
}

void CheckSampleAxis(const at::Tensor& output, std::int64_t samples) {
  if (output.dim() > 0 && output.size(0) == samples) return;
  throw RefusedNetwork(
      fmt::format("the network's output has shape [{}] for a batch of {}, and its first axis must count the samples: "
                  "does it take a "
                  "mean or a view over the batch?",
                  fmt::join(output.sizes(), ", "), samples));
}

}  // namespace bitplan::network
