#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "bitplan/network.h"

namespace bitplan {

/// A network with the parameter `weight` and this forward, written in TorchScript.
inline Network ScriptedNetwork(const std::string& forward, const at::Tensor& weight) {
  torch::jit::Module module("Scripted");
  module.register_parameter("weight", weight, false);
  module.define(forward);
  const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const auto file = std::filesystem::temp_directory_path() / (name + std::to_string(getpid()) + ".pt");
  module.save(file.string());
  const Network network = Network::Load(file);
  std::filesystem::remove(file);
  return network;
}

}  // namespace bitplan
