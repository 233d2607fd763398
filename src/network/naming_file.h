#pragma once

#include <fmt/format.h>

#include <exception>
#include <filesystem>

#include "bitplan/error.h"
#include "network/torch_error.h"

namespace bitplan::network {

/// What `follow` returns, which does something with the forward of a file's model: Errors then begin with the file's
/// name, and what LibTorch throws is one of them.
template <typename Follow>
auto NamingFile(const std::filesystem::path& file, const Follow& follow) {
  try {
    return follow();
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", file.string(), error.what()));
  } catch (const std::exception& error) {
    if (!IsOfModel(error)) throw;
    throw Error(fmt::format("{}: the forward cannot be followed: {}", file.string(), TorchReason(error)));
  }
}

}  // namespace bitplan::network
