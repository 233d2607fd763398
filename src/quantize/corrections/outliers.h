#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"

namespace bitplan::quantize {

/// The features of a tensor [N, …, features] that stay in float16, and the range of the others.
struct Outliers {
  at::Tensor columns;  ///< int64 [≥ 1], ascending
  ActivationRange range;
};

/// By input site: the features whose magnitude exceeds the plan's threshold on some of `inputs`, where linear layers
/// alone read the tensor and the plan puts it and their weights on grids that are yet to be found, and where some
/// features are not outliers. Passes take so many samples at a time.
std::map<int, Outliers> FindOutliers(const Network& network, const Plan& plan, const std::vector<at::Tensor>& inputs,
                                     std::int64_t samples_a_pass);

/// QuantizeWeight of a weight [out, in] whose `columns` stay in float16: they take no part in finding the grid.
QuantizedTensor QuantizeBeside(const at::Tensor& columns, const at::Tensor& weight, const Format& format,
                               int channel_axis);

}  // namespace bitplan::quantize
