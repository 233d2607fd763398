#include "tell.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "bitplan/error.h"

namespace bitplan::cli {

void Tell(const std::string& text) {
  const std::string line = "bitplan: " + text + "\n";
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

void FinishOutput() {
  std::cout.flush();
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return;
  const std::string reason = errno == 0 ? "not all of it was taken" : std::strerror(errno);
  throw Error("the results cannot be written to standard output: " + reason);
}

}  // namespace bitplan::cli
