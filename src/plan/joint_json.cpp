#include "joint_json.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <span>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "decode/file.h"
#include "decode/npy.h"
#include "npy_text.h"

namespace bitplan::plan {

namespace {

template <typename Element>
std::vector<double> Widen(const std::vector<std::uint8_t>& bytes) {
  std::vector<Element> elements(bytes.size() / sizeof(Element));
  std::memcpy(elements.data(), bytes.data(), bytes.size());
  return {elements.begin(), elements.end()};
}

NumberArray ReadArrayFile(const std::filesystem::path& file, std::size_t axes) {
  const decode::Array array = decode::DecodeNpy(decode::ReadFile(file), file.string());
  const bool wide = array.type == decode::ElementType::Float64;
  if (!wide && array.type != decode::ElementType::Float32)
    throw Error(
        fmt::format("{}: holds {}; expected float32 or float64", file.string(), decode::ElementName(array.type)));
  if (array.shape.size() != axes)
    throw Error(
        fmt::format("{}: has the shape {}; expected {} axes", file.string(), decode::ShapeText(array.shape), axes));
  return {{array.shape.begin(), array.shape.end()}, wide ? Widen<double>(array.bytes) : Widen<float>(array.bytes)};
}

Json WriteNpy(const std::filesystem::path& stem, const std::string& key, const std::string& bytes) {
  const std::filesystem::path file = fmt::format("{}.{}.npy", stem.string(), key);
  WriteFile(file, bytes);
  return file.filename().string();
}

JointTerm ReadLogitTerm(JsonReader& reader, LogitLoss loss, const std::filesystem::path& folder) {
  LogitTerm term;
  term.loss = loss;
  term.scale = reader.Number("scale");
  const NumberArray shifts = ReadArray(reader, "shifts", 3, folder);
  term.samples = shifts.shape[1];
  term.classes = shifts.shape[2];
  term.shifts = Narrow(shifts.numbers);
  if (loss == LogitLoss::SquaredShift) return term;
  term.temperature = reader.Number("temperature");
  const NumberArray logits = ReadArray(reader, "logits", 2, folder);
  if (logits.shape[0] != term.samples || logits.shape[1] != term.classes)
    reader.Reject(fmt::format("logits: are {} × {}; expected samples and classes as in shifts, {} × {}",
                              logits.shape[0], logits.shape[1], term.samples, term.classes));
  term.logits = Narrow(logits.numbers);
  return term;
}

/// How an array of a term is put into JSON: key, shape and numbers.
using ArrayJson = std::function<Json(const char*, std::vector<std::size_t>, std::span<const double>)>;

Json Nest(const std::vector<std::size_t>& shape, std::span<const double> numbers, std::size_t axis) {
  Json list = Json::array();
  const std::size_t step = shape[axis] == 0 ? 0 : numbers.size() / shape[axis];
  for (std::size_t i = 0; i < shape[axis]; ++i) {
    if (axis + 1 == shape.size())
      list.push_back(numbers[i]);
    else
      list.push_back(Nest(shape, numbers.subspan(i * step, step), axis + 1));
  }
  return list;
}

Json TermJson(const QuadraticTerm& term, const ArrayJson& array) {
  const auto choices = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(term.matrix.size()))));
  return {{"kind", "quadratic"}, {"matrix", array("matrix", {choices, choices}, term.matrix)}};
}

Json TermJson(const LogitTerm& term, const ArrayJson& array) {
  const std::vector<double> logits(term.logits.begin(), term.logits.end());
  const std::vector<double> shifts(term.shifts.begin(), term.shifts.end());
  const std::size_t choices = term.shifts.size() / (term.samples * term.classes);
  const bool divergence = term.loss == LogitLoss::Divergence;
  Json json{{"kind", divergence ? "logit" : "logit-shift"}, {"scale", term.scale}};
  if (divergence) {
    json["temperature"] = term.temperature;
    json["logits"] = array("logits", {term.samples, term.classes}, logits);
  }
  json["shifts"] = array("shifts", {choices, term.samples, term.classes}, shifts);
  return json;
}

}  // namespace

NumberArray ReadArray(JsonReader& reader, const std::string& key, std::size_t axes,
                      const std::filesystem::path& folder) {
  if (!reader.IsString(key)) return reader.Array(key, axes);
  const std::filesystem::path name = reader.String(key);
  if (name.empty() || name != name.filename())
    reader.Fail(key, fmt::format("the name of a file in the same folder, not '{}'", name.string()));
  return ReadArrayFile(folder / name, axes);
}

std::vector<float> Narrow(const std::vector<double>& numbers) {
  std::vector<float> narrow;
  narrow.reserve(numbers.size());
  for (const double number : numbers) narrow.push_back(static_cast<float>(number));
  return narrow;
}

Json WriteArray(const std::filesystem::path& stem, const std::string& key, const std::vector<std::size_t>& shape,
                const std::vector<float>& numbers) {
  return WriteNpy(stem, key, NpyText(shape, numbers));
}

Json WriteArray(const std::filesystem::path& stem, const std::string& key, const std::vector<std::size_t>& shape,
                const std::vector<double>& numbers) {
  return WriteNpy(stem, key, NpyText(shape, numbers));
}

JointTerm ReadJointTerm(JsonReader& reader, const std::filesystem::path& folder) {
  const std::string kind = reader.String("kind");
  JointTerm term;
  if (kind == "quadratic")
    term = QuadraticTerm{ReadArray(reader, "matrix", 2, folder).numbers};
  else if (kind == "logit")
    term = ReadLogitTerm(reader, LogitLoss::Divergence, folder);
  else if (kind == "logit-shift")
    term = ReadLogitTerm(reader, LogitLoss::SquaredShift, folder);
  else
    reader.Fail("kind", "quadratic, logit or logit-shift");
  reader.Finish();
  return term;
}

Json JointTermJson(const JointTerm& term) {
  const ArrayJson nested = [](const char*, const std::vector<std::size_t>& shape, std::span<const double> numbers) {
    return Nest(shape, numbers, 0);
  };
  return std::visit([&](const auto& kind) { return TermJson(kind, nested); }, term);
}

Json WriteJointTerm(const JointTerm& term, const std::filesystem::path& stem) {
  const bool single = std::holds_alternative<LogitTerm>(term);
  const ArrayJson in_file = [&](const char* key, const std::vector<std::size_t>& shape,
                                std::span<const double> numbers) -> Json {
    if (single) return WriteArray(stem, key, shape, Narrow({numbers.begin(), numbers.end()}));
    return WriteArray(stem, key, shape, std::vector<double>(numbers.begin(), numbers.end()));
  };
  return std::visit([&](const auto& kind) { return TermJson(kind, in_file); }, term);
}

}  // namespace bitplan::plan
