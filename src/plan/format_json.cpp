#include "plan/format_json.h"

#include <utility>

#include "bitplan/error.h"

namespace bitplan::plan {

Json FormatJson(const Format& format) {
  return {{"type", ToString(format.type)},
          {"bits", format.bits},
          {"scheme", ToString(format.scheme)},
          {"granularity", ToString(format.granularity)},
          {"group_size", format.group_size},
          {"scale_type", ToString(format.scale_type)},
          {"narrow_range", format.narrow_range},
          {"reduce_range", format.reduce_range},
          {"calibrator", ToString(format.calibrator)},
          {"percentile", format.percentile},
          {"deviations", format.deviations}};
}

Format ReadFormat(JsonReader reader) {
  Format format;
  format.bits = reader.Width("bits");
  format.type = ReadName(reader, "type", ParseNumberType);
  format.scheme = ReadName(reader, "scheme", ParseScheme);
  format.granularity = ReadName(reader, "granularity", ParseGranularity);
  format.scale_type = ReadName(reader, "scale_type", ParseScaleType);
  format.group_size = static_cast<int>(reader.Integer("group_size", 0, kLargestGroup));
  format.narrow_range = reader.Bool("narrow_range");
  format.reduce_range = reader.Bool("reduce_range");
  format.calibrator = ReadName(reader, "calibrator", ParseCalibrator);
  format.percentile = reader.Number("percentile");
  format.deviations = reader.Number("deviations");
  reader.Finish();
  try {
    format.Validate();
  } catch (const Error& error) {
    reader.Reject(error.what());
  }
  return format;
}

Json CorrectionsJson(const Corrections& corrections) {
  Json json{{"rescaling", ToString(corrections.rescaling)},
            {"smoothing", corrections.smoothing},
            {"rounding", ToString(corrections.rounding)},
            {"output", ToString(corrections.output)}};
  if (corrections.outlier_threshold > 0) json["outlier_threshold"] = corrections.outlier_threshold;
  return json;
}

Corrections ReadCorrections(JsonReader reader) {
  for (const char* key : {"rescaling", "rounding", "output"}) reader.String(key);
  reader.Number("smoothing");
  return ReadCorrectionsChange(std::move(reader), {});
}

Corrections ReadCorrectionsChange(JsonReader reader, Corrections corrections) {
  if (reader.Has("rescaling")) corrections.rescaling = ReadName(reader, "rescaling", ParseRescaling);
  if (reader.Has("smoothing")) corrections.smoothing = reader.Number("smoothing");
  if (reader.Has("rounding")) corrections.rounding = ReadName(reader, "rounding", ParseRounding);
  if (reader.Has("output")) corrections.output = ReadName(reader, "output", ParseOutputCorrection);
  if (reader.Has("outlier_threshold")) corrections.outlier_threshold = reader.Number("outlier_threshold");
  reader.Finish();
  try {
    corrections.Validate();
  } catch (const Error& error) {
    reader.Reject(error.what());
  }
  return corrections;
}

Json DataSourceJson(const DataSource& data) {
  Json json{
      {"spec", data.spec}, {"sha256", data.sha256}, {"samples", data.samples}, {"mean", data.mean}, {"std", data.std}};
  if (!data.ignored_labels.empty()) json["ignored_labels"] = data.ignored_labels;
  if (data.context != 0) json["context"] = data.context;
  if (data.resize != 0) json["resize"] = data.resize;
  if (data.crop != 0) json["crop"] = data.crop;
  if (!data.interpolation.empty()) json["interpolation"] = data.interpolation;
  return json;
}

DataSource ReadDataSource(JsonReader reader) {
  DataSource data;
  data.spec = reader.String("spec");
  data.sha256 = reader.String("sha256");
  data.samples = reader.Integer("samples", 0);
  data.mean = reader.Numbers("mean");
  data.std = reader.Numbers("std");
  if (reader.Has("ignored_labels")) data.ignored_labels = reader.Integers("ignored_labels");
  if (reader.Has("context")) data.context = reader.Integer("context", 1);
  if (reader.Has("resize")) data.resize = reader.Integer("resize", 1);
  if (reader.Has("crop")) data.crop = reader.Integer("crop", 1);
  if (reader.Has("interpolation")) data.interpolation = reader.String("interpolation");
  reader.Finish();
  return data;
}

}  // namespace bitplan::plan
