// How many images of a folder a second are read, decoded, resized and cropped, as analyses and evaluations stream them,
// and the most memory that took. usage: bench_data FOLDER RESIZE CROP BATCH
#include "bitplan/data.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "bitplan/process.h"
#include "stopwatch.h"

int main(int count, char** words) {
  bitplan::ShareProcessors(words);
  if (count != 5) return 2;
  bitplan::DataOptions options;
  options.resize = std::atoll(words[2]);
  options.crop = std::atoll(words[3]);
  options.memory_bytes = 64 << 20;  // of 1,000 images nothing is held
  const std::int64_t batch = std::atoll(words[4]);
  std::int64_t images = 0;
  const double seconds = Seconds([&] {
    const auto data = bitplan::Dataset::Load(std::string("images:") + words[1], options);
    images = data.size();
    for (std::int64_t i = 0; i < images; i += batch) data.Get(i, std::min(images, i + batch));
  });
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{} {:.3f} {}\n", images, seconds, usage.ru_maxrss / 1024);
}
