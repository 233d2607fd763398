#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace bitplan::test {

/// Saves a model of linear layers [32, 32], one after the other, whose weights have these dotted names and `.weight`.
inline void SaveChain(const std::filesystem::path& file, const std::vector<std::string>& names) {
  torch::jit::Module model(c10::QualifiedName("__torch__.Chain"));
  auto graph = std::make_shared<torch::jit::Graph>();
  torch::jit::Value* const self = graph->addInput("self");
  torch::jit::Value* value = graph->addInput("x");
  std::vector<std::vector<std::string>> paths;
  int parts = 0;
  auto generator = at::make_generator<at::CPUGeneratorImpl>(1);
  for (const std::string& name : names) {
    std::vector<std::string> path;
    torch::jit::Module at = model;
    for (std::size_t begin = 0; begin <= name.size();) {
      const std::size_t end = std::min(name.find('.', begin), name.size());
      path.push_back(name.substr(begin, end - begin));
      begin = end + 1;
      if (!at.hasattr(path.back()))
        at.register_module(path.back(),
                           torch::jit::Module(c10::QualifiedName("__torch__.Part" + std::to_string(parts++))));
      at = at.attr(path.back()).toModule();
    }
    at.register_parameter("weight", at::randn({32, 32}, generator) / 6, /*is_buffer=*/false);
    paths.push_back(path);
  }
  self->setType(model.type());
  for (const std::vector<std::string>& path : paths) {
    torch::jit::Value* module = self;
    for (const std::string& part : path) module = graph->insertGetAttr(module, part);
    value = graph->insert(c10::aten::linear, {value, graph->insertGetAttr(module, "weight")});
  }
  graph->registerOutput(value);
  model.register_attribute("training", c10::BoolType::get(), false);
  model.type()->addMethod(model._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*model.type()->name(), "forward"), graph));
  model.save(file.string());
}

}  // namespace bitplan::test
