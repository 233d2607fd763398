#include "network/torch_error.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <torch/csrc/jit/frontend/error_report.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <cstdlib>
#include <new>
#include <string_view>

namespace bitplan::network {

namespace {

std::string TextOf(const std::exception& error) {
  const auto* const torch_error = dynamic_cast<const c10::Error*>(&error);
  return torch_error ? torch_error->what_without_backtrace() : error.what();
}

/// What the allocators of host and devices say, also inside of what the interpreter makes of it.
bool SaysOutOfMemory(std::string_view text) {
  for (const std::string_view sign : {"can't allocate memory", "not enough memory", "CUDA out of memory", "bad_alloc"})
    if (text.find(sign) != std::string_view::npos) return true;
  return false;
}

/// By its type, or, as the interpreter loses the type of exceptions that pass through it, by how it begins.
bool IsOfTorch(const std::exception& error) {
  return dynamic_cast<const c10::Error*>(&error) != nullptr ||
         dynamic_cast<const torch::jit::ErrorReport*>(&error) != nullptr ||
         dynamic_cast<const torch::jit::JITException*>(&error) != nullptr ||
         std::string_view(error.what()).starts_with("The following operation failed in the TorchScript interpreter");
}

std::string OutOfMemoryReason(const std::string& text) {
  constexpr std::string_view kTried = "tried to allocate ";
  const auto tried = text.find(kTried);
  const std::int64_t bytes = tried == std::string::npos ? 0 : std::atoll(text.c_str() + tried + kTried.size());
  const std::string asked = text.find(" bytes", tried) != std::string::npos && bytes >= 1 << 20
                                ? fmt::format(" when {} MiB more were asked for", bytes >> 20)
                                : "";
  return fmt::format(
      "out of memory{}; smaller batches (--batch-size), fewer samples (--samples, --calibration-samples) or a lower "
      "--memory take less",
      asked);
}

}  // namespace

bool IsOutOfMemory(const std::exception& error) {
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr || SaysOutOfMemory(TextOf(error));
}

bool IsOfModel(const std::exception& error) {
  if (IsOutOfMemory(error)) return true;
  return IsOfTorch(error) && TextOf(error).find("INTERNAL ASSERT FAILED") == std::string::npos;
}

void RefuseNetwork(const std::exception& cause, const std::string& message) {
  if (IsOutOfMemory(cause)) throw Error(message);
  throw RefusedNetwork(message);
}

std::string TorchReason(const std::exception& error) {
  std::string text = TextOf(error);
  if (IsOutOfMemory(error)) return OutOfMemoryReason(text);
  // The interpreter puts a traceback of the model's source before the reason, which follows the last "…Error: ".
  if (const auto reason = text.rfind("Error: "); reason != std::string::npos) text = text.substr(reason + 7);
  const auto first = text.find_first_not_of(" \n");
  if (first == std::string::npos) return "no reason given";
  return text.substr(first, text.find('\n', first) - first);
}

}  // namespace bitplan::network
