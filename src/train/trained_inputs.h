#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/train_method.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::train {

/// A tensor that training changes.
struct TrainedTensor {
  std::string name;
  at::Tensor value;
  double weight_decay = 0;
  bool learned = true;  ///< by the optimizer; otherwise tracked
};

/// The tensors of a quantizer, named after what it quantizes.
std::vector<TrainedTensor> TensorsOf(training_methods::TrainedQuantizer& quantizer, const std::string& of);

/// The quantizers of layers' inputs and of operands.
class TrainedInputs {
 public:
  /// A plan has one range a layer, also where that reads several tensors: these then share a quantizer.
  TrainedInputs(const Network& network, const Plan& plan, TrainingMethod method);

  /// Shows a calibration batch's value at a site to its quantizer.
  void Observe(int site, const at::Tensor& value);

  /// After the last of them. What no sample reached stays in float.
  void Finish();

  bool Has(int site) const { return of_site_.contains(site); }

  /// x̂, or x itself where the plan leaves it in float.
  at::Tensor Quantize(int site, const at::Tensor& value, bool training);

  void AfterStep();
  std::vector<TrainedTensor> tensors();

  /// Writes what was learned into the plan.
  void Describe(Plan& plan) const;

  /// By site, the largest magnitude of each channel, [C, 1, …], where a quantizer clips channel by channel.
  std::map<int, at::Tensor> ChannelBounds() const;

 private:
  struct Input {
    std::string name;
    Format format;
    std::unique_ptr<training_methods::InputQuantizer>
        quantizer;                ///< null: nothing is learned, of formats without scales and dynamic ranges
    std::int64_t dimensions = 0;  ///< of the values, once some were seen
  };

  std::size_t Add(const std::string& name, const Format& format, TrainingMethod method);

  std::vector<Input> inputs_;
  std::map<int, std::size_t> of_site_;
  std::vector<std::optional<std::size_t>> of_layer_;  ///< as Network::layers()
  std::vector<std::size_t> of_operand_;               ///< as Plan::operands
};

}  // namespace bitplan::train
