#include "network/torch_error.h"

#include <c10/util/Exception.h>

namespace bitplan {

std::string TorchReason(const std::exception& error) {
  const auto* const torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  // The interpreter puts a traceback of the model's source before the reason, which follows the last "…Error: ".
  if (const auto reason = text.rfind("Error: "); reason != std::string::npos) text = text.substr(reason + 7);
  const auto first = text.find_first_not_of(" \n");
  if (first == std::string::npos) return "no reason given";
  return text.substr(first, text.find('\n', first) - first);
}

}  // namespace bitplan
