#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "cli/tool.h"

namespace bitplan::test {

/// What a command that is refused says, in one line.
inline std::string Refusal(const Workspace& work, const std::string& arguments) {
  const ToolRun run = work.Run(arguments);
  EXPECT_EQ(run.code, 2) << arguments << "\n" << run.out << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  return run.err;
}

}  // namespace bitplan::test
