#include "output_shifts_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "joint_json.h"

namespace bitplan::plan {

namespace {

constexpr double kMostPredictions = 1e12;  // of one sample: their sum stays far from overflow

std::size_t QuantizedChoices(const Sensitivity& sensitivity) {
  std::size_t count = 0;
  for (const LayerSensitivity& layer : sensitivity.layers)
    for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
      for (const Perturbation& choice : layer.*kind) count += choice.bits < 32 ? 1 : 0;
  return count;
}

/// How many of each sample's count.
std::vector<std::int64_t> ReadPredictions(JsonReader& reader, std::int64_t samples) {
  std::vector<std::int64_t> predictions;
  for (const double count : reader.Numbers("predictions")) {
    if (!(count >= 0 && count <= kMostPredictions) || count != std::floor(count))
      reader.Fail("predictions", "whole numbers that are not negative");
    predictions.push_back(static_cast<std::int64_t>(count));
  }
  if (std::ssize(predictions) != samples)
    reader.Fail("predictions", fmt::format("one number for each of {} samples", samples));
  if (std::all_of(predictions.begin(), predictions.end(), [](std::int64_t count) { return count == 0; }))
    reader.Fail("predictions", "a sample that has some");
  return predictions;
}

}  // namespace

Json WriteContributions(const Contributions& table, const std::filesystem::path& stem) {
  Json json{{"measures", Json::array()},
            {"values",
             WriteArray(stem, "contributions", {table.measures.size(), table.choices, table.samples}, table.values)}};
  for (const Measure measure : table.measures) json["measures"].push_back(ToString(measure));
  if (!table.predictions.empty()) json["predictions"] = table.predictions;
  return json;
}

Json WriteShifts(const OutputShifts& shifts, const std::filesystem::path& stem) {
  const std::size_t of_choice = shifts.samples * shifts.classes,
                    choices = of_choice == 0 ? 0 : shifts.shifts.size() / of_choice;
  return {{"logits", WriteArray(stem, "logits", {shifts.samples, shifts.classes}, shifts.logits)},
          {"shifts", WriteArray(stem, "shifts", {choices, shifts.samples, shifts.classes}, shifts.shifts)}};
}

OutputShifts ReadShifts(JsonReader reader, const Sensitivity& sensitivity, const std::filesystem::path& folder) {
  const NumberArray logits = ReadArray(reader, "logits", 2, folder), shifts = ReadArray(reader, "shifts", 3, folder);
  const std::vector<std::size_t> expected{QuantizedChoices(sensitivity), logits.shape[0], logits.shape[1]};
  if (shifts.shape != expected)
    reader.Reject(fmt::format("shifts: have the shape [{}]; expected choices, samples and classes, [{}]",
                              fmt::join(shifts.shape, ", "), fmt::join(expected, ", ")));
  reader.Finish();
  OutputShifts result{logits.shape[0], logits.shape[1], Narrow(logits.numbers), Narrow(shifts.numbers)};
  for (const std::vector<float>* numbers : {&result.logits, &result.shifts})
    if (!std::all_of(numbers->begin(), numbers->end(), [](float number) { return std::isfinite(number); }))
      reader.Reject("logits and shifts: must be finite");
  return result;
}

Contributions ReadContributions(JsonReader reader, const Sensitivity& sensitivity,
                                const std::filesystem::path& folder) {
  Contributions table;
  for (const std::string& name : reader.Strings("measures")) {
    table.measures.push_back(ParseMeasure(name));
    if (!IsOfShifts(table.measures.back()))
      reader.Fail("measures", "a measure of the shifts of the output, logit-shift for one");
  }
  if (reader.Has("predictions")) table.predictions = ReadPredictions(reader, sensitivity.samples);
  NumberArray values = ReadArray(reader, "values", 3, folder);
  const std::vector<std::size_t> expected{table.measures.size(), QuantizedChoices(sensitivity),
                                          static_cast<std::size_t>(sensitivity.samples)};
  if (values.shape != expected)
    reader.Reject(fmt::format("values: have the shape [{}]; expected measures, choices and samples, [{}]",
                              fmt::join(values.shape, ", "), fmt::join(expected, ", ")));
  reader.Finish();
  table.choices = expected[1];
  table.samples = expected[2];
  table.values = std::move(values.numbers);
  if (!std::all_of(table.values.begin(), table.values.end(), [](double number) { return std::isfinite(number); }))
    reader.Reject("values: must be finite");
  return table;
}

/// Rows of shifts are the samples' predictions.
void CheckPredictions(const JsonReader& reader, const Contributions& table, const OutputShifts& shifts) {
  std::size_t counted = 0;
  for (const std::int64_t of_sample : table.predictions) counted += static_cast<std::size_t>(of_sample);
  const bool fits =
      table.predictions.empty() ? table.samples > 0 && shifts.samples % table.samples == 0 : shifts.samples == counted;
  if (!fits)
    reader.Reject(fmt::format("shifts: are of {} predictions, which the {} samples of the contributions do not have",
                              shifts.samples, table.samples));
}

}  // namespace bitplan::plan
