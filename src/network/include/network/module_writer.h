#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstddef>
#include <string>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Builds a module around a copy of a network's graph. What its taps and parameters become is for the kind of file to
/// say.
class ModuleWriter {
 public:
  virtual ~ModuleWriter() = default;
  ModuleWriter(const ModuleWriter&) = delete;
  ModuleWriter& operator=(const ModuleWriter&) = delete;

  torch::jit::Module Write();

 protected:
  ModuleWriter(const LoweredGraph& lowered, const std::string& class_name);

  /// What takes the place of a tensor at a site; nodes are inserted where its tap was.
  virtual torch::jit::Value* SiteValue(int site, torch::jit::Value* value) = 0;

  /// What takes the place of a parameter; nodes are inserted at the graph's start.
  virtual torch::jit::Value* ParameterValue(std::size_t index) = 0;

  const LoweredGraph& lowered_;
  std::shared_ptr<torch::jit::Graph> graph_;
  torch::jit::Module module_;
  torch::jit::Value* self_ = nullptr;

 private:
  void ReplaceTaps();
  void CopyWrittenInputs();
  void ReplaceParameters();
};

}  // namespace bitplan::network
