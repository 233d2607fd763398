#include "image_options.h"

#include <fmt/format.h>

#include <cstdio>

namespace bitplan::cli {

void AddImageOptions(CommandLine& line) {
  OfWhat of{{"plan"}, {"plan.json"}};  // what a plan was analyzed on
  for (const char* const data : {"data", "test", "calibration"}) of.push_back({data, {"images:"}});
  line.Add({
      {"resize", Number<std::int64_t>(WholeFrom(1))->value_name("N"),
       "pixels of the shorter side, before the crop; default: as they are", of},
      {"crop", Number<std::int64_t>(WholeFrom(1))->value_name("N"), "the middle, N × N pixels; default: all", of},
      {"interpolation",
       OneOf({"bilinear", "bicubic", "nearest"}, DataOptions().interpolation, "how"),
       "how images are resized, as torchvision does it with antialias",
       {{"resize"}}},
      {"skip-bad", Flag(), "leave out images that cannot be decoded, and say how many", of},
  });
}

void ReadImageOptions(const CommandLine& line, DataOptions& options) {
  if (line.Has("resize")) options.resize = line.Get<std::int64_t>("resize");
  if (line.Has("crop")) options.crop = line.Get<std::int64_t>("crop");
  options.interpolation = line.Get<std::string>("interpolation");
  options.skip_bad = line.Get<bool>("skip-bad");
}

Dataset LoadData(const std::string& spec, const DataOptions& options) {
  Dataset data = Dataset::Load(spec, options);
  const std::vector<std::string> skipped = data.skipped();
  if (!skipped.empty())
    fmt::print(stderr, "{}: {} skipped, the first: {}\n", spec,
               skipped.size() == 1 ? "1 image was" : fmt::format("{} images were", skipped.size()), skipped.front());
  return data;
}

}  // namespace bitplan::cli
