#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string_view>

#include "bitplan/error.h"
#include "bitplan/process.h"
#include "bitplan/version.h"
#include "command.h"
#include "interrupt.h"
#include "memory_option.h"
#include "network/torch_error.h"
#include "process/memory_limit.h"
#include "process/start_anew.h"
#include "tell.h"

namespace bitplan::cli {

namespace {

constexpr std::array kCommands = {
    Command{"inspect", "show the layers of a model: operators, shapes, weights, MACs", Inspect},
    Command{"analyze", "measure how sensitive each layer is to each width", AnalyzeModel},
    Command{"search", "find the best plan within the budgets", SearchPlan},
    Command{"pareto", "find every plan that is the best for what it costs", SearchFront},
    Command{"calibrate", "collect what the ranges of layer inputs are found from", CalibrateModel},
    Command{"profile", "time each layer's kernels here, or estimate latency and energy on a device", ProfileModel},
    Command{"quantize", "apply a plan and save a quantized TorchScript file", QuantizeModel},
    Command{"export", "write what a plan makes of a model for other tools", ExportPlans},
    Command{"train", "train a model under a plan, and save it quantized", TrainModel},
    Command{"eval", "measure the float and the planned network on data", EvaluateModel},
    Command{"validate", "compare every measure's predictions with the real loss of random plans", ValidateMeasures},
    Command{"spectrum", "show how the eigenvalues of the loss's curvature are distributed", ShowSpectrum},
    Command{"run", "all of it: model, data and budgets in, plan and accuracy out", RunAll},
};

void PrintUsage(std::FILE* to) {
  fmt::print(to,
             "bitplan {}: how many bits each layer of a trained network gets\n\nusage: bitplan COMMAND [options]\n\n",
             Version());
  for (const Command& command : kCommands) fmt::print(to, "  {:<10}{}\n", command.name, command.summary);
  fmt::print(to, "\nbitplan COMMAND --help lists a command's options.\n");
}

int Dispatch(const Arguments& arguments) {
  if (arguments.empty()) {
    PrintUsage(stderr);
    return kBadInput;
  }
  const std::string& name = arguments[0];
  if (name == "--help" || name == "-h" || name == "help") {
    PrintUsage(stdout);
    return kDone;
  }
  if (name == "--version") {
    fmt::print("bitplan {}\n", Version());
    return kDone;
  }
  const auto* const command =
      std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& each) { return each.name == name; });
  if (command == kCommands.end()) throw Error(fmt::format("there is no command '{}'; bitplan --help lists them", name));
  return command->run(Arguments(arguments.begin() + 1, arguments.end()));
}

#ifdef __linux__
// ShareProcessors starts the program anew. Done here, before LibTorch sets itself up, that costs next to nothing.
[[gnu::used, gnu::section(".preinit_array")]] void (*const kStartAnew)(int, char**, char**) =
    [](int, char** values, char** environment) { process::StartAnew(values, environment); };
#endif

}  // namespace

}  // namespace bitplan::cli

int main(int count, char** values) {
  using namespace bitplan::cli;
  bitplan::ShareProcessors(values);
  bitplan::KeepFreedMemory();
  CatchInterrupts();
  try {
    const int code = Dispatch(Arguments(values + 1, values + count));
    FinishOutput();
    return code;
  } catch (const Interrupted& interrupted) {
    Tell("interrupted; " + interrupted.left);
    return kInterrupted;
  } catch (const bitplan::process::MemoryShort& error) {
    Tell(MemoryNeeded(Arguments(values + 1, values + count), error));
    return kBadInput;
  } catch (const bitplan::Error& error) {
    Tell(error.what());
    return kBadInput;
  } catch (const std::exception& error) {
    if (bitplan::network::IsOutOfMemory(error)) {
      Tell(bitplan::network::TorchReason(error));
      return kBadInput;
    }
    if (std::ferror(stdout) != 0) {  // fmt::print throws of its own
      Tell(fmt::format("the results cannot be written to standard output: {}", error.what()));
      return kBadInput;
    }
    Tell(fmt::format("internal error, please report it: {}", error.what()));
    return kBug;
  }
}
