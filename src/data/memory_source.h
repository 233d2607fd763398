#pragma once

#include <string>
#include <vector>

#include "bitplan/sample_source.h"
#include "raw_samples.h"

namespace bitplan::data {

SampleForm FormOf(const RawTensor& input);

/// Samples in memory: what all formats are decoded to.
class MemorySource : public SampleSource {
 public:
  /// Inputs of equal counts, at least one. `sha256`: of the files that they come from, `skipped`: what was
  /// left out of them.
  MemorySource(RawSamples samples, std::string name, std::string sha256 = "", std::vector<std::string> skipped = {});

  std::int64_t size() const override { return samples_.inputs.front().tensor.size(0); }
  std::vector<SampleForm> inputs() const override;
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override;
  std::vector<at::Tensor> Inputs(const std::vector<std::int64_t>& samples) const override;
  at::Tensor Labels() const override { return samples_.labels.tensor; }
  std::int64_t bytes() const override;
  std::string sha256() const override { return sha256_; }
  std::vector<std::string> skipped() const override { return skipped_; }
  std::string name() const override { return name_; }

 private:
  RawSamples samples_;
  std::string name_, sha256_;
  std::vector<std::string> skipped_;
};

}  // namespace bitplan::data
