#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace bitplan::network {

/// What may be known of an operator. "The operand" is the first one, "the result" the first output. An operator in
/// place (relu_) is one of its own.
enum class OperatorTrait : std::uint8_t {
  // Where the result's elements come from
  Copy,              ///< the operand's elements in its shape, if need be in another type or other memory
  KeepsAxes,         ///< elements of the operand, along the axes where they were
  TransposesAxes,    ///< the operand with two axes exchanged, or all of them in reverse order
  Parts,             ///< a list of parts of the operand, cut along one axis
  View,              ///< lies in the operand's memory, always: a tensor, or a list of them; view(dtype) aside
  OwnInverse,        ///< applied twice it gives its operand
  KeepsOrder,        ///< all elements of the operand, in their order; view(dtype) aside
  Dropout,           ///< hands its operand on in eval mode; argument `train`
  Rearranges,        ///< elements of the operand alone, in eval mode: an operator that computes nothing
  KeepsCodes,        ///< elements of the operand, in eval mode, or a number for padding: may work on integers instead
  HandsOn,           ///< may hand on an operand, or a view of it, and the schema does not say so
  DependsOnStrides,  ///< may need, or tell, how the operand lies in memory

  // What it computes, element by element or window by window
  CommutesWithRounding,  ///< f(Q(x)) = Q(f(x)) for a grid Q that has the operator's bounds among its points
  Homogeneous,           ///< f(s x) = s f(x) for s > 0, element by element, in eval mode
  TreatsChannelsAlike,   ///< each channel (axis 1) of the result is the same function of that channel of the operand
  CombinesTensors,       ///< each element of the result is a function of the elements there of two operands
  PassesMean,            ///< the mean stays, where windows cover the operand evenly
  MaxPool,               ///< the largest of windows along the last `OperatorAxes` axes
  AveragePool,           ///< their mean
  Upsampling,            ///< the last `OperatorAxes` axes made longer, by a linear map that keeps constants

  // Weights
  HasWeights,          ///< takes weights and biases, or may
  Convolution,         ///< arguments `weight`, `bias`; of as many axes as `OperatorAxes` says, 0: as its weight does
  Product,             ///< of matrices, linear in each factor
  OtherProduct,        ///< linear in each factor, too; not quantized
  Norm,                ///< by moments of the operand (but for a batch norm's in eval mode), so that its scale is lost
  NormalizesLastAxis,  ///< a norm whose arguments `weight` and `bias` lie along the last axis
  Recurrent,           ///< over sequences; arguments `hx`, `params`, `num_layers`, `bidirectional`, `train`
  RecurrentCell,       ///< one step of it; arguments `hx`, `w_ih`, `w_hh`

  // Types
  KeepsType,        ///< the result has the operand's type; view(dtype) aside
  KeepsFloat,       ///< the result is float32 where all tensors that it reads are
  ComputesInFloat,  ///< takes nothing but float32 beside a float32 parameter, and makes the same
  MakesBool,        ///< a predicate, written over numbers: the plain operator makes booleans

  // What it reads or leaves but elements
  AsksForShape,        ///< a number or list that only the operand's shape decides
  ReadsElements,       ///< a number, boolean or list that elements decide
  ConvertsNumber,      ///< a number for a tensor of one, or the reverse
  ReadsFactsOfFirst,   ///< of the operand only shape and type
  ReadsFactsOfSecond,  ///< of the second operand only shape and type
  ReshapesInPlace,     ///< gives the operand itself another shape in the same memory; without `_` a view
  ChangesTensor,       ///< changes the operand's shape or memory, and not what is in it
};

/// Whether an operator with this name (without namespace, as OperatorName gives it) has the trait. One that is not
/// known has none.
bool Has(std::string_view name, OperatorTrait trait);
bool Has(const torch::jit::Node* node, OperatorTrait trait);

/// Spatial axes of a convolution, a pool or an upsampling, by its name: 2 of max_pool2d. 0: another operator, or its
/// operands tell (convolution).
int OperatorAxes(std::string_view name);

/// Name under which sites and targets have the operator: matmul for bmm; empty where its operands are no sites.
std::string_view TargetOperator(std::string_view name);

/// What is known of one operator.
struct OperatorRow {
  /// The traits as bits.
  struct Traits {
    constexpr Traits(std::initializer_list<OperatorTrait> traits) {
      for (const OperatorTrait trait : traits) bits |= std::uint64_t{1} << static_cast<unsigned>(trait);
    }
    constexpr bool Contains(OperatorTrait trait) const { return (bits >> static_cast<unsigned>(trait) & 1) != 0; }

    std::uint64_t bits = 0;
  };

  std::string_view name;
  Traits traits;
  int axes = 0;                       ///< as OperatorAxes
  std::string_view target_name = {};  ///< as TargetOperator
};

/// All that are known, each once.
const std::vector<OperatorRow>& KnownOperators();

}  // namespace bitplan::network
