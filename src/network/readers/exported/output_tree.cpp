#include "readers/exported/output_tree.h"

#include <ATen/core/jit_type.h>
#include <fmt/format.h>

#include <optional>

#include "bitplan/error.h"
#include "readers/exported/program_json.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;

/// Nothing where it is no JSON, or nested deeper than any program is.
std::optional<Json> Parsed(const std::string& text) {
  try {
    return ParseProgram({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The names in a node's context, where it is a list of as many texts, or holds one: keys of a dict, fields of a class.
std::vector<std::string> NamesIn(const Json& context, std::size_t count) {
  if (!context.is_structured()) return {};
  const auto is_text = [](const Json& each) { return each.is_string(); };
  if (context.is_array() && context.size() == count && std::all_of(context.begin(), context.end(), is_text))
    return context.get<std::vector<std::string>>();
  for (const Json& part : context)
    if (auto names = NamesIn(part, count); !names.empty()) return names;
  return {};
}

class Tree {
 public:
  Tree(torch::jit::Graph& graph, const std::vector<Value*>& leaves) : graph_(graph), leaves_(leaves) {}

  /// Null where the leaves are too few.
  Value* Make(const Json& node) {
    const Json& children = node.at("children_spec");
    if (node.at("type").is_null() && children.empty()) return next_ < leaves_.size() ? leaves_[next_++] : nullptr;
    std::vector<Value*> parts;
    for (const Json& child : children) {
      parts.push_back(Make(child));
      if (!parts.back()) return nullptr;
    }
    const Json& context = node.at("context");
    const Json names = context.is_string() ? Parsed(context.get_ref<const std::string&>()).value_or(Json()) : context;
    return Pack(parts, NamesIn(names, parts.size()));
  }

  bool IsDone() const { return next_ == leaves_.size(); }

 private:
  Value* Pack(const std::vector<Value*>& parts, const std::vector<std::string>& names) {
    if (names.empty()) return graph_.insertNode(graph_.createTuple(parts))->output();
    std::vector<c10::TypePtr> types;
    for (const Value* part : parts) types.push_back(part->type());
    const c10::QualifiedName name(fmt::format("__torch__.bitplan.Output{}", tuples_++));
    return graph_.insertNode(graph_.createTuple(parts, c10::TupleType::createNamed(name, names, types)))->output();
  }

  torch::jit::Graph& graph_;
  const std::vector<Value*>& leaves_;
  std::size_t next_ = 0, tuples_ = 0;
};

/// The program's description is a list: the form's version, and the root.
std::optional<Json> RootOf(const std::string& spec) {
  const std::optional<Json> parsed = Parsed(spec);
  if (!parsed || !parsed->is_array() || parsed->size() != 2) return std::nullopt;
  return (*parsed)[1];
}

}  // namespace

Value* OutputTree(torch::jit::Graph& graph, const std::vector<Value*>& leaves, const std::string& spec) {
  Tree tree(graph, leaves);
  if (const auto root = RootOf(spec)) {
    try {
      Value* const output = tree.Make(*root);
      if (output && tree.IsDone()) return output;
    } catch (const Json::exception&) {  // of a form that is not known: outputs are then told by their positions
    }
  }
  return leaves.size() == 1 ? leaves[0] : graph.insertNode(graph.createTuple(leaves))->output();
}

}  // namespace bitplan::network
