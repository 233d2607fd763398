#pragma once

#include <string>
#include <vector>

namespace bitplan::cli {

/// Exit codes of the tool (Errors and conduct in docs/architecture.md).
enum ExitCode : int { kDone = 0, kBug = 1, kBadInput = 2, kNoPlan = 3, kDiverged = 4, kInterrupted = 130 };

using Arguments = std::vector<std::string>;

/// One command of the tool: parses, calls the library, prints.
struct Command {
  const char* name;
  const char* summary;
  int (*run)(const Arguments& arguments);
};

int Inspect(const Arguments& arguments);
int AnalyzeModel(const Arguments& arguments);
int SearchPlan(const Arguments& arguments);
int SearchFront(const Arguments& arguments);
int ProfileModel(const Arguments& arguments);
int CalibrateModel(const Arguments& arguments);
int QuantizeModel(const Arguments& arguments);
int ExportPlans(const Arguments& arguments);
int TrainModel(const Arguments& arguments);
int EvaluateModel(const Arguments& arguments);
int RunAll(const Arguments& arguments);
int ValidateMeasures(const Arguments& arguments);
int ShowSpectrum(const Arguments& arguments);

}  // namespace bitplan::cli
