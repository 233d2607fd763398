#include "bitplan/train_method.h"

#include <stdexcept>

#include "text/enum_names.h"

namespace bitplan {

namespace {

constexpr text::Names<TrainingMethod, 14> kMethods = {
    {{TrainingMethod::Fixed, "fixed"},
     {TrainingMethod::MovingAverage, "moving-average"},
     {TrainingMethod::DoReFa, "dorefa"},
     {TrainingMethod::Pact, "pact"},
     {TrainingMethod::PactChannel, "pact-channel"},
     {TrainingMethod::Lsq, "lsq"},
     {TrainingMethod::LsqPlus, "lsq-plus"},
     {TrainingMethod::Qil, "qil"},
     {TrainingMethod::BinaryConnect, "binary-connect"},
     {TrainingMethod::BinaryConnectStochastic, "binary-connect-stochastic"},
     {TrainingMethod::Bwn, "bwn"},
     {TrainingMethod::XnorNet, "xnor-net"},
     {TrainingMethod::Twn, "twn"},
     {TrainingMethod::Ttq, "ttq"}}};

}  // namespace

bool LevelsFollowWeight(TrainingMethod method) {
  switch (method) {
    case TrainingMethod::Fixed:
    case TrainingMethod::MovingAverage:
    case TrainingMethod::DoReFa:
    case TrainingMethod::Pact:
    case TrainingMethod::PactChannel:
    case TrainingMethod::Lsq:
    case TrainingMethod::LsqPlus:
    case TrainingMethod::Qil:
    case TrainingMethod::Bwn:
    case TrainingMethod::XnorNet:
    case TrainingMethod::Twn:
      return true;
    case TrainingMethod::BinaryConnect:
    case TrainingMethod::BinaryConnectStochastic:
    case TrainingMethod::Ttq:
      return false;
  }
  throw std::logic_error("a training method of which nothing says whether its levels follow the weight");
}

std::vector<TrainingMethod> TrainingMethods() {
  std::vector<TrainingMethod> methods;
  for (const auto& [method, name] : kMethods) methods.push_back(method);
  return methods;
}

BITPLAN_ENUM_NAMES(TrainingMethod, kMethods, "training method")
TrainingMethod ParseTrainingMethod(std::string_view text) { return Parse<TrainingMethod>(text); }

}  // namespace bitplan
