#include "network/model_file.h"

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <sstream>
#include <string_view>

#include "bitplan/error.h"
#include "network/module_writer.h"
#include "network/torch_error.h"

namespace bitplan::network {

namespace {

using torch::jit::Module;
using torch::jit::Value;

/// A TorchScript class needs a name that is a Python identifier; attributes do not.
std::string Identifier(std::string_view text) {
  std::string name = "m_";
  for (const char letter : text) name += std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  return name;
}

class ModelWriter : public ModuleWriter {
 public:
  ModelWriter(const LoweredGraph& network, const std::map<int, at::Tensor>& bounds)
      : ModuleWriter(network, "__torch__.bitplan.Network"), bounds_(bounds) {}

 private:
  struct Holder {
    Module module;
    std::string path;
  };

  Value* SiteValue(int site, Value* value) override {
    const auto bound = bounds_.find(site);
    if (bound == bounds_.end()) return value;
    const std::string name = FreeName(module_, fmt::format("bound{}", site));
    module_.register_buffer(name, bound->second);
    Value* const largest = graph_->insertGetAttr(self_, name)->setType(c10::TensorType::get());
    Value* const smallest = graph_->insert(c10::aten::neg, {largest});
    return graph_->insert(c10::aten::clamp, {value, smallest, largest});
  }

  Value* ParameterValue(std::size_t index) override {
    const Parameter& parameter = lowered_.parameters[index];
    Holder holder{module_, ""};
    Value* owner = self_;
    std::string_view rest = parameter.name;
    for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      const std::string part(rest.substr(0, dot));
      holder = Submodule(holder, part);
      const std::string attribute = holder.path.substr(holder.path.rfind('.') + 1);
      owner = graph_->insertGetAttr(owner, attribute)->setType(holder.module._ivalue()->type());
      rest.remove_prefix(dot + 1);
    }
    const std::string name = FreeName(holder.module, std::string(rest));
    holder.module.register_parameter(name, parameter.value.detach(), /*is_buffer=*/!parameter.trainable);
    return graph_->insertGetAttr(owner, name)->setType(c10::TensorType::get());
  }

  /// The submodule of this name, made where there is none yet.
  Holder Submodule(const Holder& owner, const std::string& part) {
    const std::string wanted = owner.path.empty() ? part : owner.path + "." + part;
    if (const auto found = submodules_.find(wanted); found != submodules_.end()) return found->second;
    const std::string name = FreeName(owner.module, part);
    const std::string path = owner.path.empty() ? name : owner.path + "." + name;
    Module child(c10::QualifiedName(c10::QualifiedName("__torch__.bitplan"),
                                    fmt::format("{}_{}", Identifier(path), submodules_.size())),
                 module_._ivalue()->compilation_unit());
    child.register_attribute("training", c10::BoolType::get(), false);
    Module parent = owner.module;
    parent.register_module(name, child);
    return submodules_.emplace(wanted, Holder{child, path}).first->second;
  }

  static std::string FreeName(const Module& module, const std::string& wanted) {
    std::string name = wanted.empty() ? "_" : wanted;
    while (module.hasattr(name) || name == "forward") name += "_";
    return name;
  }

  const std::map<int, at::Tensor>& bounds_;
  std::map<std::string, Holder> submodules_;  // by the path that was wanted
};

}  // namespace

std::string ModelFile(const LoweredGraph& network, const std::map<int, at::Tensor>& bounds) {
  std::ostringstream bytes;
  try {
    ModelWriter(network, bounds).Write().save(bytes);
  } catch (const std::exception& error) {
    if (!IsOfModel(error)) throw;
    throw Error(fmt::format("the network cannot be written as TorchScript: {}", TorchReason(error)));
  }
  return std::move(bytes).str();
}

}  // namespace bitplan::network
