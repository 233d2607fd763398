#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bitplan/files.h"
#include "bitplan/quantize.h"

namespace torch::jit {
struct Graph;
struct Node;
}  // namespace torch::jit

namespace bitplan {

/// A file format that quantized networks are written in. What it says of them it reads from the public view:
/// QuantizedNetwork's formats, codes, scales, zero points, ranges and corrections, Network's layers and sites, and the
/// operators (GraphOf).
class Exporter {
 public:
  virtual ~Exporter() = default;

  virtual std::string_view name() const = 0;         ///< what users call it: torchscript
  virtual std::string_view description() const = 0;  ///< what the file is and for whom, part of a sentence, for help

  /// Gives `sink` the file's bytes, from first to last; the same for the same network. What `sink` throws reaches the
  /// caller. Throws Error that names what of the network the format has no way to say.
  virtual void Write(const QuantizedNetwork& network, const ByteSink& sink) const = 0;
};

/// Those that bitplan has, in the order in which texts list them: torchscript, packed.
std::vector<std::shared_ptr<const Exporter>> Exporters();
std::vector<std::string> ExporterNames();

/// Throws Error listing the names.
std::shared_ptr<const Exporter> FindExporter(std::string_view name);

/// Writes the network to `file`, whole or not at all, as WriteFile does (bitplan/files.h). Throws Error as the exporter
/// does, when the file cannot be written, and when there is no exporter of that name.
void Export(const QuantizedNetwork& network, const Exporter& exporter, const std::filesystem::path& file);
void Export(const QuantizedNetwork& network, std::string_view exporter, const std::filesystem::path& file);

/// The operators of a network, as LibTorch has them (torch/csrc/jit/ir/ir.h): a copy that an exporter may change.
struct OperatorGraph {
  /// Plain operators in order of execution, nothing of a module left. Inputs: the tensors of Network::input_names(),
  /// then Network::parameters(), and last what marks of sites carry, which goes when they are gone.
  std::shared_ptr<torch::jit::Graph> graph;
  /// Marks of sites, in order of execution: what the network computes with at a site (a format's grid, a shift) is to
  /// take the place of the node's output; in float that is its first input. A site has a mark at each of its operators.
  std::vector<std::pair<int, torch::jit::Node*>> sites;
  /// Inputs, by position, that operators in place may write to: every run begins with copies of them.
  std::vector<std::size_t> written_inputs;
};
OperatorGraph GraphOf(const Network& network);

}  // namespace bitplan
