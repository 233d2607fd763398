#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitplan {

/// Which samples are taken and how they are prepared for the network.
struct DataOptions {
  std::int64_t samples = 0;  ///< how many, drawn without replacement by `seed`; 0 takes all, in file order
  std::uint64_t seed = 0;
  /// Per-channel normalization of pixels that were scaled to [0, 1]: (x − mean) / std. One value, or one per channel.
  /// Empty: for 3-channel CIFAR images the ImageNet constants (0.485,0.456,0.406 and 0.229,0.224,0.225), else none.
  /// 8-bit data is scaled to [0, 1] first; floating-point data is taken as it is. Integer data wider than 8 bits (token
  /// numbers) is passed on as int64 and refuses a normalization.
  std::vector<double> mean;
  std::vector<double> std;

  void Validate() const;  ///< throws Error
};

/// Samples as the network takes them.
struct Batch {
  std::vector<at::Tensor> inputs;  ///< one per network input, [n, …]
  at::Tensor labels;               ///< int64 [n] (or [n, …] for dense labels); undefined when the data has none
};

/// Samples held in memory in the form they had in the file (8-bit images stay 8-bit), prepared batch by batch.
class Dataset {
 public:
  /// `spec` is KIND:FILE[,LABELS_FILE]:
  ///   cifar10:FILE   binary records of 1 label byte and 3,072 pixel bytes (channel-major 3 × 32 × 32)
  ///   cifar100:FILE  the same with a coarse and a fine label byte; the fine one is the label (0 … 99)
  ///   idx:FILE[,LABELS_FILE]  IDX (MNIST), also gzip-compressed; [n, h, w] images become [n, 1, h, w]
  ///   npy:FILE[,LABELS_FILE]  one NumPy array, the first axis counts samples
  ///   npz:FILE       arrays in file order are the inputs; the one named label, labels, y, target or targets the labels
  ///   pt:FILE[,LABELS_FILE]   a tensor, a list or tuple of tensors (all inputs), or a dict (named as in npz) by torch.save
  /// KIND: may be left out where the file name's ending tells it (.npy, .npz, .pt, .pth, …-ubyte[.gz], .idx[.gz]).
  /// Throws Error: unreadable, truncated or malformed file, label out of range, unequal counts, NaN or Inf,
  /// fewer samples than asked for.
  static Dataset Load(std::string_view spec, const DataOptions& options);

  /// Data that is in memory already; `options` as above. Throws Error as Load does.
  static Dataset FromTensors(std::vector<at::Tensor> inputs, at::Tensor labels, const DataOptions& options = {});

  std::int64_t size() const { return size_; }
  bool has_labels() const { return labels_.defined(); }
  const std::string& sha256() const { return sha256_; }  ///< of the file's bytes (both files' when labels have their own); empty for FromTensors
  const std::string& source() const { return source_; }  ///< the spec, for messages

  /// Samples begin … end−1, prepared, on `device`. Throws Error unless 0 ≤ begin < end ≤ size().
  Batch Get(std::int64_t begin, std::int64_t end, at::Device device = at::kCPU) const;

  /// The first `count` samples, or all when there are fewer.
  Dataset First(std::int64_t count) const;

 private:
  std::vector<at::Tensor> inputs_;  // as stored: uint8, floating point or int64, [n, …]
  at::Tensor labels_;
  std::vector<double> mean_, std_;
  std::int64_t size_ = 0;
  std::string sha256_, source_;
};

}  // namespace bitplan
