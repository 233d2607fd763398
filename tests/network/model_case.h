#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bitplan/network.h"
#include "message_of.h"

namespace bitplan::test {

/// A file that make_models.py wrote.
std::filesystem::path ModelPath(const std::string& file);

/// One model of make_models.py in all the kinds of file that it was saved as, with what PyTorch made of it.
class ModelCase {
 public:
  explicit ModelCase(std::string name);

  const std::string& name() const { return name_; }
  const nlohmann::json& expected() const { return expected_; }
  std::vector<std::string> kinds() const { return expected_.at("kinds"); }
  std::vector<at::Tensor> Inputs() const;
  /// The inputs' first sample, with a batch axis; all of the inputs where their batch axis is not the first.
  std::vector<at::Tensor> SampleInputs() const;
  /// A selector under which an output is expected: the empty one where the network has one output.
  std::string AnyOutput() const { return expected_.at("outputs").begin().key(); }
  Network Load(const std::string& kind, bool fold_batch_norm = true) const;
  Network Load(const std::string& kind, const NetworkOptions& options) const;

 private:
  std::string name_;
  nlohmann::json expected_;
};

/// Calls `check` with every case; what it throws is a failure of that case alone.
void ForEachCase(const std::function<void(const ModelCase&)>& check);

at::Tensor ToTensor(const nlohmann::json& tensor);

/// Largest absolute difference; infinite where shapes differ or a number is NaN.
double MaxDifference(const at::Tensor& actual, const at::Tensor& expected);

/// Index of the layer of this name; −1: there is none.
int LayerIndex(const Network& network, const std::string& name);

/// Keeps every tensor that passes a site.
class Recorder : public Probe {
 public:
  struct Visited {
    int site;
    at::Tensor value;
  };
  at::Tensor Visit(int site, const at::Tensor& value) override {
    visits_.push_back({site, value.detach().clone()});
    return value;
  }
  const std::vector<Visited>& visits() const { return visits_; }
  /// The first tensor seen at `site`; undefined where there was none.
  at::Tensor First(int site) const;

 private:
  std::vector<Visited> visits_;
};

/// Replaces the tensors at one site by a function of them, and records like Recorder.
class Replacer : public Recorder {
 public:
  Replacer(int site, std::function<at::Tensor(const at::Tensor&)> function)
      : site_(site), function_(std::move(function)) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    Recorder::Visit(site, value);
    return site == site_ ? function_(value) : value;
  }

 private:
  int site_;
  std::function<at::Tensor(const at::Tensor&)> function_;
};

/// Whether `message` is one line that a person can read: not empty, no line break, no trace of the C++ stack.
bool IsOneLine(const std::string& message);

}  // namespace bitplan::test
