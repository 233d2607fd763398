#pragma once

#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace bitplan::test {

/// A TorchScript file without parameters whose forward is this source; gone with the value.
class FunctionFile {
 public:
  explicit FunctionFile(const std::string& forward, const std::string& name = "judge") {
    std::string folder = (std::filesystem::temp_directory_path() / "bitplan-function-XXXXXX").string();
    path_ = std::filesystem::path(mkdtemp(folder.data())) / (name + ".pt");
    torch::jit::Module module("Judge");
    module.define(forward);
    module.save(path_.string());
  }
  ~FunctionFile() { std::filesystem::remove_all(path_.parent_path()); }
  FunctionFile(const FunctionFile&) = delete;
  FunctionFile& operator=(const FunctionFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// Cross entropy of an output [N, C], by its definition.
inline constexpr const char* kCrossEntropySource =
    "def forward(self, output, labels):\n"
    "    shifted = output - torch.amax(output, [1], True)\n"
    "    lengths = torch.log(torch.sum(torch.exp(shifted), [1]))\n"
    "    return lengths - torch.squeeze(torch.gather(shifted, 1, torch.unsqueeze(labels, 1)), 1)\n";

}  // namespace bitplan::test
