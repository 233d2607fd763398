#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/sample_function.h"

namespace bitplan {

struct LoweredGraph;
struct NetworkSummary;

struct NetworkOptions {
  /// Name or index of the output to use; empty: the only one; several with commas between, or "all": the
  /// floating-point ones among them, side by side (see Network::Outputs).
  std::string output;
  bool fold_batch_norm = true;  ///< fold batch norm into the layer before it, as deployed networks do
  std::string device = "cpu";   ///< as LibTorch writes it: cpu, cuda, cuda:1
  bool operand_sites =
      false;  ///< also tap what operators without a weight read (Site::Kind::Operand), for plans with operands
  /// Values of inputs that are no tensors, by their names in the model's forward, as text: {"sr", "16000"}. int, bool
  /// (true, false), float, str, and Optional of these (none). Those that have a default may be left out.
  std::map<std::string, std::string> input_values = {};
  /// Inputs and output count samples along their first axis, and no sample has a part in what another gives: seen to as
  /// Network says. Off: every run takes what it is given and gives what comes out, as tests of single operators want.
  bool samples_first = true;
  /// Axis of the output [N, …] that has the classes, from 1, or counted from the back: −1, … Without it as ResolveLoss
  /// (bitplan/loss.h) finds it.
  std::optional<std::int64_t> class_axis = {};
  /// Model files that judge the output: a loss (Loss::Module), and a metric that is measured beside it; empty: none.
  /// See SampleFunction.
  std::string loss_module = {}, metric_module = {};
};

/// One of the values that a network gives, where NetworkOptions::output selects several.
struct NamedOutput {
  std::string name;                 ///< its path in what the forward returns, names of dicts and named tuples: boxes, 0
  std::vector<std::int64_t> shape;  ///< of one sample: that of a tensor [N, …] without its first axis
  std::string left_out;             ///< why it is no part of the output: "int64"; empty: it is one
};

/// A node of an ONNX file that reads a tensor of the file: where a program that patches the file finds it.
struct TensorUse {
  std::string tensor;  ///< name of the initializer; tied parameters may be several
  std::string node;    ///< name of the node, made unique; "OP_INDEX" where the file has none
  /// Where the node stands in the file's graph; −1 in a branch, a loop or a function.
  std::int64_t node_index = -1;
  std::int64_t input = 0;  ///< which input of the node
};

/// One tensor of the model file that the network reads: a weight, a bias, a statistic.
struct Parameter {
  std::string name;  ///< dotted, as in the model: layer1.0.conv1.weight
  at::Tensor value;  ///< detached, on the network's device
  /// Whether training may change it: a floating-point parameter of the model, or what the forward computes from one.
  /// Buffers (statistics, masks, tables) and constants, as freezing leaves weights, are not.
  bool trainable = false;
  std::vector<TensorUse> uses = {};  ///< of ONNX files, in the order of the nodes; else none
};

/// A tensor that can be quantized while the network runs. Sites of layers are numbered 0, 1, … in order of execution,
/// operands after them likewise.
struct Site {
  enum class Kind {
    LayerInput,   ///< what one or more layers read
    LayerOutput,  ///< what one operator of a layer produces, its bias included
    /// What an operator without a weight reads of what layers made: add, mul, matmul of two such tensors, softmax,
    /// gelu, pooling, … (OperandOperators). Of a masked softmax what is read before the mask. Only with
    /// NetworkOptions::operand_sites.
    Operand,
  };
  Kind kind = Kind::LayerInput;
  /// layer1.0.conv1.input; of a tensor that several layers read, the first one's. Of operands add_2.0: the first
  /// operand of the third addition in order of execution.
  std::string name;
};

/// The operators without a weight whose operands can be quantized, as sites and targets name them: add, mul, matmul,
/// softmax, gelu, …
const std::vector<std::string>& OperandOperators();

/// One operator that reads a layer's weight.
struct LayerUse {
  int input_site = -1;   ///< −1: the tensor is inside the operator (the hidden state of an LSTM, token numbers)
  int output_site = -1;  ///< −1: the operator's result is not the plain product with the weight (LSTM, GRU)
  int output_channel_dim =
      -1;  ///< axis of the output that the weight's channels make, counted from the back: −1, −3, …
};

/// A weight and the operators that read it.
struct Layer {
  std::string name;  ///< the weight's name without ".weight"
  std::string op;    ///< conv1d … conv3d, conv_transpose1d … 3d, linear, addmm, matmul, embedding, lstm, gru
  int weight = -1;   ///< index in parameters()
  int bias = -1;     ///< index in parameters(); −1: none, or not one that is added to this layer's output alone
  bool adds_shared_bias = false;  ///< some use adds a bias that is not the layer's own
  int channel_axis = 0;           ///< axis of the weight that holds output channels
  std::vector<LayerUse> uses;
  int tied_group = -1;  ///< layers with the same number read the same tensor; −1: none other does

  bool HasInputSite() const;  ///< whether some use reads its input at a site, where it can be quantized
};

/// An operator that has a weight or multiplies two activations, and stays in float: which, and why.
struct FloatOperator {
  std::string op;
  std::string name;  ///< of its weight where it has one, else of where it stands
  std::string reason;
};

/// Called at every site while the network runs; what it returns takes the tensor's place. Sites inside a loop are
/// visited once an iteration, sites in a branch that is not taken never.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual at::Tensor Visit(int site, const at::Tensor& value) = 0;
};

