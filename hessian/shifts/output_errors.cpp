#include "shifts/output_errors.h"

#include <cstddef>

namespace bitplan::hessian {

std::vector<double> OutputErrors::Errors() {
  const Alternatives& all = outputs_->All();
  return context_.records.Get<double>("output errors", all.choices.size(), [&] {
    std::vector<double> errors;
    for (std::size_t i = 0; i < all.choices.size(); ++i) {
      // Recurrent layers and embeddings have no output of their own: what is known is the change of the tensor itself.
      const double of_tensor = all.Figures(context_.result.layers, i).relative_error;
      errors.push_back(outputs_->Fitted().OutputError(i).value_or(of_tensor));
    }
    return errors;
  });
}

void OutputErrors::Finish() {
  ClearTiedInputs({Measure::OutputError}, context_.result.layers);
  const std::vector<double> errors = Errors();
  for (std::size_t i = 0; i < errors.size(); ++i)
    outputs_->All().Figures(context_.result.layers, i).figures[Measure::OutputError] = {errors[i], 0};
}

}  // namespace bitplan::hessian
