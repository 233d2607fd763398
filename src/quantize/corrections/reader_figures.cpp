#include "corrections/reader_figures.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

namespace bitplan::quantize {

namespace {

std::int64_t BytesOf(const InputVectors& vectors, std::int64_t block) {
  const std::int64_t blocks = (vectors.length() + block - 1) / block;
  return 8 * vectors.groups() * blocks * block * block;
}

at::Tensor Sum(const at::Tensor& a, const at::Tensor& b) { return a + b; }

void Add(at::Tensor& all, const at::Tensor& value, at::Tensor (*together)(const at::Tensor&, const at::Tensor&)) {
  all = all.defined() ? together(all, value) : value;
}

}  // namespace

LayerMoments LayerMoments::Within(InputVectors vectors, std::int64_t memory_bytes) {
  std::int64_t blocks = 1;
  const auto size = [&] { return (vectors.length() + blocks - 1) / blocks; };
  while (size() > 1 && BytesOf(vectors, size()) > memory_bytes) blocks *= 2;
  const std::int64_t block = size();
  return {std::move(vectors), block, {}};
}

std::vector<InputBlock> LayerMoments::Blocks() const {
  std::vector<InputBlock> blocks;
  for (std::int64_t group = 0; group < vectors.groups(); ++group)
    for (std::int64_t first = 0; first < vectors.length(); first += block)
      blocks.push_back({group, first, std::min(block, vectors.length() - first)});
  return blocks;
}

std::int64_t LayerMoments::Bytes() const { return BytesOf(vectors, block); }

ReaderRecorder::ReaderRecorder(const std::vector<network::ChannelLink>& links, std::int64_t chunk_bytes)
    : chunk_bytes_(chunk_bytes) {
  for (const network::ChannelLink& link : links)
    for (const network::ChannelLink::Reader& reader : link.readers) {
      dim_of_site_[reader.input_site] = reader.channel_dim;
      layers_.emplace(reader.input_site, reader.layer);
    }
}

at::Tensor ReaderRecorder::Visit(int site, const at::Tensor& value) {
  const auto dim = dim_of_site_.find(site);
  if (dim == dim_of_site_.end() || value.numel() == 0) return value;
  const at::Tensor magnitudes = value.abs().movedim(dim->second, 0).flatten(1).to(at::kDouble);
  Add(figures.largest[site], magnitudes.amax(1), at::maximum);
  Add(figures.magnitude[site], magnitudes.mean(1), Sum);
  const auto [first, last] = layers_.equal_range(site);
  for (auto layer = first; layer != last; ++layer)
    if (const auto found = figures.moments.find(layer->second); found != figures.moments.end())
      AddMoments(found->second, value);
  return value;
}

void ReaderRecorder::AddMoments(LayerMoments& moments, const at::Tensor& x) const {
  const std::vector<InputBlock> blocks = moments.Blocks();
  moments.known.resize(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const at::Tensor of_batch = moments.vectors.Moments(x, blocks[i], chunk_bytes_);
    moments.known[i].defined() ? void(moments.known[i].add_(of_batch)) : void(moments.known[i] = of_batch);
  }
}

}  // namespace bitplan::quantize
