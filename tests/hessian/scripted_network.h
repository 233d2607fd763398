#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "bitplan/network.h"

namespace bitplan {

/// A network with the parameter `weight` and this forward, written in TorchScript.
inline Network ScriptedNetwork(const std::string& forward, const at::Tensor& weight) {
  torch::jit::Module module("Scripted");
  module.register_parameter("weight", weight, false);
  module.define(forward);
  std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::replace(name.begin(), name.end(), '/', '_');
  const auto file = std::filesystem::temp_directory_path() / (name + std::to_string(getpid()) + ".pt");
  module.save(file.string());
  NetworkOptions options;
  options.samples_first = false;  // whatever the operators do
  const Network network = Network::Load(file, options);
  std::filesystem::remove(file);
  return network;
}

}  // namespace bitplan
