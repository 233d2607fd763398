#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/sample_source.h"

namespace bitplan {

/// What stands for an ignored label, by the convention of PyTorch and Hugging Face: in integers, and in data of floats
/// that are otherwise 0 and 1. In a Batch's floats it is NaN. Predictions with such labels count in no figure or loss.
constexpr std::int64_t kIgnoredLabel = -100;

/// Which samples are taken and how they are prepared for the network.
struct DataOptions {
  std::int64_t samples = 0;    ///< how many, drawn without replacement by `seed`; 0 takes all, in file order
  bool fewer_allowed = false;  ///< take all when the data has fewer than `samples`, instead of throwing
  std::uint64_t seed = 0;
  /// Per-channel normalization of pixels that were scaled to [0, 1]: (x − mean) / std. One value, or one per channel
  /// (the first axis of a sample). Both or neither. Empty: for 3-channel CIFAR images the ImageNet constants
  /// (0.485,0.456,0.406 and 0.229,0.224,0.225), else none. 8-bit data (uint8) is divided by 255 first; floating-point
  /// data and bool are taken as they are, as float32. Integer data wider than 8 bits (token numbers) is passed on as
  /// int64 and refuses a normalization; int8 is refused.
  std::vector<double> mean;
  std::vector<double> std;
  /// Names of the network's inputs (Network::input_names), for files that name their tensors: where it has all of these
  /// names they are its inputs, in this order, and its other tensors, the labels aside, are left out; where it has none
  /// of them its tensors are the inputs in file order. Empty: always in file order.
  std::vector<std::string> input_names = {};
  /// Labels that are ignored, beside kIgnoredLabel in integers: 255 for pixels that do not count.
  std::vector<std::int64_t> ignored_labels = {};
  /// What the samples of a file may take in memory, in bytes, 0 without a limit. It changes no sample.
  std::int64_t memory_bytes = 0;
  /// Tokens of a window of tokens:FILE, ≥ 1; 0: all of a row but the last, which a single stream does not have. Needs
  /// to be 0 for data of other kinds.
  std::int64_t context = 0;
  /// Of images of a folder, in pixels, 0 leaves them as they are: first the shorter side is resized to `resize`, then
  /// the middle `crop` × `crop` is taken, black where an image is smaller. As torchvision's Resize and CenterCrop.
  std::int64_t resize = 0, crop = 0;
  std::string interpolation = "bilinear";  ///< of the resize: bilinear or bicubic, with antialias, or nearest
  /// Leave out images that cannot be decoded, see Dataset::skipped: all that are taken are decoded once before. Else
  /// they throw when they are read.
  bool skip_bad = false;

  void Validate() const;  ///< throws Error
};

/// Samples as the network takes them.
struct Batch {
  std::vector<at::Tensor> inputs;  ///< one per network input, [n, …]
  /// int64, or float32 where they are no integers, [n] (or [n, …] for dense labels); kIgnoredLabel or NaN where they
  /// are ignored; undefined when the data has none
  at::Tensor labels;
};

/// Samples of a source, prepared batch by batch. Those of files that are drawn are held in memory, in the form they had
/// in the file (8-bit images stay 8-bit), where they take no more than 256 MiB and an eighth of the limit, else read
/// from the file each time, which must stay there as it is. Compressed and column-major files are read through once,
/// and what is drawn of them is held.
class Dataset {
 public:
  /// `spec` is KIND:FILE[,LABELS_FILE]:
  ///   cifar10:FILE   binary records of 1 label byte and 3,072 pixel bytes (channel-major 3 × 32 × 32)
  ///   cifar100:FILE  the same with a coarse and a fine label byte; the fine one is the label (0 … 99)
  ///   idx:FILE[,LABELS_FILE]  IDX (MNIST), also gzip-compressed; [n, h, w] images become [n, 1, h, w]
  ///   npy:FILE[,LABELS_FILE]  one NumPy array, the first axis counts samples
  ///   npz:FILE       arrays by name (DataOptions::input_names) or in file order are the inputs; the one named label,
  ///                  labels, y, target, targets, label_ids, class, classes or ground_truth (also in capitals) the
  ///                  labels
  ///   pt:FILE[,LABELS_FILE]   by torch.save: a tensor, a list or tuple (inputs, one more: labels), or a dict (as npz)
  ///   safetensors:FILE  tensors by name, as npz
  ///   tokens:FILE.npy, tokens:FILE,TYPE  integers of a NumPy array (one stream, or rows along the last axis), or bytes
  ///                  without a header, a stream of little-endian int16, int32, int64, uint8, uint16 or uint32. Samples
  ///                  are windows of DataOptions::context tokens, one behind the other, none beyond a row's end; labels
  ///                  the token after each. Negative ones must be ignored labels (padding), and are 0 in inputs. They
  ///                  are read from the file each time; labels are held, 8 bytes a token.
  ///   images:FOLDER[,LABELS_FILE]  JPEG, PNG and WebP as uint8 [n, 3, h, w]; a folder in it for each class, their
  ///   order
  ///                  by name is the label; or a text of lines NAME LABEL. As DataOptions resizes and crops them they
  ///                  are all of one size. Decoded on all threads when they are read.
  /// Labels are integers or floating-point numbers, [n] or [n, …]; [n, 1] becomes [n]. What they mean follows from the
  /// network's output: see ResolveLoss (bitplan/loss.h).
  /// KIND: may be left out where the file name's ending tells it (.npy, .npz, .pt, .pth, .safetensors, …-ubyte[.gz],
  /// .idx[.gz]). A comma or colon in a file's name is part of it where a file of that name exists. Throws Error:
  /// unknown KIND, unreadable, truncated or malformed file, unequal counts, NaN or Inf, fewer samples than asked for,
  /// some of the network's inputs by name but not all; before it is read, where what has to be held of it takes more
  /// than the options' memory.
  static Dataset Load(std::string_view spec, const DataOptions& options);

