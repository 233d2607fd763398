#pragma once

#include "first_values.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods {

// What methods have in common: the format that they are made for, and what they see before training.

class WeightOfFormat : public WeightQuantizer {
 public:
  WeightOfFormat(const Format& format, int channel_axis) : format_(format), channel_axis_(channel_axis) {}

 protected:
  const Format format_;
  const int channel_axis_;
};

class InputOfFormat : public InputQuantizer {
 public:
  explicit InputOfFormat(const Format& format) : format_(format) {}

  void Initialize(const at::Tensor& x) override { first_.Add(x); }

 protected:
  const Format format_;
  FirstValues first_;
};

}  // namespace bitplan::training_methods
