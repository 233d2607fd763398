// The public API from loading to plan: plan_in_cpp MODEL.pt DATA, e.g. plan_in_cpp resnet20.pt cifar10:train.bin
#include <bitplan/analyze.h>
#include <bitplan/cost.h>
#include <bitplan/data.h>
#include <bitplan/error.h>
#include <bitplan/files.h>
#include <bitplan/network.h>
#include <bitplan/plan.h>
#include <bitplan/process.h>
#include <bitplan/quantize.h>
#include <bitplan/search.h>

#include <iostream>

int main(int argc, char** argv) {
  bitplan::ShareProcessors(argv);  // first: it may start the program anew
  if (argc != 3) {
    std::cerr << "usage: plan_in_cpp MODEL.pt KIND:FILE\n";
    return 2;
  }
  bitplan::KeepFreedMemory();  // passes of this program find their memory again
  try {
    const auto network = bitplan::Network::Load(argv[1]);
    bitplan::DataOptions samples;
    samples.samples = 256;
    const auto data = bitplan::Dataset::Load(argv[2], samples);

    bitplan::AnalyzeOptions analyze;
    analyze.weight_bits = {2, 3, 4, 6, 8};
    analyze.measures = {bitplan::Measure::RelativeError};
    const auto sensitivity = bitplan::Analyze(network, data, analyze);

    bitplan::ProblemOptions budget;
    budget.measure = bitplan::Measure::RelativeError;
    budget.budgets = {bitplan::ParseBudget("weight_size=12.5%")};
    budget.pins = {bitplan::ParsePin("first=8")};
    const auto problem = bitplan::MakeProblem(sensitivity, budget);
    const auto solution = bitplan::Search(problem, {});
    std::cout << bitplan::BriefReport(solution) << "\n";
    if (solution.choices.empty()) return 3;

    const auto plan = bitplan::MakePlan(sensitivity, problem, solution, budget.measure);
    for (const auto& layer : plan.layers) std::cout << layer.name << ": " << layer.weight.bits << " bits\n";
    bitplan::WriteFile("plan.json", bitplan::ToJson(plan));

    const auto quantized = bitplan::QuantizedNetwork::Create(network, plan, data);
    quantized.Save("quantized.pt");
  } catch (const bitplan::Error& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
