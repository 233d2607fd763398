#include "bitplan/train_method.h"

#include "enum_names.h"

namespace bitplan {

namespace {

constexpr Names<TrainingMethod, 14> kMethods = {{{TrainingMethod::Fixed, "fixed"},
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
  return method != TrainingMethod::Ttq && method != TrainingMethod::BinaryConnect &&
         method != TrainingMethod::BinaryConnectStochastic;
}

BITPLAN_ENUM_NAMES(TrainingMethod, kMethods, "training method")
TrainingMethod ParseTrainingMethod(std::string_view text) { return Parse<TrainingMethod>(text); }

}  // namespace bitplan
