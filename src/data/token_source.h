#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/sample_source.h"
#include "data/spec.h"
#include "decode/placed_array.h"
#include "token_windows.h"

namespace bitplan::data {

/// Windows of tokens with the token after each as its label, read from their file each time.
class TokenSource : public SampleSource {
 public:
  /// `tokens`: integers, row-major. `order`: the windows that are taken; nothing: all. `ignored`: tokens that are no
  /// predictions, beside kIgnoredLabel. Reads labels and holds them. Throws Error: tokens below 0 that are not ignored.
  TokenSource(decode::PlacedArray tokens, const TokenWindows& windows, std::optional<std::vector<std::int64_t>> order,
              const std::vector<std::int64_t>& ignored, std::string name, std::string sha256);

  std::int64_t size() const override { return order_ ? std::ssize(*order_) : windows_.size(); }
  std::vector<SampleForm> inputs() const override { return {{flat_.where, at::kLong, {windows_.context()}}}; }
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override;
  std::vector<at::Tensor> Inputs(const std::vector<std::int64_t>& samples) const override;
  at::Tensor Labels() const override { return labels_; }
  std::int64_t bytes() const override { return 0; }
  std::string sha256() const override { return sha256_; }
  std::string name() const override { return name_; }

 private:
  /// [samples, context] tokens as they are, from `shift` behind each window's first on.
  at::Tensor Read(const std::vector<std::int64_t>& samples, std::int64_t shift) const;
  void ReadLabels();
  at::Tensor Padding(const at::Tensor& tokens) const;  ///< bool: what is below 0; throws unless it is ignored

  decode::PlacedArray flat_;  // all tokens along one axis
  TokenWindows windows_;
  std::optional<std::vector<std::int64_t>> order_;
  std::vector<std::int64_t> ignored_;
  std::string name_, sha256_;
  at::Tensor labels_;
};

/// The windows of tokens:FILE that the options draw. Throws Error as Dataset::Load does.
std::shared_ptr<const SampleSource> LoadTokens(const Spec& spec, const std::string& name, const DataOptions& options);

}  // namespace bitplan::data