/// A trained network, whatever file it came from: a lowered graph whose parameters are inputs, run in eval mode with
/// plain eager autograd (first and second derivatives). A value: copies share the immutable graph and parameters.
/// Running is re-entrant: nothing of one run is seen by another, also when the module keeps state or writes to its
/// buffers.
///
/// Whether the network keeps samples apart is found out by the first run over two that differ, by two runs over two
/// samples. One that does so only in batches of a fixed size, as tracing may leave it (a view with the batch in it), is
/// run in batches of that size whatever it is given: inputs are split, the last batch is filled up with copies of the
/// last sample, and what these give is dropped. Probes still see all samples of a run at once, at the sites that are
/// not inside a loop or branch. One that gives a wrong shape for a single sample (squeeze()) is given two of it. One
/// that mixes its samples is refused.
class Network {
 public:
  /// Loads a model file: TorchScript (scripted or traced, frozen or not), or an archive of torch.export (of PyTorch 2.6
  /// or later). Its format is told by its content, whatever
  /// its name. Throws Error: a file that is missing, truncated or of another format (which, and what to do with it), an
  /// operator that has no meaning outside of Python (named with the module that calls it),
  /// NaN or Inf in a parameter (named), unknown device, an input that is not a tensor and has neither a value nor a
  /// default (named), a value for no such input (those there are, named) or of another type, a module state that cannot
  /// be followed (named).
  static Network Load(const std::filesystem::path& file, const NetworkOptions& options = {});

  const std::vector<Layer>& layers() const;  ///< in order of execution
  const std::vector<Site>& sites() const;
  const std::vector<Parameter>& parameters() const;
  const std::vector<FloatOperator>& left_in_float() const;
  const std::vector<std::string>& input_names() const;  ///< tensors the caller must give, in order
  const std::string& source() const;                    ///< the model file, as it was given
  const std::string& sha256() const;                    ///< of the model file
  /// SHA-256 of what the file's parameters are: names, shapes and values in float32, in the order of their names. The
  /// same for the same weights saved anew, traced instead of scripted, or with batch norm folded when they were loaded.
  const std::string& weights_sha256() const;
  const std::string& device() const;
  bool batch_norm_folded() const;
  bool has_operand_sites() const;                                  ///< as the options say
  const std::map<std::string, std::string>& input_values() const;  ///< as the options say, each in one way of writing
  std::optional<std::int64_t> class_axis() const;                  ///< likewise
  const std::optional<SampleFunction>& loss_module() const;        ///< what the options name, loaded
  const std::optional<SampleFunction>& metric_module() const;      ///< likewise
  /// What was not taken as the file has it, each in a clause: "exported in training mode, and put in eval mode".
  const std::vector<std::string>& remarks() const;
  const NetworkOptions& options() const;  ///< that it was loaded with, `input_values` in one way of writing

  struct Impl;  ///< for the rooms that rewrite graphs and run parts of them; see src/network/impl.h
  explicit Network(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const { return *impl_; }
  const LoweredGraph& lowered() const;  ///< likewise; see src/network/lowered_graph.h

  at::Tensor Weight(const Layer& layer) const { return parameters()[static_cast<std::size_t>(layer.weight)].value; }
  std::vector<at::Tensor> ParameterValues() const;

  /// The same network with other values for its parameters (as many as parameters(), in their order).
  Network WithParameters(const std::vector<at::Tensor>& values) const;

  /// The network as it is when it is loaded with NetworkOptions::fold_batch_norm: itself where it was. Parameters that
  /// folding does not change are shared.
  Network WithBatchNormFolded() const;

  /// Where NetworkOptions::output selects several: the values that the network gives for such inputs, in its order or
  /// that of the names, dicts, lists and tuples gone through; the floating-point ones are the output's parts. None is no
  /// value. Empty with other options, and where the network gives one tensor, which is the output as it is. Throws
  /// Error as Forward.
  std::vector<NamedOutput> Outputs(const std::vector<at::Tensor>& inputs) const;

  /// Output of the network, [N] or [N, …], for inputs [N, …]. Of several outputs [N, D], of each sample the numbers of
  /// all parts, one part after the other (see Outputs). Throws Error when the inputs do not fit the network, with
  /// LibTorch's reason in one line, when there is no such output as was asked for (the ones there are, named), when the
  /// output's first axis does not count the samples, and when the network mixes samples.
  at::Tensor Forward(const std::vector<at::Tensor>& inputs) const;

  /// The same with other values for the parameters (as many as parameters(), in their order) and, unless null, a probe.
  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
                     Probe* probe = nullptr) const;

 private:
  std::shared_ptr<const Impl> impl_;
};

/// What one sample does to a layer.
struct LayerSummary {
  std::vector<std::int64_t> input_shape,
      output_shape;              ///< of the layer's first use, batch axis included; empty where it was not run
  std::int64_t macs = 0;         ///< multiply-accumulates for one sample, all uses and loop iterations together
  std::int64_t input_count = 0;  ///< elements read for one sample, at all uses
  std::int64_t output_count =
      0;  ///< elements made for one sample, at all uses; 0 where the output cannot be tapped (embedding, LSTM)
};

struct NetworkSummary {
  std::vector<LayerSummary> layers;  ///< as Network::layers()
  std::vector<std::int64_t> output_shape;
};

/// Runs the network once on `inputs`, a batch of one sample.
NetworkSummary Summarize(const Network& network, const std::vector<at::Tensor>& inputs);

/// Random inputs for one sample of each given shape ("3,32,32", or "16:int64" for token numbers, which are zeros), with
/// a batch axis of 1 in front. Throws Error naming the shape that cannot be read.
std::vector<at::Tensor> ExampleInputs(const std::vector<std::string>& shapes, const std::string& device);

}  // namespace bitplan
