#pragma once

#include <ATen/ATen.h>
#include <torch/serialize/archive.h>

#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "files/journal.h"

namespace bitplan::files {

// Tensors as steps of a journal; for rooms that see LibTorch.

inline StepType StepTypeOf(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return StepType::Float32;
    case at::kDouble:
      return StepType::Float64;
    case at::kLong:
      return StepType::Int64;
    default:
      return StepType::Bytes;
  }
}

inline void AddTensor(JournalSteps& steps, const std::string& step, const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().cpu().contiguous();
  steps.Add(step, StepTypeOf(values), values.const_data_ptr(), values.nbytes());
}

/// A step of the type, length and shape of `like`. Throws Error when it is of others, or not there.
inline at::Tensor ReadTensor(const Journal& journal, const std::string& step, const at::Tensor& like) {
  const at::Tensor values = at::empty(like.sizes(), like.options().device(at::kCPU).requires_grad(false));
  journal.Read(step, StepTypeOf(values), values.mutable_data_ptr(), values.nbytes());
  return values.to(like.device());
}

/// What only LibTorch can write and read, as the bytes of its archive: Owner::save and Owner::load, an optimizer's.
template <typename Owner>
void AddArchive(JournalSteps& steps, const std::string& step, const Owner& owner) {
  torch::serialize::OutputArchive archive;
  owner.save(archive);
  std::ostringstream bytes;
  archive.save_to(bytes);
  const std::string text = bytes.str();
  steps.Add(step, StepType::Bytes, text.data(), text.size());
}

template <typename Owner>
void ReadArchive(const Journal& journal, const std::string& step, Owner& owner) {
  const std::vector<char> bytes = journal.Rows<char>(step, 1);
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(bytes.data(), bytes.size());
    owner.load(archive);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    journal.RefuseDamaged(step);
  }
}

}  // namespace bitplan::files
