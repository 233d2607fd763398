#include "bitplan/loss_kind.h"

#include "text/enum_names.h"

namespace bitplan {

namespace {

constexpr text::Names<Loss, 7> kLosses = {{{Loss::Auto, "auto"},
                                           {Loss::CrossEntropy, "cross-entropy"},
                                           {Loss::Divergence, "divergence"},
                                           {Loss::LogitShift, "logit-shift"},
                                           {Loss::BinaryCrossEntropy, "binary-cross-entropy"},
                                           {Loss::MeanSquaredError, "mean-squared-error"},
                                           {Loss::Module, "module"}}};

}  // namespace

BITPLAN_ENUM_NAMES(Loss, kLosses, "loss")
Loss ParseLoss(std::string_view text) { return Parse<Loss>(text); }

}  // namespace bitplan
