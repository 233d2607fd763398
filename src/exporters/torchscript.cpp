#include "torchscript.h"

#include <fmt/format.h>
#include <torch/csrc/jit/serialization/export.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/plan.h"
#include "calibration/codebook.h"
#include "network/module_writer.h"
#include "network/torch_error.h"
#include "quantize/weight_grid.h"
#include "traits.h"

namespace bitplan::exporters {

namespace {

using torch::jit::Value;

/// A module that computes what a quantized network does.
class QuantizedWriter : public network::ModuleWriter {
 public:
  QuantizedWriter(const QuantizedNetwork& quantized, WeightForm form)
      : network::ModuleWriter(quantized.network().lowered(), "bitplan.QuantizedNetwork"),
        quantized_(quantized),
        form_(form) {
    if (form == WeightForm::CoreMl)
      module_.register_buffer("_COREML_/metadata_version", at::scalar_tensor(1, at::kLong));
    const std::vector<Layer>& layers = quantized.network().layers();
    for (std::size_t i = 0; i < layers.size(); ++i) layer_of_weight_[static_cast<std::size_t>(layers[i].weight)] = i;
  }

 private:
  Value* ParameterValue(std::size_t index) override {
    const std::string name = AttributeName(lowered_.parameters[index].name);
    const auto layer = layer_of_weight_.find(index);
    return layer != layer_of_weight_.end() ? Weight(name, quantized_.weights()[layer->second])
                                           : Buffer(name, quantized_.parameters()[index]);
  }

  /// What the quantized network computes with at a site.
  Value* SiteValue(int site, Value* value) override {
    if (const auto input = quantized_.inputs().find(site); input != quantized_.inputs().end())
      return Quantized(site, value, input->second);
    if (const auto shift = quantized_.shifts().find(site); shift != quantized_.shifts().end())
      return graph_->insert(c10::aten::add,
                            {value, Buffer(AttributeName(fmt::format("shift{}", site)), shift->second)});
    return value;
  }

  Value* Quantized(int site, Value* value, const QuantizedInput& input) {
    Value* const quantized = OnGrid(site, value, input);
    if (!input.outliers.defined()) return quantized;
    Value* const kept = Cast(Cast(value, at::kHalf), at::kFloat);
    return graph_->insert(c10::aten::where,
                          {Buffer(AttributeName(fmt::format("outliers{}", site)), input.outliers), kept, quantized});
  }

  Value* OnGrid(int site, Value* value, const QuantizedInput& input) {
    const auto& [format, range, outliers] = input;
    if (range.offset != 0) value = graph_->insert(c10::aten::sub, {value, range.offset});
    if (!format.HasScale())
      return Cast(Cast(value, format.type == NumberType::Float16 ? at::kHalf : at::kBFloat16), at::kFloat);
    if (format.calibrator == Calibrator::Dynamic)
      throw Error(fmt::format(
          "the range of site {} is found at run time, which no standard operator does; give it a fixed one", site));
    if (!format.IsInteger()) return OnCodebook(value, format, range.scale);
    return graph_->insert(c10::aten::fake_quantize_per_tensor_affine,
                          {value, range.scale, range.zero_point, format.QuantMin(), format.QuantMax()});
  }

  /// As FakeQuantize does.
  Value* OnCodebook(Value* value, const Format& format, double scale) {
    const calibration::Codebook book = calibration::CodebookOf(format.type, format.bits);
    const auto constant = [&](const std::vector<double>& numbers, const char* what) {
      return Buffer(AttributeName(fmt::format("{}_{}", ToString(format.type), what)), at::tensor(numbers, at::kFloat));
    };
    const std::vector<float> boundaries = book.Boundaries<float>();
    Value* const ratio = graph_->insert(c10::aten::div, {value, scale});
    Value* const index =
        graph_->insert(c10::aten::bucketize, {ratio, constant({boundaries.begin(), boundaries.end()}, "boundaries")});
    Value* const level = graph_->insert(c10::aten::take, {constant(book.levels, "levels"), index});
    return graph_->insert(c10::aten::where, {graph_->insert(c10::aten::isnan, {value}), value,
                                             graph_->insert(c10::aten::mul, {level, scale})});
  }

  /// A scale of each value, in the weight's shape, as AlongWeight has it.
  Value* OfGroups(const std::string& name, const at::Tensor& numbers, const QuantizedTensor& weight) {
    std::vector<std::int64_t> shape = weight.q.sizes().vec();
    const auto channels = shape.begin() + weight.channel_axis;
    std::rotate(shape.begin(), channels, channels + 1);
    const std::int64_t length = c10::multiply_integers(shape) / shape[0];
    Value* value = graph_->insert(c10::aten::repeat_interleave, {Buffer(name, numbers), weight.format.group_size, 1});
    value = graph_->insert(c10::aten::slice, {value, 1, 0, length});
    value = graph_->insert(c10::aten::reshape, {value, shape});
    return graph_->insert(c10::aten::movedim, {value, 0, weight.channel_axis});
  }

  Value* AlongWeightValue(const std::string& name, const at::Tensor& numbers, const QuantizedTensor& weight) {
    if (numbers.dim() == 2) return OfGroups(name, numbers, weight);
    return Buffer(name, quantize::AlongChannels(numbers, weight.q.dim(), weight.channel_axis));
  }

