#include "checkpoint.h"

#include <fmt/format.h>

#include <system_error>

#include "bitplan/error.h"
#include "interrupt.h"
#include "network/torch_error.h"
#include "process/memory_limit.h"

namespace bitplan::cli {

namespace fs = std::filesystem;

fs::path CheckpointOf(const fs::path& result) { return fmt::format("{}.checkpoint", result.string()); }

void AddResumeOption(CommandLine& line) {
  line.Add({{"resume", Flag(), "go on with the same run where it was interrupted; there or not"}});
}

void WithCheckpoint(const CommandLine& line, const fs::path& result, const std::function<void(const fs::path&)>& work) {
  const fs::path checkpoint = CheckpointOf(result);
  std::error_code ignored;
  if (!line.Get<bool>("resume")) fs::remove(checkpoint, ignored);
  const auto left =
      fmt::format("what was finished is in {}: the same command with --resume goes on from there", checkpoint.string());
  const auto written = [&] {
    return fs::last_write_time(checkpoint, ignored);
  };  // a time of its own where there is none
  const auto before = written();
  const bool was_there = fs::exists(checkpoint, ignored);
  try {
    work(checkpoint);
  } catch (const Interrupted&) {
    if (!fs::exists(checkpoint, ignored)) throw;
    throw Interrupted{left};
  } catch (const process::MemoryShort&) {
    throw;  // tells what --memory would do; what was finished may be of other passes than those under it
  } catch (const network::RefusedNetwork&) {
    if (!was_there) fs::remove(checkpoint, ignored);
    throw;
  } catch (const Error& error) {
    if (!fs::exists(checkpoint, ignored) || written() == before) throw;  // refused before anything was finished
    throw Error(fmt::format("{}; {}", error.what(), left));
  }
  fs::remove(checkpoint, ignored);
}

}  // namespace bitplan::cli
