#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bitplan/data.h"
#include "image_folder.h"

namespace bitplan::data {

/// Images of a folder, decoded each time they are asked for, on all threads.
class ImageSource : public SampleSource {
 public:
  /// `images`: those that are taken, in order, at least one, all as [3, h, w] of the shape. `skipped`: bad ones.
  ImageSource(ImageFolder images, std::vector<std::int64_t> shape, const DataOptions& options, std::string name,
              std::string sha256, std::vector<std::string> skipped);

  std::int64_t size() const override { return std::ssize(images_.files); }
  std::vector<SampleForm> inputs() const override { return {{name_, at::kByte, shape_}}; }
  std::vector<at::Tensor> Inputs(std::int64_t begin, std::int64_t end) const override;
  std::vector<at::Tensor> Inputs(const std::vector<std::int64_t>& samples) const override;
  at::Tensor Labels() const override { return images_.labels; }
  std::string sha256() const override { return sha256_; }
  std::string name() const override { return name_; }
  std::vector<std::string> skipped() const override { return skipped_; }

 private:
  ImageFolder images_;
  std::vector<std::int64_t> shape_;
  DataOptions options_;
  std::string name_, sha256_;
  std::vector<std::string> skipped_;
};

/// The images that the options draw, those that are bad left out and counted where they allow it. Held in memory where
/// they take little. Throws Error as Dataset::Load does.
std::shared_ptr<const SampleSource> LoadImages(const Spec& spec, const std::string& name, const DataOptions& options);

}  // namespace bitplan::data
