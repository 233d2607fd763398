#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/sample_source.h"
#include "checked_samples.h"

namespace bitplan::data {

/// A stage between a source and what reads it: the same samples but for what a derived class changes.
class SourceStage : public SampleSource {
 public:
  explicit SourceStage(std::shared_ptr<const SampleSource> source) : source_(std::move(source)) {}

  std::int64_t size() const override { return source_->size(); }
  std::vector<SampleForm> inputs() const override { return source_->inputs(); }
  at::Tensor Labels() const override { return source_->Labels(); }
  std::int64_t bytes() const override { return source_->bytes(); }
  std::string sha256() const override { return source_->sha256(); }
  std::vector<std::string> skipped() const override { return source_->skipped(); }
  std::string name() const override { return source_->name(); }

 protected:
  const SampleSource& source() const { return *source_; }

 private:
  std::shared_ptr<const SampleSource> source_;
};

/// What is read is converted and checked as CheckSamples has it, and is of the form that the source says. Throws Error
/// naming the sample.
class CheckedSamples : public SourceStage {
 public:
  CheckedSamples(std::shared_ptr<const SampleSource> source, std::vector<std::int64_t> ignored_labels)
      : SourceStage(std::move(source)), ignored_labels_(std::move(ignored_labels)) {}

  std::vector<SampleForm> inputs() const override;
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override;
  std::vector<at::Tensor> Inputs(const std::vector<std::int64_t>& samples) const override;
  at::Tensor Labels() const override;

 private:
  std::vector<at::Tensor> Checked(std::vector<at::Tensor> read, std::int64_t count, const SampleNumber& number) const;

  std::vector<std::int64_t> ignored_labels_;
};

/// Some of the samples, in another order.
class DrawnSamples : public SourceStage {
 public:
  DrawnSamples(std::shared_ptr<const SampleSource> source, std::vector<std::int64_t> order)
      : SourceStage(std::move(source)), order_(std::move(order)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(order_.size()); }
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override;
  std::vector<at::Tensor> Inputs(const std::vector<std::int64_t>& samples) const override;
  at::Tensor Labels() const override;

 private:
  std::vector<std::int64_t> order_;
};

}  // namespace bitplan::data
