#include <gtest/gtest.h>

#include "bitplan/cost.h"
#include "cost/error_message.h"

namespace bitplan::cost {
namespace {

struct Spelling {
  const char* text;
  const char* cost;
  double value;
  bool percent;
};

TEST(ParseBudget, ReadsEveryUnit) {
  for (const Spelling& each : {Spelling{"weight_size=12.5%", "weight_size_bytes", 12.5, true},
                               {"weight_size=134168", "weight_size_bytes", 134168, false},
                               {"weight_size=134168B", "weight_size_bytes", 134168, false},
                               {"weight_size=100KiB", "weight_size_bytes", 102400, false},
                               {"weight_size=1.5MiB", "weight_size_bytes", 1572864, false},
                               {"weight_size=3kB", "weight_size_bytes", 3000, false},
                               {"weight_size=0.25MB", "weight_size_bytes", 250000, false},
                               {"bops=10%", "bops", 10, true},
                               {"bops=1.5G", "bops", 1.5e9, false},
                               {"bops=2T", "bops", 2e12, false},
                               {"bops=7K", "bops", 7e3, false},
                               {"bops=7M", "bops", 7e6, false},
                               {"bops=1e9", "bops", 1e9, false},
                               {"average_bits=3.5", "average_bits", 3.5, false},
                               {"file_size=2KiB", "file_size_bytes", 2048, false},
                               {"file_size=40%", "file_size_bytes", 40, true},
                               {"activation_memory=64KiB", "activation_memory_bytes", 65536, false},
                               {"macs=40M", "macs", 4e7, false},
                               {"energy=5", "energy_uj", 5, false},
                               {"energy=0.25mJ", "energy_uj", 250, false},
                               {"energy=20%", "energy_uj", 20, true},
                               {"latency=5", "latency_ms", 5, false},
                               {"latency=5000us", "latency_ms", 5, false},
                               {"latency=0.5s", "latency_ms", 500, false},
                               {"latency_cycles=1e6", "latency_cycles", 1e6, false},
                               {"latency_cycles=50%", "latency_cycles", 50, true}}) {
    const BudgetSpec budget = ParseBudget(each.text);
    EXPECT_EQ(budget.cost, each.cost) << each.text;
    EXPECT_DOUBLE_EQ(budget.value, each.value) << each.text;
    EXPECT_EQ(budget.percent, each.percent) << each.text;
  }
}

TEST(ParseBudget, RefusesNonsenseInOneLineThatShowsTheForm) {
  for (const char* text : {"",
                           "=",
                           "=5",
                           "weight_size",
                           "weight_size=",
                           "weight_size=abc",
                           "weight_size=-5",
                           "weight_size=0",
                           "weight_size=0%",
                           "weight_size=nan",
                           "weight_size=inf",
                           "weight_size=1e999",
                           "weight_size=5 KiB",
                           "weight_size=5kib",
                           "weight_size= 5",
                           "weight_size=5%%",
                           "weight_size=5G",
                           "=5KiB",
                           "latency=5KiB",
                           "energy=5V",
                           "latency_cycles=5ms",
                           "bops=5KiB",
                           "bops=1e308T",
                           "average_bits=50%",
                           "average_bits=4K",
                           "average_bits=-0.0",
                           "weight_size=+5",
                           "weight_size=0x10",
                           "weight_size=5=6"})
    EXPECT_THAT([&] { ParseBudget(text); }, OneLineError("budget '", text, "weight_size=12.5%")) << text;
}

TEST(ParseBudget, SaysWhatIsWrong) {
  EXPECT_THAT([] { ParseBudget("bops=5KiB"); }, OneLineError("unknown unit 'KiB'"));
  EXPECT_THAT([] { ParseBudget("weight_size=-5"); }, OneLineError("above 0"));
}

}  // namespace
}  // namespace bitplan::cost
