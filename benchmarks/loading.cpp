// How long it takes to load a model, beside reading its file: bench_loading FILE … (loading.sh makes them). Each line
// is of one file: the best of several turns, the file in the system's cache.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/network.h"
#include "bitplan/process.h"

namespace {

double Milliseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

double BestOf(int turns, const std::function<void()>& work) {
  double best = Milliseconds(work);
  for (int turn = 1; turn < turns; ++turn) best = std::min(best, Milliseconds(work));
  return best;
}

void ReadWhole(const std::filesystem::path& file) {
  std::vector<char> bytes(std::filesystem::file_size(file));
  std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

int main(int argc, char** argv) {
  bitplan::ShareProcessors(argv);
  bitplan::KeepFreedMemory();
  fmt::print("{:24} {:>10} {:>10} {:>10} {:>10} {:>8}\n", "file", "MB", "read ms", "first ms", "load ms", "ratio");
  try {
    for (int i = 1; i < argc; ++i) {
      const std::filesystem::path file = argv[i];
      constexpr int kTurns = 5;
      const double read = BestOf(kTurns, [&] { ReadWhole(file); });
      const auto load = [&] { bitplan::Network::Load(file); };
      const double first = Milliseconds(load), again = BestOf(kTurns, load);
      fmt::print("{:24} {:10.2f} {:10.2f} {:10.1f} {:10.1f} {:8.2f}\n", file.filename().string(),
                 static_cast<double>(std::filesystem::file_size(file)) / 1e6, read, first, again, again / read);
    }
  } catch (const bitplan::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
  return 0;
}
