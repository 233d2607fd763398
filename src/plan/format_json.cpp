#include "plan/format_json.h"

#include "bitplan/error.h"

namespace bitplan {

Json FormatJson(const Format& format) {
  return {{"bits", format.bits},
          {"scheme", ToString(format.scheme)},
          {"granularity", ToString(format.granularity)},
          {"narrow_range", format.narrow_range},
          {"calibrator", ToString(format.calibrator)},
          {"percentile", format.percentile}};
}

Format ReadFormat(JsonReader reader) {
  Format format;
  format.bits = reader.Width("bits");
  const auto parse = [&](const std::string& key, const auto& parser) {
    try {
      return parser(reader.String(key));
    } catch (const Error& error) {
      reader.Fail(key, std::string("a known name: ") + error.what());
    }
  };
  format.scheme = parse("scheme", ParseScheme);
  format.granularity = parse("granularity", ParseGranularity);
  format.narrow_range = reader.Bool("narrow_range");
  format.calibrator = parse("calibrator", ParseCalibrator);
  format.percentile = reader.Number("percentile");
  reader.Finish();
  try {
    format.Validate();
  } catch (const Error& error) {
    reader.Reject(error.what());
  }
  return format;
}

Json DataSourceJson(const DataSource& data) {
  return {
      {"spec", data.spec}, {"sha256", data.sha256}, {"samples", data.samples}, {"mean", data.mean}, {"std", data.std}};
}

DataSource ReadDataSource(JsonReader reader) {
  DataSource data;
  data.spec = reader.String("spec");
  data.sha256 = reader.String("sha256");
  data.samples = reader.Integer("samples", 0);
  data.mean = reader.Numbers("mean");
  data.std = reader.Numbers("std");
  reader.Finish();
  return data;
}

}  // namespace bitplan