  /// Data that is in memory already; `options` as above. Tensors of a stored type (uint8, float32, int64) are not
  /// copied unless samples are drawn. Throws Error as Load does.
  static Dataset FromTensors(std::vector<at::Tensor> inputs, at::Tensor labels, const DataOptions& options = {});

  /// Samples that are read from the source each time they are asked for, and checked then, as Load checks files; labels
  /// are read here, once. Throws Error as Load does, also where a source gives what its forms do not say.
  static Dataset FromSource(std::shared_ptr<const SampleSource> source, const DataOptions& options = {});

  std::int64_t size() const { return size_; }
  std::int64_t bytes() const;  ///< that it and its source hold, those of samples it is a part of included
  bool has_labels() const { return labels_.defined(); }
  at::Tensor labels() const;  ///< of all samples, as Batch::labels, on the CPU; undefined when the data has none
  std::vector<std::string> skipped() const;  ///< images that were left out, by DataOptions::skip_bad: why
  /// SHA-256 of the file's bytes in hexadecimal; of a folder of images of their names, sizes and labels, and of how
  /// they are resized; where labels have their own file, of the two files' digests in hexadecimal, one after the other;
  /// empty for FromTensors; of FromSource the source's.
  const std::string& sha256() const { return sha256_; }
  const std::string& source() const { return name_; }                ///< the spec, for messages
  const std::vector<double>& mean() const { return options_.mean; }  ///< of the normalization in force; empty for none
  const std::vector<double>& std() const { return options_.std; }
  const std::vector<std::int64_t>& ignored_labels() const { return options_.ignored_labels; }  ///< as the options say
  const DataOptions& options() const { return options_; }  ///< as given, with the normalization in force
  std::int64_t first() const { return first_; }  ///< number of its first sample among those that the options select

  /// Samples begin … end−1, prepared, on `device`, in memory of their own. Throws Error unless
  /// 0 ≤ begin < end ≤ size(), and where their file has changed since.
  Batch Get(std::int64_t begin, std::int64_t end, at::Device device = at::kCPU) const;

  /// The samples of these numbers, in this order. Throws Error when there are none or one is outside 0 … size() − 1.
  Batch Get(const std::vector<std::int64_t>& samples, at::Device device = at::kCPU) const;

  /// The first `count` samples, or all when there are fewer. Throws Error unless count ≥ 1.
  Dataset First(std::int64_t count) const;

  /// The samples from number `first` on. Throws Error unless 0 ≤ first < size().
  Dataset From(std::int64_t first) const;

 private:
  /// Of what is checked and drawn.
  Dataset(std::shared_ptr<const SampleSource> samples, const DataOptions& options);

  Dataset Part(std::int64_t begin, std::int64_t count) const;

  /// From stored samples to a batch on `device`.
  Batch Prepare(const std::vector<at::Tensor>& inputs, const at::Tensor& labels, at::Device device) const;

  std::shared_ptr<const SampleSource> samples_;  // uint8, float32 or int64 inputs
  at::Tensor labels_;
  DataOptions options_;
  std::int64_t size_ = 0, first_ = 0;
  std::string sha256_, name_;
};

}  // namespace bitplan
