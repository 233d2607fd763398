#include "image_source.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "bitplan/error.h"
#include "checked_samples.h"
#include "decode/array.h"
#include "drawn_numbers.h"
#include "held_bytes.h"
#include "image_transform.h"
#include "memory_source.h"
#include "normalization.h"

namespace bitplan::data {

namespace {

at::Tensor Decoded(const std::string& file, const DataOptions& options) {
  return Transformed(decode::ReadImage(file), options, file);
}

/// `use(i, pixels, problem)` of each file, on all threads; `problem`: why there are no pixels, else empty.
template <typename Use>
void DecodeEach(const std::vector<std::string>& files, const DataOptions& options, const Use& use) {
  at::parallel_for(0, std::ssize(files), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      at::Tensor pixels;
      std::string problem;
      try {
        pixels = Decoded(files[static_cast<std::size_t>(i)], options);
      } catch (const Error& bad) {
        problem = bad.what();
      }
      use(static_cast<std::size_t>(i), pixels, problem);
    }
  });
}

std::string WrongShape(const std::string& file, const at::Tensor& pixels, const std::vector<std::int64_t>& shape) {
  return fmt::format("{}: {} × {} pixels, where the other images have {} × {}; make all of one size (crop, resize)",
                     file, pixels.size(2), pixels.size(1), shape[2], shape[1]);
}

/// Numbers of images in the order in which they are taken.
std::vector<std::int64_t> TakenOrder(std::int64_t count, const std::string& name, const DataOptions& options) {
  DataOptions all = options;
  if (options.skip_bad && options.samples > 0) {  // a bad one makes place for the next
    all.samples = std::max(options.samples, count);
    all.fewer_allowed = options.fewer_allowed || options.samples <= count;
  }
  if (auto drawn = DrawnNumbers(count, name, all)) return *std::move(drawn);
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

ImageFolder Picked(const ImageFolder& images, const std::vector<std::int64_t>& order) {
  ImageFolder picked;
  for (const std::int64_t i : order) picked.files.push_back(images.files[static_cast<std::size_t>(i)]);
  picked.labels = images.labels.index_select(0, at::tensor(order, at::kLong));
  return picked;
}

/// Which of the images, by their places, can be decoded: all that are asked for, or all; names of the others.
struct Checked {
  std::vector<std::int64_t> good;
  std::vector<std::string> skipped;
};

Checked CheckImages(const std::vector<std::string>& files, const DataOptions& options) {
  const std::size_t wanted = options.samples > 0 ? static_cast<std::size_t>(options.samples) : files.size();
  Checked checked;
  for (std::size_t begin = 0; begin < files.size() && checked.good.size() < wanted;) {
    const std::size_t count = std::min(files.size() - begin, wanted - checked.good.size());
    const std::vector<std::string> piece(files.begin() + static_cast<std::ptrdiff_t>(begin),
                                         files.begin() + static_cast<std::ptrdiff_t>(begin + count));
    std::vector<std::string> problems(count);
    DecodeEach(piece, options, [&](std::size_t i, const at::Tensor&, const std::string& why) { problems[i] = why; });
    for (std::size_t i = 0; i < count; ++i)
      if (problems[i].empty())
        checked.good.push_back(static_cast<std::int64_t>(begin + i));
      else
        checked.skipped.push_back(problems[i]);
    begin += count;
  }
  return checked;
}

void RequireEnough(const Checked& checked, const std::string& name, const DataOptions& options) {
  if (checked.good.empty())
    throw Error(fmt::format("{}: none of its images can be decoded; the first: {}", name, checked.skipped.front()));
  if (std::ssize(checked.good) < options.samples && !options.fewer_allowed)
    throw Error(fmt::format("{}: {} samples were asked for, and of its images {} can be decoded and {} cannot", name,
                            options.samples, checked.good.size(), checked.skipped.size()));
}

std::vector<std::int64_t> ShapeOf(const ImageFolder& images, const DataOptions& options) {
  if (options.crop > 0) return {3, options.crop, options.crop};
  return Decoded(images.files.front(), options).sizes().vec();
}

}  // namespace

ImageSource::ImageSource(ImageFolder images, std::vector<std::int64_t> shape, const DataOptions& options,
                         std::string name, std::string sha256, std::vector<std::string> skipped)
    : images_(std::move(images)),
      shape_(std::move(shape)),
      options_(options),
      name_(std::move(name)),
      sha256_(std::move(sha256)),
      skipped_(std::move(skipped)) {}

std::vector<at::Tensor> ImageSource::Inputs(std::int64_t begin, std::int64_t end) const {
  std::vector<std::int64_t> samples(static_cast<std::size_t>(end - begin));
  std::iota(samples.begin(), samples.end(), begin);
  return Inputs(samples);
}

std::vector<at::Tensor> ImageSource::Inputs(const std::vector<std::int64_t>& samples) const {
  std::vector<std::string> files, problems(samples.size());
  for (const std::int64_t sample : samples) files.push_back(images_.files[static_cast<std::size_t>(sample)]);
  std::vector<std::int64_t> shape = shape_;
  shape.insert(shape.begin(), std::ssize(samples));
  at::Tensor batch = at::empty(shape, at::kByte);
  DecodeEach(files, options_, [&](std::size_t i, const at::Tensor& pixels, const std::string& problem) {
    problems[i] = problem;
    if (!problem.empty()) return;
    if (pixels.sizes() == shape_)
      batch[static_cast<std::int64_t>(i)].copy_(pixels);
    else
      problems[i] = WrongShape(files[i], pixels, shape_);
  });
  for (const std::string& problem : problems)
    if (!problem.empty()) throw Error(problem);
  return {batch};
}

std::shared_ptr<const SampleSource> LoadImages(const Spec& spec, const std::string& name, const DataOptions& options) {
  const ImageFolder all = ListImages(spec);
  const std::string sha256 = ImageFolderSha256(all, spec.file, options);
  ImageFolder taken = Picked(all, TakenOrder(std::ssize(all.files), name, options));
  std::vector<std::string> skipped;
  if (options.skip_bad) {
    Checked checked = CheckImages(taken.files, options);
    RequireEnough(checked, name, options);
    taken = Picked(taken, checked.good);
    skipped = std::move(checked.skipped);
  }
  std::vector<std::int64_t> shape = ShapeOf(taken, options);
  const SampleForm form{name, at::kByte, shape};
  CheckNormalization(form, options);
  taken.labels = CheckLabels({taken.labels, name + ": labels"}, options.ignored_labels);
  auto images = std::make_shared<ImageSource>(std::move(taken), shape, options, name, sha256, skipped);
  if (images->size() > SmallBytes(options.memory_bytes) / (3 * shape[1] * shape[2])) return images;
  RawSamples held;
  held.inputs.push_back({images->Inputs(0, images->size()).front(), name});
  held.labels.tensor = images->Labels();
  return std::make_shared<MemorySource>(std::move(held), name, sha256, skipped);
}

}  // namespace bitplan::data
