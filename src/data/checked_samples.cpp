#include "checked_samples.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "bitplan/data.h"
#include "bitplan/error.h"
#include "decode/array.h"
#include "tuning.h"

namespace bitplan::data {
namespace {

/// "sample 3, element [0, 2]" of the first true value.
std::string FirstTrue(const at::Tensor& mask, const SampleNumber& number) {
  std::int64_t flat = at::argmax(mask.flatten().to(at::kByte)).item<std::int64_t>();
  std::vector<std::int64_t> index(static_cast<std::size_t>(mask.dim()));
  for (std::size_t axis = index.size(); axis-- > 0;) {
    const std::int64_t length = mask.size(static_cast<std::int64_t>(axis));
    index[axis] = flat % length;
    flat /= length;
  }
  const std::string sample = fmt::format("sample {}", number ? number(index.front()) : index.front());
  if (index.size() == 1) return sample;
  return fmt::format("{}, element {}", sample, decode::ShapeText({index.begin() + 1, index.end()}));
}

/// Plain memory on the CPU, without a gradient's history.
at::Tensor Plain(const RawTensor& raw) {
  CheckDense(raw);
  const at::Tensor& tensor = raw.tensor;
  try {
    return tensor.detach().to(at::kCPU).resolve_neg().contiguous();
  } catch (const c10::Error&) {  // a few stored values may be repeated (expanded) into very many
    throw Error(
        fmt::format("{}: shape {} does not fit into memory", raw.where, decode::ShapeText(tensor.sizes().vec())));
  }
}

/// Looked through in slices: the check takes several times what it looks at.
bool IsFinite(const at::Tensor& values) {
  for (const at::Tensor& slice : values.flatten().split(tuning::kValuesChecked))
    if (!slice.isfinite().all().item<bool>()) return false;
  return true;
}

at::Tensor CheckFinite(const at::Tensor& values, const std::string& where, const char* what,
                       const SampleNumber& number = {}) {
  if (IsFinite(values)) return values;
  const at::Tensor wrong = at::isfinite(values).logical_not_();
  const bool is_nan = at::isnan(values.flatten()[at::argmax(wrong.flatten().to(at::kByte))]).item<bool>();
  throw Error(fmt::format("{}: {} is {}; {} must be finite float32 numbers", where, FirstTrue(wrong, number),
                          is_nan ? "NaN" : "infinite", what));
}

/// What is to be ignored of `labels` is told by kIgnoredLabel, or NaN, from here on.
at::Tensor MarkIgnored(at::Tensor labels, const std::vector<std::int64_t>& ignored) {
  at::Tensor marked = labels;
  for (const std::int64_t label : ignored)
    marked = labels.is_floating_point() ? marked.masked_fill(labels.eq(label), std::numeric_limits<double>::quiet_NaN())
                                        : marked.masked_fill(labels.eq(label), kIgnoredLabel);
  return marked;
}

/// Whether floating-point labels are yes and no but for kIgnoredLabel, as integer ones may be.
bool AreYesNoOrIgnored(const at::Tensor& labels) {
  const at::Tensor ignored = labels.eq(static_cast<double>(kIgnoredLabel));
  if (!ignored.any().item<bool>()) return false;
  return labels.eq(0).logical_or_(labels.eq(1)).logical_or_(labels.isnan()).logical_or_(ignored).all().item<bool>();
}

}  // namespace

void CheckSampleShape(const std::vector<std::int64_t>& shape, const std::string& where) {
  if (shape.empty())
    throw Error(fmt::format("{}: is a single number; the first axis of an array counts the samples", where));
  if (std::ranges::find(shape, 0) != shape.end())
    throw Error(fmt::format("{}: shape {} holds no value", where, decode::ShapeText(shape)));
}

void CheckDense(const RawTensor& raw) {
  const at::Tensor& tensor = raw.tensor;
  if (!tensor.defined()) throw Error(raw.where + ": is an undefined tensor");
  if (tensor.layout() != at::kStrided || tensor.is_quantized() || tensor.is_complex()) {
    throw Error(fmt::format("{}: is a sparse, quantized or complex tensor; convert it to a dense real one", raw.where));
  }
  CheckSampleShape(tensor.sizes().vec(), raw.where);
}

void CheckInputType(at::ScalarType type, const std::string& where) {
  if (type == at::kChar)
    throw Error(
        fmt::format("{}: int8 inputs may be pixels or numbers; save pixels as uint8, numbers as int64 or "
                    "float32",
                    where));
  const at::ScalarType stored = StoredType(type);
  if (stored == at::kByte || stored == at::kLong || stored == at::kFloat) return;
  throw Error(fmt::format("{}: inputs of type {} are not supported; save them as uint8, int64 or float32", where,
                          at::toString(type)));
}

at::ScalarType StoredType(at::ScalarType type) {
  switch (type) {
    case at::kUInt16:
    case at::kShort:
    case at::kUInt32:
    case at::kInt:
      return at::kLong;
    case at::kBool:
    case at::kHalf:
    case at::kBFloat16:
    case at::kDouble:
      return at::kFloat;
    default:
      return type;
  }
}

at::Tensor CheckInput(const RawTensor& raw, const SampleNumber& number) {
  const at::Tensor values = Plain(raw);
  CheckInputType(values.scalar_type(), raw.where);
  const at::Tensor kept = values.to(StoredType(values.scalar_type()));
  return values.is_floating_point() ? CheckFinite(kept, raw.where, "inputs", number) : kept;
}

at::Tensor CheckLabels(const RawTensor& raw, const std::vector<std::int64_t>& ignored) {
  at::Tensor labels = Plain(raw);
  const bool is_whole = at::isIntegralType(labels.scalar_type(), /*includeBool=*/true);
  if (labels.scalar_type() == at::kUInt64 || (!is_whole && !labels.is_floating_point()))
    throw Error(fmt::format("{}: labels of type {} are not supported; save them as int64 or float32", raw.where,
                            at::toString(labels.scalar_type())));
  if (labels.dim() == 2 && labels.size(1) == 1) labels = labels.squeeze(1);
  if (is_whole) return MarkIgnored(labels.to(at::kLong), ignored);
  labels = MarkIgnored(CheckFinite(labels.to(at::kFloat), raw.where, "labels"), ignored);
  return AreYesNoOrIgnored(labels) ? MarkIgnored(labels, {kIgnoredLabel}) : labels;
}

Samples CheckSamples(RawSamples raw, const std::vector<std::int64_t>& ignored_labels) {
  Samples samples;
  for (RawTensor& input : raw.inputs) {
    samples.inputs.push_back(CheckInput(input));
    input.tensor.reset();  // frees what was converted
    const std::int64_t count = samples.inputs.back().size(0), first = samples.inputs.front().size(0);
    if (count != first) {
      throw Error(fmt::format("{}: {} samples, but {} has {}; all inputs need as many", input.where, count,
                              raw.inputs.front().where, first));
    }
  }
  if (!raw.labels.tensor.defined()) return samples;
  samples.labels = CheckLabels(raw.labels, ignored_labels);
  const std::int64_t count = samples.inputs.front().size(0);
  if (samples.labels.size(0) != count) {
    throw Error(fmt::format("{}: {} labels for the {} samples of {}", raw.labels.where, samples.labels.size(0), count,
                            raw.inputs.front().where));
  }
  return samples;
}

}  // namespace bitplan::data
