// Loop and Scan.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "readers/onnx/loop.h"
#include "readers/onnx/nodes.h"

namespace bitplan::network {

using torch::jit::Value;

namespace {

/// Iterations that are written one after the other where their number is known; those of loops inside loops together.
constexpr std::int64_t kMostUnrolled = 64, kMostUnrolledTogether = 1024;

/// Whether the body never ends its loop: what it says is constant or what it is given, which is true.
bool GoesOn(const onnx::Graph& body) {
  const std::string& says = body.outputs[0].name;
  const std::string& given = body.inputs[1].name;
  for (const onnx::Tensor& tensor : body.initializers)
    if (tensor.name == says) return tensor.bytes.size() == 1 && tensor.bytes[0] != std::byte{0};
  return says == given || std::any_of(body.nodes.begin(), body.nodes.end(), [&](const onnx::Node& inner) {
           return inner.op == "Identity" && inner.outputs == std::vector{says} && inner.inputs == std::vector{given};
         });
}

}  // namespace

std::vector<OnnxValue> OnnxNodes::Unrolled(const OnnxRepetition& repetition, const OnnxScope& scope,
                                           std::int64_t trips) {
  std::vector<OnnxValue> values = repetition.carried;
  std::vector<std::vector<Value*>> collected(repetition.collected);
  const std::size_t first = repetition.has_condition ? 1 : 0;
  const std::int64_t outer = repetitions_;
  repetitions_ *= std::max<std::int64_t>(trips, 1);
  for (std::int64_t trip = 0; trip < trips; ++trip) {
    OnnxScope own = scope;
    for (std::size_t i = 0; i < values.size(); ++i) own.insert_or_assign(repetition.carried_names[i], values[i]);
    repetition.bind(own, builder_.Constant(trip));
    const std::vector<OnnxValue> results = Body(repetition.body, own);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = results[first + i];
    for (std::size_t i = 0; i < collected.size(); ++i)
      collected[i].push_back(TensorOf(results[first + values.size() + i], builder_));
  }
  repetitions_ = outer;
  for (const auto& tensors : collected)
    values.emplace_back(builder_.Call("aten::stack", {builder_.Tensors(tensors), 0}));
  return values;
}

std::vector<OnnxValue> OnnxNodes::Looped(const OnnxRepetition& repetition, const OnnxScope& scope) {
  std::vector<Value*> carried;
  for (const OnnxValue& value : repetition.carried) carried.push_back(TensorOf(value, builder_));
  const auto step = [&](Value* trip, const std::vector<Value*>& taken) {
    OnnxScope own = scope;
    for (std::size_t i = 0; i < taken.size(); ++i)
      own.insert_or_assign(repetition.carried_names[i], OnnxValue(taken[i]));
    repetition.bind(own, trip);
    std::vector<Value*> results = BodyTensors(repetition.body, own);
    OnnxIteration made;
    if (repetition.has_condition) {
      made.goes_on = builder_.Call("aten::Bool", {results[0]});
      results.erase(results.begin());
    }
    const auto end = results.begin() + static_cast<std::ptrdiff_t>(taken.size());
    made.carried.assign(results.begin(), end);
    made.collected.assign(end, results.end());
    return made;
  };
  const auto results = InsertLoop(builder_, repetition.trips, repetition.condition, carried, step);
  return {results.begin(), results.end()};
}

std::vector<OnnxValue> OnnxNodes::Repeat(const OnnxNode& node, const OnnxRepetition& repetition,
                                         const OnnxScope& scope) {
  const onnx::Graph& body = repetition.body;
  const std::size_t results = (repetition.has_condition ? 1 : 0) + repetition.carried.size() + repetition.collected;
  if (body.outputs.size() != results || node.outputs() > results)
    node.Refuse("its body makes other results than it hands on");
  const auto trips = builder_.ConstantOf(repetition.trips), begins = builder_.ConstantOf(repetition.condition);
  const bool unconditional = begins && begins->toBool() && (!repetition.has_condition || GoesOn(body));
  const bool few = trips && trips->toInt() <= kMostUnrolled && (trips->toInt() > 0 || repetition.collected == 0) &&
                   trips->toInt() * repetitions_ <= kMostUnrolledTogether;
  if (unconditional && few) return Unrolled(repetition, scope, trips->toInt());
  return Looped(repetition, scope);
}

/// Few iterations, whose number is known, stand one after the other. The bodies of such loops go on until the end.
std::vector<OnnxValue> OnnxNodes::Loop(const OnnxNode& node, const OnnxScope& scope) {
  const onnx::Graph& body = node.Body("body");
  const std::size_t carried = node.inputs() < 2 ? 0 : node.inputs() - 2;
  if (body.outputs.size() < 1 + carried || body.inputs.size() != 2 + carried)
    node.Refuse("its body does not have the values that it carries");
  OnnxRepetition repetition{body, nullptr, nullptr, /*has_condition=*/true, {}, {}, body.outputs.size() - 1 - carried,
                            {}};
  repetition.trips = node.Has(0) ? node.Integer(0) : builder_.Constant(std::numeric_limits<std::int64_t>::max());
  repetition.condition = builder_.Constant(true);
  if (node.Has(1)) {
    const auto constant = builder_.ConstantOf(node.Input(1));
    repetition.condition = constant ? builder_.Constant(constant->toTensor().cpu().item<bool>())
                                    : builder_.Call("aten::Bool", {node.Input(1)});
  }
  for (std::size_t i = 0; i < carried; ++i) {
    repetition.carried.push_back(node.input(i + 2));
    repetition.carried_names.push_back(body.inputs[i + 2].name);
  }
  repetition.bind = [&](OnnxScope& own, Value* trip) {
    own.insert_or_assign(body.inputs[0].name, OnnxValue::OfIntegers({trip}, /*is_scalar=*/true));
    own.insert_or_assign(body.inputs[1].name, OnnxValue(builder_.Constant(at::scalar_tensor(true, at::kBool))));
  };
  return Repeat(node, repetition, scope);
}

/// A loop over the slices of tensors.
std::vector<OnnxValue> OnnxNodes::Scan(const OnnxNode& node, const OnnxScope& scope) {
  if (node.opset() < 9) node.Refuse("Scan of operator set 8 is not read");
  const onnx::Graph& body = node.Body("body");
  const std::int64_t given = node.Int("num_scan_inputs", 0);
  if (given < 1 || given > static_cast<std::int64_t>(node.inputs()) || body.inputs.size() != node.inputs())
    node.Refuse("it has other inputs than its body");
  const auto scans = static_cast<std::size_t>(given), carried = node.inputs() - scans;
  if (body.outputs.size() < carried) node.Refuse("its body makes other results than it hands on");
  const std::size_t collected = body.outputs.size() - carried;
  const auto option = [&](const char* name, std::size_t count) {
    const auto numbers = node.Ints(name, std::vector<std::int64_t>(count, 0));
    if (numbers.size() != count) node.Refuse(fmt::format("its {} are not {} numbers", name, count));
    return numbers;
  };
  auto axes = option("scan_input_axes", scans);
  const auto backwards = option("scan_input_directions", scans);
  for (std::size_t i = 0; i < scans; ++i) axes[i] = builder_.Axis(node.Input(carried + i), axes[i]);
  OnnxRepetition repetition{
      body, builder_.Size(node.Input(carried), axes[0]), builder_.Constant(true), false, {}, {}, collected, {}};
  for (std::size_t i = 0; i < carried; ++i) {
    repetition.carried.push_back(node.input(i));
    repetition.carried_names.push_back(body.inputs[i].name);
  }
  repetition.bind = [&](OnnxScope& own, Value* trip) {
    for (std::size_t i = 0; i < scans; ++i) {
      Value* const last = builder_.Call("aten::sub", {repetition.trips, 1});
      Value* const at = backwards[i] != 0 ? builder_.Call("aten::sub", {last, trip}) : trip;
      own.insert_or_assign(body.inputs[carried + i].name,
                           OnnxValue(builder_.Call("aten::select", {node.Input(carried + i), axes[i], at})));
    }
  };
  std::vector<OnnxValue> results = Repeat(node, repetition, scope);
  const auto output_axes = option("scan_output_axes", collected), turned = option("scan_output_directions", collected);
  for (std::size_t i = 0; i < collected; ++i) {
    Value* result = results[carried + i].tensor;
    if (turned[i] != 0) result = builder_.Call("aten::flip", {result, std::vector<std::int64_t>{0}});
    if (output_axes[i] != 0)
      result = builder_.Call("aten::movedim", {result, 0, builder_.Axis(result, output_axes[i])});
    results[carried + i] = result;
  }
  return results;
}

}  // namespace bitplan::network
