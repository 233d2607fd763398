#include "onnx_flavor.h"

#include <algorithm>

#include "traits.h"

namespace bitplan::exporters {

namespace {

using enum onnx::ElementType;

constexpr const char* kFrom = "the ONNX file of the network, by default the one that it was read from";

ExporterTraits TraitsOf(CarriedFormats weights, CarriedFormats inputs) {
  ExporterTraits traits;
  traits.weights = std::move(weights);
  traits.inputs = std::move(inputs);
  traits.operands = traits.values = true;
  traits.from = kFrom;
  return traits;
}

const std::vector<int> kToEight{1, 2, 3, 4, 5, 6, 7, 8};
const std::vector<int> kToSixteen{1, 2, 3, 4, 5, 6, 7, 8, 16};
const std::vector<Scheme> kAllSchemes{Scheme::Symmetric, Scheme::Asymmetric, Scheme::Unsigned};

/// Everything that its CPU kernels compute, found by running them.
OnnxFlavor OnnxRuntime() {
  const CarriedFormats weights{kToSixteen,
                               kAllSchemes,
                               {NumberType::Binary, NumberType::Ternary, NumberType::Float16, NumberType::BFloat16},
                               {Granularity::Tensor, Granularity::Channel, Granularity::Group, Granularity::Block},
                               {},
                               /*narrow=*/true,
                               /*dynamic=*/false,
                               /*offsets=*/true};
  CarriedFormats inputs = weights;
  inputs.other_types = {NumberType::Float16, NumberType::BFloat16};
  inputs.granularities = {};
  return {"onnxruntime",
          TraitsOf(weights, inputs),
          {Int2, Uint2, Int4, Uint4, Int8, Uint8, Int16, Uint16},
          {Int2, Uint2, Int4, Uint4, Int8, Uint8},
          {Int8, Uint8, Int16, Uint16},
          /*least_bits_beside_inputs=*/4,  // it makes QLinearConv of two bits, which that does not take
          /*reshapes=*/true};
}

/// It has no two-bit type (they go as four bits), and computes something else with 16-bit inputs.
OnnxFlavor OpenVino() {
  const CarriedFormats weights{kToEight,
                               kAllSchemes,
                               {NumberType::Binary, NumberType::Ternary, NumberType::Float16},
                               {Granularity::Tensor, Granularity::Channel, Granularity::Group},
                               {},
                               /*narrow=*/true};
  const CarriedFormats inputs{kToEight, kAllSchemes, {}, {}, {}, /*narrow=*/true};
  return {"openvino", TraitsOf(weights, inputs), {Int4, Uint4, Int8, Uint8}, {Int4, Uint4, Int8, Uint8}, {Int8, Uint8}};
}

/// Its documentation: signed codes and the zero point 0 alone, INT4 of weights in blocks of 64 or 128 alone.
OnnxFlavor TensorRt() {
  const CarriedFormats weights{kToEight,
                               {Scheme::Symmetric},
                               {NumberType::Binary, NumberType::Ternary},
                               {Granularity::Tensor, Granularity::Channel, Granularity::Group},
                               {64, 128},
                               /*narrow=*/true};
  const CarriedFormats inputs{kToEight, {Scheme::Symmetric}, {}, {}, {}, /*narrow=*/true};
  return {"tensorrt", TraitsOf(weights, inputs), {Int8}, {Int4}, {Int8}};
}

/// ONNX Runtime's execution provider for it: symmetric weights by tensor or channel, inputs of 8 or 16 bits.
OnnxFlavor Qnn() {
  const CarriedFormats weights{kToEight,
                               {Scheme::Symmetric},
                               {NumberType::Binary, NumberType::Ternary},
                               {Granularity::Tensor, Granularity::Channel},
                               {},
                               /*narrow=*/true};
  const CarriedFormats inputs{{8, 16}, kAllSchemes, {}, {}, {}};
  return {"qnn", TraitsOf(weights, inputs), {Int4, Int8}, {}, {Int8, Uint8, Int16, Uint16}};
}

}  // namespace

const std::vector<OnnxFlavor>& OnnxFlavors() {
  static const std::vector<OnnxFlavor> flavors{OnnxRuntime(), OpenVino(), TensorRt(), Qnn()};
  return flavors;
}

const OnnxFlavor& FlavorNamed(std::string_view name) {
  for (const OnnxFlavor& flavor : OnnxFlavors())
    if (flavor.name == name) return flavor;
  return OnnxFlavors().front();
}

CodeRange RangeOf(onnx::ElementType type) {
  switch (type) {
    case Int2:
      return {-2, 1};
    case Uint2:
      return {0, 3};
    case Int4:
      return {-8, 7};
    case Uint4:
      return {0, 15};
    case Int8:
      return {-128, 127};
    case Uint8:
      return {0, 255};
    case Int16:
      return {-32768, 32767};
    default:
      return {0, 65535};
  }
}

OnnxFlavor BesideInputs(const OnnxFlavor& flavor) {
  OnnxFlavor beside = flavor;
  const std::int64_t codes = std::int64_t{1} << flavor.least_bits_beside_inputs;
  for (auto* const types : {&beside.weight_types, &beside.block_types})
    std::erase_if(*types, [&](onnx::ElementType type) {
      const CodeRange range = RangeOf(type);
      return range.largest - range.least + 1 < codes;
    });
  return beside;
}

onnx::ElementType TypeFor(const std::vector<onnx::ElementType>& types, std::int64_t least, std::int64_t largest,
                          bool is_signed) {
  for (const onnx::ElementType type : types) {
    const CodeRange range = RangeOf(type);
    if ((range.least < 0) == is_signed && range.least <= least && largest <= range.largest) return type;
  }
  return Undefined;
}

}  // namespace bitplan::exporters
