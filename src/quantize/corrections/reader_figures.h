#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "bitplan/network.h"
#include "corrections/input_vectors.h"
#include "network/channel_links.h"

namespace bitplan::quantize {

/// Second moments of what a layer's weights multiply, in blocks: as if those of different blocks were uncorrelated.
struct LayerMoments {
  InputVectors vectors;
  std::int64_t block;             ///< values in a block
  std::vector<at::Tensor> known;  ///< by group and block: sums over batches

  /// As large blocks as `memory_bytes` hold.
  static LayerMoments Within(InputVectors vectors, std::int64_t memory_bytes);

  std::vector<InputBlock> Blocks() const;
  std::int64_t Bytes() const;  ///< of all blocks, known or not
};

/// What SmoothQuant and activation-aware scales need to know of what the readers of links read. Sums over batches stand
/// for means: the scales that are made of them don't depend on their size.
struct ReaderFigures {
  std::map<int, at::Tensor> largest, magnitude;  ///< by input site: max and mean of |x| a channel, float64
  std::map<std::size_t, LayerMoments> moments;   ///< by layer
};

/// Takes the figures of all samples, of moments those that `figures` has a place for.
class ReaderRecorder : public Probe {
 public:
  /// `chunk_bytes`: what moments of a batch may take on the way.
  ReaderRecorder(const std::vector<network::ChannelLink>& links, std::int64_t chunk_bytes);

  at::Tensor Visit(int site, const at::Tensor& value) override;

  ReaderFigures figures;

 private:
  void AddMoments(LayerMoments& moments, const at::Tensor& x) const;

  std::int64_t chunk_bytes_;
  std::map<int, int> dim_of_site_;
  std::multimap<int, std::size_t> layers_;  // that read a site
};

}  // namespace bitplan::quantize
