// A program that shares its processors, as the tool does. Prints how many threads LibTorch takes, its arguments, and
// how often main was entered: counted in STARTS.
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "bitplan/process.h"

int main(int, char** argv) {
  const char* const before = std::getenv("STARTS");
  const int starts = before ? std::atoi(before) + 1 : 1;
  setenv("STARTS", std::to_string(starts).c_str(), 1);
  bitplan::ShareProcessors(argv);
  fmt::print("threads {}, starts {}, arguments", at::get_num_threads(), starts);
  for (char** argument = argv + 1; *argument; ++argument) fmt::print(" [{}]", *argument);
  fmt::print("\n");
  return 7;
}
