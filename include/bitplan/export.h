#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bitplan/files.h"
#include "bitplan/format.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"

namespace torch::jit {
struct Graph;
struct Node;
}  // namespace torch::jit

namespace bitplan {

/// Number formats that a tool has a place for. 32 bits, which leave a tensor in float, always have one.
struct CarriedFormats {
  std::vector<int> integer_bits = {};           ///< widths of integers, ascending
  std::vector<Scheme> schemes = {};             ///< of integers; Asymmetric has a place for AutoSigned, too
  std::vector<NumberType> other_types = {};     ///< beside integers and float32
  std::vector<Granularity> granularities = {};  ///< of weights' scales; inputs have one scale a tensor
  std::vector<int> group_sizes = {};            ///< of groups and blocks; empty: any
  bool narrow = false;                          ///< integers on fewer levels: Format::narrow_range, reduce_range
  bool dynamic = false;                         ///< ranges of inputs that are found at run time
  bool offsets = false;                         ///< learned ranges of inputs that begin elsewhere (QIL)
};

/// What of a quantized network a tool has a place for. Whatever it has none for is refused, by layer, before anything
/// is written; `export --list` and docs/exports.md say the same.
struct ExporterTraits {
  CarriedFormats weights, inputs;
  std::vector<std::string> layer_ops = {};  ///< Layer::op of layers that can be quantized; empty: all
  bool operands = false;                    ///< operands of operators without a weight
  /// The network's own scales and zero points. Without them a file says types and widths alone, and the tool finds
  /// scales and corrections of its own: then a plan is enough, and no calibration data are needed (WritePlan).
  bool scales = true;
  /// Codes, or weights' values, and biases: what roundings, rescalings and output corrections change.
  bool values = false;
  bool outliers = false;  ///< features that stay in float16 (Corrections::outlier_threshold)
  std::string from = {};  ///< what ExportOptions::from is, part of a sentence; empty: the exporter patches nothing
  bool folder = false;    ///< what is written is a folder (WriteFolder)
};

struct ExportOptions {
  std::string flavor = {};          ///< one of Exporter::flavors(); empty: the first
  std::filesystem::path from = {};  ///< the file or folder that is patched; empty: as the exporter says
};

/// A file format that quantized networks are written in. What it says of them it reads from the public view:
/// QuantizedNetwork's formats, codes, scales, zero points, ranges and corrections, Network's layers and sites, and the
/// operators (GraphOf). Of the three that write a format has one: WritePlan where its traits have no scales,
/// WriteFolder where they have a folder, else Write. Each gives the same bytes for the same network, passes on what a
/// sink throws, and throws Error that names layer, tool and reason for what of the network the format has no way to
/// say; what the traits refuse is refused before.
class Exporter {
 public:
  virtual ~Exporter() = default;

  virtual std::string_view name() const = 0;         ///< what users call it: torchscript
  virtual std::string_view description() const = 0;  ///< what the file is and for whom, part of a sentence, for help
  virtual std::vector<std::string> flavors() const;  ///< tools that take different things of the format; empty: one
  virtual ExporterTraits Traits(std::string_view flavor) const = 0;  ///< `flavor`: of flavors(); empty: the first

  /// Gives `sink` the file's bytes, from first to last.
  virtual void Write(const QuantizedNetwork& network, const ExportOptions& options, const ByteSink& sink) const;
  /// The same; `plan` has its layers in the network's order.
  virtual void WritePlan(const Network& network, const Plan& plan, const ExportOptions& options,
                         const ByteSink& sink) const;
  /// Puts files into an empty folder.
  virtual void WriteFolder(const QuantizedNetwork& network, const ExportOptions& options,
                           const std::filesystem::path& folder) const;

  /// What who loads the file must know, a sentence each.
  virtual std::vector<std::string> Remarks(const Network& network, const Plan& plan,
                                           const ExportOptions& options) const;
};

/// Those that bitplan has, in the order in which texts list them: torchscript, packed, …
std::vector<std::shared_ptr<const Exporter>> Exporters();
std::vector<std::string> ExporterNames();

/// Throws Error listing the names.
std::shared_ptr<const Exporter> FindExporter(std::string_view name);

/// What exporters carry and refuse, in words: one row for each exporter and flavor, under a header.
std::vector<std::vector<std::string>> ExporterTable();

/// Throws Error, one line that names layer, tool and reason, where `plan`, made for `network`, has what the exporter's
/// traits have no place for, and where `options` has what the exporter has no use for.
void RequireCarried(const Network& network, const Plan& plan, const Exporter& exporter,
                    const ExportOptions& options = {});

/// Writes the network to `file`, a file or folder, whole or not at all, as WriteFile does (bitplan/files.h); a folder
/// must not be there yet, or be empty. Throws Error as RequireCarried and the exporter do, when the file cannot be
/// written, and when there is no exporter of that name.
void Export(const QuantizedNetwork& network, const Exporter& exporter, const std::filesystem::path& file,
            const ExportOptions& options = {});
void Export(const QuantizedNetwork& network, std::string_view exporter, const std::filesystem::path& file,
            const ExportOptions& options = {});

/// The same of a plan that is not applied, by an exporter whose traits have no scales. Throws Error likewise, and when
/// the plan is another model's.
void ExportPlan(const Network& network, const Plan& plan, const Exporter& exporter, const std::filesystem::path& file,
                const ExportOptions& options = {});

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
