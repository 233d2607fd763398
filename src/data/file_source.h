#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bitplan/sample_source.h"
#include "stored_samples.h"

namespace bitplan::data {

/// Samples that are read from their file each time they are asked for, and checked then, in the form that a Dataset
/// keeps them in.
class FileSource : public SampleSource {
 public:
  /// Inputs of equal counts that CheckInputs found right. `order`: the numbers of the samples that are taken; nothing:
  /// all. `labels`: checked, of these.
  FileSource(std::vector<StoredTensor> inputs, std::optional<std::vector<std::int64_t>> order, at::Tensor labels,
             std::string name, std::string sha256);

  std::int64_t size() const override;
  std::vector<SampleForm> inputs() const override;
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override;
  std::vector<at::Tensor> Inputs(const std::vector<std::int64_t>& samples) const override;
  at::Tensor Labels() const override { return labels_; }
  std::string sha256() const override { return sha256_; }
  std::string name() const override { return name_; }

 private:
  std::vector<StoredTensor> inputs_;
  std::optional<std::vector<std::int64_t>> order_;
  at::Tensor labels_;
  std::string name_, sha256_;
};

}  // namespace bitplan::data
