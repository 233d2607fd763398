#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/train.h"
#include "network/batch_norm.h"
#include "normed_layer.h"
#include "trained_inputs.h"

namespace bitplan::train {

/// A network under a plan, with all that training changes in it: parameters, running statistics, quantizers.
class TrainedNetwork {
 public:
  /// As Train says.
  TrainedNetwork(const Network& network, const Plan& plan, const TrainOptions& options);

  const Network& float_network() const { return float_network_; }  ///< as it was given, batch norm as the plan has it

  /// Shows the quantizers a batch of calibration samples, in the float network; Finish after the last.
  void Observe(const std::vector<at::Tensor>& inputs);
  void Finish();

  /// Output of the network as quantized: in training with batch statistics, dropout and gradients, otherwise as
  /// deployed.
  at::Tensor Forward(const std::vector<at::Tensor>& inputs, bool training);

  /// Formats of another plan for the same layers, whose quantizers then look at the network as it is now: Observe and
  /// Finish follow.
  void ChangeFormats(const Plan& plan);

  /// Puts the largest weights on their grids for good, so that `portion` of each layer's are there; of incremental
  /// quantization.
  void QuantizeLargest(double portion);

  /// Every draw of the steps to come is of this seed; for the same one they are the same.
  void Seed(std::uint64_t seed);

  /// What must hold of the learned after a step of the optimizer.
  void AfterStep();

  /// All that training changes, in a fixed order; values are changed in place.
  std::vector<TrainedTensor> tensors();

  /// The plan as it is deployed now, of the float network's file, and the file of the trained float network.
  Plan LearnedPlan() const;
  std::string ModelFile() const;

  /// `of_file`, the state of the file that `unfolded` was loaded from, trained: a module that takes it gives what
  /// ModelFile gives. Batch norms that were folded for good pass on what they are given, but for the bias. Throws Error
  /// where the module has no place for what was trained.
  std::vector<Parameter> State(const Network& unfolded, std::vector<Parameter> of_file) const;

 private:
  friend class TrainingProbe;

  struct TrainedLayer {
    std::unique_ptr<training_methods::WeightQuantizer>
        quantizer;                      ///< null: nothing is learned, of formats without scales
    std::unique_ptr<NormedLayer> norm;  ///< null: none, or folded for good
  };

  void AddParameters();
  void AddNorms(const Network& unfolded, BatchNormFolding folding);
  void AddNorm(const Network& unfolded, std::size_t index, const network::BatchNorm& found, BatchNormFolding folding);
  void AddQuantizers();
  std::unique_ptr<training_methods::WeightQuantizer> MakeQuantizer(const Format& format, int channel_axis) const;
  at::Tensor Learn(const std::string& name, const at::Tensor& value, bool learned);

  at::Tensor Quantize(std::size_t layer, const at::Tensor& weight, bool training);
  at::Tensor DeployedWeight(std::size_t layer) const;  ///< in float, batch norm folded
  std::vector<at::Tensor> Parameters(bool training);
  std::vector<at::Tensor> DeployedParameters() const;  ///< in float
  std::vector<at::Tensor> FloatValues() const;         ///< the same as the float model's file has them
  std::map<std::string, at::Tensor> NormedValues(const Network& unfolded) const;  ///< of layers with folded norms

  TrainingMethod method_, input_method_;
  bool incremental_;
  Network float_network_;
  Network training_;  ///< the same in training mode
  Plan plan_;         ///< its layers in the network's order
  at::Generator generator_;
  TrainedInputs inputs_;
  std::vector<at::Tensor> values_;              ///< of the float network's parameters
  std::vector<TrainedLayer> layers_;            ///< as Network::layers()
  std::set<std::size_t> frozen_;                ///< layers
  std::map<int, std::size_t> layer_of_output_;  ///< by LayerOutput site, of layers whose folding looks at the batch
  std::set<int> kept_inputs_;                   ///< LayerInput sites that a second product reads
  std::vector<TrainedTensor> tensors_;          ///< of the network itself
  double weight_decay_;                         ///< of these
};

}  // namespace bitplan::train