  /// scale · (q − zero_point), or scale · level, in the order in which QuantizedTensor::value is computed.
  Value* Weight(const std::string& name, const QuantizedTensor& weight) {
    if (!weight.q.defined()) return Buffer(name, weight.value);
    if (form_ == WeightForm::CoreMl) return OfCoreMl(name, weight);
    const bool codebook = weight.scale.defined() && !weight.format.IsInteger();
    Value* value = Cast(Buffer(name, weight.q), codebook ? at::kLong : at::kFloat);
    if (!weight.scale.defined()) return value;
    if (codebook)
      value = graph_->insert(c10::aten::take, {Buffer(name + "_levels", quantize::LevelTable(weight.format)), value});
    if (weight.zero_point.defined() && weight.zero_point.count_nonzero().item<std::int64_t>() > 0)
      value = graph_->insert(c10::aten::sub,
                             {value, AlongWeightValue(name + "_zero_point", weight.zero_point.to(at::kFloat), weight)});
    Value* scale = AlongWeightValue(name + "_scale", weight.scale, weight);
    if (weight.negative_scale.defined())
      scale = graph_->insert(c10::aten::where,
                             {graph_->insert(c10::aten::lt, {value, 0}),
                              AlongWeightValue(name + "_negative_scale", weight.negative_scale, weight), scale});
    value = graph_->insert(c10::aten::mul, {value, scale});
    if (!weight.outlier_values.defined()) return value;
    Value* const kept = Cast(Buffer(name + "_outliers", weight.outlier_values), at::kFloat);
    return graph_->insert(c10::aten::index_copy,
                          {value, 1, Buffer(name + "_outlier_columns", weight.outlier_columns), kept});
  }

  /// Values, and beside them what coremltools finds their codes by; of its types the narrowest that has the width.
  Value* OfCoreMl(const std::string& name, const QuantizedTensor& weight) {
    const bool has_sign = weight.format.scheme == Scheme::Symmetric;
    const int bits = weight.format.bits;
    const int width = bits > 6 || (has_sign && bits > 4) ? 8 : bits > 4 ? 6 : has_sign || bits == 4 ? 4 : bits;
    const auto beside = [&](const char* what, const at::Tensor& value) {
      module_.register_buffer(fmt::format("_COREML_/{}/{}", name, what), value.detach().contiguous());
    };
    const auto shaped = [&](const at::Tensor& numbers) {
      if (numbers.dim() == 2) return numbers;
      if (numbers.numel() == 1)
        return numbers.view(std::vector<std::int64_t>(static_cast<std::size_t>(weight.q.dim()), 1));
      return quantize::AlongChannels(numbers, weight.q.dim(), weight.channel_axis);
    };
    beside("compression_type", at::tensor(std::vector<std::int64_t>{3}));  // quantization
    beside("quantization_n_bits", at::scalar_tensor(width, at::kLong));
    beside("quantization_scale", shaped(weight.scale));
    if (!has_sign) beside("zero_point", shaped(weight.zero_point));
    return Buffer(name, weight.value);
  }

  Value* Buffer(const std::string& name, const at::Tensor& value) {
    module_.register_buffer(name, value.detach().contiguous());
    return graph_->insertGetAttr(self_, name)->setType(c10::TensorType::get());
  }

  Value* Cast(Value* value, at::ScalarType type) {
    return graph_->insert(c10::aten::to, {value, static_cast<std::int64_t>(type)});
  }

  /// A Python identifier that no other attribute has.
  std::string AttributeName(const std::string& dotted) {
    std::string name = dotted;
    for (char& letter : name)
      if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) name.insert(0, "p_");
    std::string unique = name;
    for (int i = 2; !taken_.insert(unique).second; ++i) unique = fmt::format("{}_{}", name, i);
    return unique;
  }

  const QuantizedNetwork& quantized_;
  const WeightForm form_;
  std::map<std::size_t, std::size_t> layer_of_weight_;
  std::set<std::string> taken_ = {"training", "forward"};
};

}  // namespace

ExporterTraits TorchScript::Traits(std::string_view /*flavor*/) const { return AllButDynamic(); }

void TorchScript::Write(const QuantizedNetwork& network, const ExportOptions& /*options*/, const ByteSink& sink) const {
  WriteTorchScript(network, WeightForm::Codes, sink);
}

void WriteTorchScript(const QuantizedNetwork& network, WeightForm form, const ByteSink& sink) {
  std::exception_ptr failure;  // of the sink: LibTorch's writer finishes the file in its destructor, whatever happens
  const std::function<std::size_t(const void*, std::size_t)> write = [&](const void* bytes, std::size_t count) {
    try {
      if (!failure) sink({static_cast<const char*>(bytes), count});
    } catch (...) {
      failure = std::current_exception();
    }
    return count;
  };
  const std::string plan = ToJson(network.plan());
  try {
    torch::jit::ExportModule(QuantizedWriter(network, form).Write(), write, {{"plan.json", plan}});
  } catch (const std::exception& error) {
    if (!network::IsOfModel(error)) throw;
    throw Error(fmt::format("the quantized network cannot be written as TorchScript: {}", network::TorchReason(error)));
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace bitplan::exporters
