#include "cost_options.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/plan.h"

namespace bitplan::cli {

void AddCostOptions(CommandLine& line) {
  line.Add({{"costs", CostFiles(),
             "tables of costs: a .json file from bitplan profile, a .csv file layer,weight_bits,activation_bits,COST, "
             "or COST=FILE.npy in HAQ's layout [layer, weight bits - 1, activation bits - 1]"}});
}

std::vector<CostTable> ReadCostOptions(const CommandLine& line, const std::vector<std::string>& layers) {
  std::vector<CostTable> tables;
  for (const std::string& text : line.List("costs")) {
    if (text.ends_with(".npy")) {
      const auto equals = text.find('=');
      if (equals == std::string::npos || equals == 0)
        throw Error(fmt::format(
            "--costs {}: an array does not say what cost it is; give COST=FILE.npy, as latency_cycles={}", text, text));
      tables.push_back(ReadCostArray(text.substr(equals + 1), text.substr(0, equals), layers));
    } else if (text.ends_with(".csv")) {
      tables.push_back(ReadCostCsv(text));
    } else {
      for (CostTable& table : ReadCosts(text)) tables.push_back(std::move(table));
    }
  }
  return tables;
}

}  // namespace bitplan::cli
