#include "memory_option.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "bitplan/error.h"
#include "bitplan/process.h"
#include "network/stored_bytes.h"
#include "tuning.h"
#include "values.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bitplan::cli {

namespace {

constexpr const char* kDefault = "2GiB";
constexpr std::int64_t kMebibyte = 1 << 20;

std::int64_t BytesOf(const Network& network) {
  std::set<const void*> counted;
  std::int64_t bytes = 0;
  for (const Parameter& parameter : network.parameters())
    if (counted.insert(parameter.value.storage().unsafeGetStorageImpl()).second)
      bytes += static_cast<std::int64_t>(parameter.value.storage().nbytes());
  return bytes;
}

/// The most that the process has taken so far; 0 where the system does not say.
std::int64_t PeakOfProcess() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return 1024 * std::atoll(line.substr(6).c_str());
  return 0;
}

std::int64_t Mebibytes(std::int64_t bytes) { return (bytes + kMebibyte - 1) / kMebibyte; }

std::int64_t ReadLimit(const CommandLine& line) { return ParseBytes("memory", line.Get<std::string>("memory")); }

/// As it was given on the command line, or the default; nothing where a file of options may have it.
std::optional<std::string> Given(const Arguments& arguments) {
  const std::string option = "--memory", file = "--config";
  std::optional<std::string> given;
  bool may_be_in_file = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with(option + "=")) given = arguments[i].substr(option.size() + 1);
    if (arguments[i] == option && i + 1 < arguments.size()) given = arguments[i + 1];
    may_be_in_file = may_be_in_file || arguments[i].starts_with(file);
  }
  if (!given && !may_be_in_file) given = kDefault;
  return given;
}

}  // namespace

void AddMemoryOption(CommandLine& line) {
  line.Add({{"memory", Bytes()->default_value(kDefault)->value_name("BYTES"),
             "the most that the process takes, program, network and data included"}});
}

Network LoadNetwork(const CommandLine& line, const NetworkOptions& options) {
  const std::filesystem::path file = line.Required("MODEL.pt");
  const std::int64_t limit = ReadLimit(line), stored = network::StoredBytes(file);
  if (limit < tuning::kProgramBytes + stored)
    throw Error(fmt::format("--memory {}: the program takes {} MiB, and the tensors of {} {} MiB; give at least {}MiB",
                            line.Get<std::string>("memory"), Mebibytes(tuning::kProgramBytes), file.string(),
                            Mebibytes(stored), Mebibytes(tuning::kProgramBytes + stored + tuning::kLeastWorkBytes)));
  return Network::Load(file, options);
}

std::int64_t MemoryOfData(const CommandLine& line, const Network& network) {
  return std::max<std::int64_t>(1,
                                ReadLimit(line) - tuning::kProgramBytes - BytesOf(network) - tuning::kLeastWorkBytes);
}

std::int64_t ReadMemory(const CommandLine& line, const Network& network, const std::vector<const Dataset*>& data) {
  const std::int64_t limit = ReadLimit(line);
  const std::int64_t of_network = BytesOf(network);
  std::int64_t of_data = 0;
  for (const Dataset* each : data) of_data += each->bytes();
  const std::int64_t left = limit - tuning::kProgramBytes - of_network - of_data;
  const std::int64_t least = std::max(limit - left + tuning::kLeastWorkBytes, PeakOfProcess());
  if (limit < least)
    throw Error(fmt::format(
        "--memory {}: the program takes {} MiB, the network {} MiB, the data {} MiB, and loading them {} MiB "
        "in all; give at least {}MiB",
        line.Get<std::string>("memory"), Mebibytes(tuning::kProgramBytes), Mebibytes(of_network), Mebibytes(of_data),
        Mebibytes(PeakOfProcess()), Mebibytes(least)));
  KeepFreedMemory(std::min(tuning::kMostBytesKept, limit / tuning::kShareKept));
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return left;
}

std::string MemoryNeeded(const Arguments& arguments, const process::MemoryShort& error) {
  const std::int64_t more = error.least() - error.limit();
  const char* const give = error.exact() ? "give at least" : "give more, such as";
  const std::optional<std::string> given = Given(arguments);
  if (!given) return fmt::format("--memory: {}; {} {}MiB more", error.Needs(), give, Mebibytes(more));
  return fmt::format("--memory {}: {}; {} {}MiB", *given, error.Needs(), give,
                     Mebibytes(ParseBytes("memory", *given) + more));
}

}  // namespace bitplan::cli
