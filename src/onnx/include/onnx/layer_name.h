#pragma once

#include <string>

#include "onnx/model.h"

namespace bitplan::onnx {

/// What the layer is called that computes with this weight: by the weight's name, "layer1.0.conv1" of
/// "layer1.0.conv1.weight", unless an exporter made that name up ("onnx::Conv_206", "val_12"); then by the module that
/// the operator is from; then by the node's name, of which "/layer1/layer1.0/conv1/Conv" is "layer1.0.conv1" and
/// "model/conv2d/Conv2D" is "model.conv2d". A module may compute with the weights of others in it: then the bias that
/// is added, "attn.qkv.bias", says which; "" where there is none. Several weights can have the same. Never empty.
std::string LayerName(const std::string& weight, const Node& node, const std::string& bias = "");

}  // namespace bitplan::onnx
