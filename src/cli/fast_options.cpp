#include "fast_options.h"

#include <fmt/format.h>

#include "configuration_options.h"
#include "report.h"

namespace bitplan::cli {

void AddFastOptions(CommandLine& line) {
  line.Add({
      {"fast", Flag(), "measure the plan on LibTorch's 8-bit kernels, too, and how much faster than float they are",
       OfAPlan()},
      {"dynamic",
       Flag(),
       "linear and LSTM layers with 8-bit weights that read float quantize it batch by batch",
       {{"fast"}}},
  });
}

bool WantsFast(const CommandLine& line) { return line.Get<bool>("fast"); }

FastOptions ReadFastOptions(const CommandLine& line) { return {.dynamic = line.Get<bool>("dynamic")}; }

void PrintFastEvaluation(const FastComparison& fast) {
  fmt::print("\nforward on 8-bit kernels: {:.2f}x as fast as in float\n", fast.speedup);
  PrintInFloat(fast.in_float, "all layers run on 8-bit kernels");
}

}  // namespace bitplan::cli
