#include "network/operator_traits.h"

#include <string>
#include <unordered_map>

namespace bitplan::network {

const std::vector<OperatorRow>& KnownOperators() {
  using enum OperatorTrait;
  static const std::vector<OperatorRow> rows = {
      // Element by element
      {"relu", {CommutesWithRounding, Homogeneous, KeepsFloat, TreatsChannelsAlike}},
      {"relu_", {CommutesWithRounding, Homogeneous, TreatsChannelsAlike}},
      {"relu6", {CommutesWithRounding, KeepsFloat, TreatsChannelsAlike}},
      {"relu6_", {CommutesWithRounding, TreatsChannelsAlike}},
      {"hardtanh", {CommutesWithRounding, KeepsFloat, TreatsChannelsAlike}},
      {"hardtanh_", {CommutesWithRounding, TreatsChannelsAlike}},
      {"clamp", {CommutesWithRounding, KeepsFloat, TreatsChannelsAlike}},
      {"clamp_", {CommutesWithRounding, TreatsChannelsAlike}},
      {"clamp_min", {CommutesWithRounding, KeepsFloat, TreatsChannelsAlike}},
      {"clamp_min_", {CommutesWithRounding, TreatsChannelsAlike}},
      {"clamp_max", {CommutesWithRounding, KeepsFloat, TreatsChannelsAlike}},
      {"clamp_max_", {CommutesWithRounding, TreatsChannelsAlike}},
      {"leaky_relu", {Homogeneous, KeepsFloat, TreatsChannelsAlike}},
      {"leaky_relu_", {Homogeneous, TreatsChannelsAlike}},
      {"elu", {KeepsFloat, TreatsChannelsAlike}},
      {"elu_", {TreatsChannelsAlike}},
      {"selu", {KeepsFloat, TreatsChannelsAlike}},
      {"celu", {KeepsFloat, TreatsChannelsAlike}},
      {"gelu", {KeepsFloat, TreatsChannelsAlike}, 0, "gelu"},
      {"gelu_", {TreatsChannelsAlike}, 0, "gelu"},
      {"silu", {KeepsFloat, TreatsChannelsAlike}, 0, "silu"},
      {"silu_", {TreatsChannelsAlike}, 0, "silu"},
      {"mish", {KeepsFloat, TreatsChannelsAlike}},
      {"sigmoid", {KeepsFloat, TreatsChannelsAlike}, 0, "sigmoid"},
      {"sigmoid_", {TreatsChannelsAlike}, 0, "sigmoid"},
      {"tanh", {KeepsFloat, TreatsChannelsAlike}, 0, "tanh"},
      {"tanh_", {TreatsChannelsAlike}, 0, "tanh"},
      {"hardswish", {KeepsFloat, TreatsChannelsAlike}, 0, "hardswish"},
      {"hardswish_", {TreatsChannelsAlike}, 0, "hardswish"},
      {"hardsigmoid", {KeepsFloat, TreatsChannelsAlike}, 0, "hardsigmoid"},
      {"hardsigmoid_", {TreatsChannelsAlike}, 0, "hardsigmoid"},
      {"softplus", {KeepsFloat, TreatsChannelsAlike}},
      {"exp", {KeepsFloat, TreatsChannelsAlike}},
      {"log", {KeepsFloat, TreatsChannelsAlike}},
      {"sqrt", {KeepsFloat, TreatsChannelsAlike}},
      {"rsqrt", {KeepsFloat, TreatsChannelsAlike}},
      {"abs", {KeepsFloat, TreatsChannelsAlike}},
      {"neg", {Homogeneous, KeepsFloat, TreatsChannelsAlike}},
      {"square", {KeepsFloat, TreatsChannelsAlike}},
      {"pow", {KeepsFloat}},
      {"softmax", {}, 0, "softmax"},
      {"_softmax", {}, 0, "softmax"},
      {"_safe_softmax", {}, 0, "softmax"},
      // Of several tensors
      {"add", {KeepsFloat, CombinesTensors}, 0, "add"},
      {"add_", {CombinesTensors}, 0, "add"},
      {"sub", {KeepsFloat, CombinesTensors}},
      {"sub_", {CombinesTensors}},
      {"rsub", {KeepsFloat}},
      {"mul", {KeepsFloat, CombinesTensors}, 0, "mul"},
      {"mul_", {CombinesTensors}, 0, "mul"},
      {"div", {KeepsFloat, CombinesTensors}},
      {"div_", {CombinesTensors}},
      {"maximum", {CombinesTensors}},
      {"minimum", {CombinesTensors}},
      {"cat", {KeepsFloat}, 0, "cat"},
      {"concat", {}, 0, "cat"},
      {"stack", {KeepsFloat}, 0, "cat"},
      {"slice_scatter", {KeepsFloat}},
      {"select_scatter", {KeepsFloat}},
      {"broadcast_tensors", {HandsOn}},
      {"meshgrid", {HandsOn}},
      // Dropout
      {"alpha_dropout", {Dropout, Homogeneous, HandsOn}},
      {"dropout", {Dropout, Rearranges, KeepsCodes, Homogeneous, PassesMean, HandsOn, KeepsFloat, TreatsChannelsAlike}},
      {"dropout_", {Rearranges, TreatsChannelsAlike}},
      {"feature_alpha_dropout", {Dropout, HandsOn}},
      {"feature_dropout", {Dropout, Rearranges, Homogeneous, HandsOn, KeepsFloat, TreatsChannelsAlike}},
      // Copies
      {"contiguous",
       {Copy, KeepsAxes, KeepsCodes, CommutesWithRounding, Homogeneous, KeepsType, PassesMean, KeepsFloat,
        TreatsChannelsAlike}},
      {"clone",
       {Copy, KeepsAxes, KeepsCodes, CommutesWithRounding, Homogeneous, PassesMean, KeepsFloat, TreatsChannelsAlike}},
      {"detach", {Copy, KeepsAxes, Homogeneous, PassesMean, KeepsFloat, TreatsChannelsAlike}},
      {"alias", {Copy, KeepsAxes, View, KeepsOrder, Homogeneous, PassesMean, TreatsChannelsAlike}},
      {"to", {Copy, KeepsAxes, Homogeneous, ReadsFactsOfSecond}},
      {"type_as", {Copy, KeepsAxes, Homogeneous, ReadsFactsOfSecond, HandsOn}},
      {"unchecked_cast", {Copy, KeepsAxes, Homogeneous}},
      // Other arrangements, in the same memory where it can be
      {"view", {View, KeepsOrder, Rearranges, KeepsCodes, KeepsType, PassesMean, KeepsFloat, DependsOnStrides}},
      {"_unsafe_view", {DependsOnStrides}},
      {"view_as", {KeepsAxes, View, KeepsOrder, ReadsFactsOfSecond, KeepsFloat, DependsOnStrides}},
      {"reshape", {Rearranges, KeepsCodes, CommutesWithRounding, PassesMean, KeepsFloat}},
      {"reshape_as", {ReadsFactsOfSecond, KeepsFloat}},
      {"flatten", {Rearranges, KeepsCodes, CommutesWithRounding, PassesMean, KeepsFloat}},
      {"unflatten", {View, KeepsOrder, Rearranges, KeepsCodes, KeepsFloat}},
      {"squeeze", {View, KeepsOrder, Rearranges, KeepsCodes, KeepsFloat}},
      {"unsqueeze", {View, KeepsOrder, Rearranges, KeepsCodes, KeepsFloat}},
      {"t", {TransposesAxes, View, OwnInverse, KeepsCodes, KeepsType, KeepsFloat}},
      {"transpose", {TransposesAxes, View, OwnInverse, Rearranges, KeepsCodes, KeepsType, KeepsFloat}},
      {"numpy_T", {TransposesAxes, View, OwnInverse, KeepsType}},
      {"mT", {TransposesAxes, View, OwnInverse}},
      {"swapaxes", {View, OwnInverse}},
      {"swapdims", {View, OwnInverse}},
      {"permute", {View, Rearranges, KeepsCodes, KeepsType, KeepsFloat}},
      {"movedim", {View, Rearranges, KeepsCodes}},
      {"moveaxis", {View}},
      {"expand", {View, Rearranges, KeepsCodes, KeepsFloat}},
      {"expand_as", {View, Rearranges, KeepsCodes, ReadsFactsOfSecond, KeepsFloat}},
      {"broadcast_to", {View}},
      {"select", {View, Rearranges, KeepsCodes, KeepsFloat}},
      {"slice", {KeepsAxes, View, KeepsCodes, KeepsFloat}},
      {"narrow", {KeepsAxes, View, KeepsCodes, KeepsFloat}},
      {"diagonal", {View}},
      {"unfold", {View}},
      {"unbind", {View, Rearranges}},
      {"chunk", {Parts, View}},
      {"split", {Parts, View}},
      {"split_with_sizes", {Parts, View}},
      {"tensor_split", {View}},
      {"hsplit", {View}},
      {"vsplit", {View}},
      {"dsplit", {View}},
      {"unsafe_chunk", {Parts, HandsOn}},
      {"unsafe_split", {Parts, HandsOn}},
      {"roll", {Rearranges}},
      {"repeat", {Rearranges}},
      {"pad", {KeepsCodes, KeepsFloat}},
      {"constant_pad_nd", {KeepsCodes, KeepsFloat}},
      {"pixel_shuffle", {KeepsFloat}},
      {"atleast_1d", {HandsOn}},
      {"atleast_2d", {HandsOn}},
      {"atleast_3d", {HandsOn}},
      {"as_strided", {DependsOnStrides}},
      {"as_strided_scatter", {DependsOnStrides}},
      {"as_strided_copy", {DependsOnStrides}},
      {"view_as_complex", {DependsOnStrides}},
      // What changes a tensor, and not what is in it
      {"unsqueeze_", {ReshapesInPlace, ChangesTensor}},
      {"squeeze_", {ReshapesInPlace, ChangesTensor}},
      {"t_", {ReshapesInPlace, ChangesTensor}},
      {"transpose_", {ReshapesInPlace, ChangesTensor}},
      {"swapaxes_", {ReshapesInPlace, ChangesTensor}},
      {"swapdims_", {ReshapesInPlace, ChangesTensor}},
      {"as_strided_", {ChangesTensor, DependsOnStrides}},
      {"set_", {ChangesTensor, DependsOnStrides}},
      {"resize_as_", {ChangesTensor}},
      {"resize_", {ChangesTensor}},
      // Windows, and all of an axis
      {"max_pool1d", {CommutesWithRounding, MaxPool, KeepsFloat, TreatsChannelsAlike}, 1, "max_pool"},
      {"max_pool2d", {CommutesWithRounding, MaxPool, KeepsFloat, TreatsChannelsAlike}, 2, "max_pool"},
      {"max_pool3d", {CommutesWithRounding, MaxPool, KeepsFloat, TreatsChannelsAlike}, 3, "max_pool"},
      {"adaptive_max_pool1d", {MaxPool, CommutesWithRounding}, 1, "max_pool"},
      {"adaptive_max_pool2d", {CommutesWithRounding, MaxPool}, 2, "max_pool"},
      {"adaptive_max_pool3d", {MaxPool, CommutesWithRounding}, 3, "max_pool"},
      {"avg_pool1d", {AveragePool, PassesMean, KeepsFloat, TreatsChannelsAlike}, 1, "avg_pool"},
      {"avg_pool2d", {AveragePool, PassesMean, KeepsFloat, TreatsChannelsAlike}, 2, "avg_pool"},
      {"avg_pool3d", {AveragePool, KeepsFloat, TreatsChannelsAlike, PassesMean}, 3, "avg_pool"},
      {"adaptive_avg_pool1d", {AveragePool, PassesMean, KeepsFloat, TreatsChannelsAlike}, 1, "avg_pool"},
      {"adaptive_avg_pool2d", {AveragePool, PassesMean, KeepsFloat, TreatsChannelsAlike}, 2, "avg_pool"},
      {"adaptive_avg_pool3d", {AveragePool, KeepsFloat, TreatsChannelsAlike, PassesMean}, 3, "avg_pool"},
      {"upsample_nearest1d", {Upsampling, TreatsChannelsAlike}, 1},
      {"upsample_nearest2d", {Upsampling, KeepsFloat, TreatsChannelsAlike}, 2},
      {"upsample_nearest3d", {Upsampling, TreatsChannelsAlike}, 3},
      {"upsample_bilinear2d", {Upsampling, KeepsFloat, TreatsChannelsAlike}, 2},
      {"mean", {PassesMean}, 0, "avg_pool"},
      {"sum_to_size", {HandsOn}},
      // Products with weights
      {"conv1d", {Convolution, HasWeights, ComputesInFloat}, 1},
      {"conv2d", {Convolution, HasWeights, ComputesInFloat}, 2},
      {"conv3d", {Convolution, HasWeights, ComputesInFloat}, 3},
      {"conv_transpose1d", {Convolution, HasWeights, ComputesInFloat}, 1},
      {"conv_transpose2d", {Convolution, HasWeights, ComputesInFloat}, 2},
      {"conv_transpose3d", {Convolution, HasWeights, ComputesInFloat}, 3},
      {"convolution", {Convolution, HasWeights}},
      {"_convolution", {Convolution, HasWeights, ComputesInFloat}},
      {"_convolution_mode", {Convolution, HasWeights}},
      {"conv_tbc", {HasWeights, OtherProduct}},
      {"conv_depthwise3d", {HasWeights}},
      {"_conv_depthwise2d", {HasWeights}},
      {"convolution_overrideable", {HasWeights}},
      {"linear", {HasWeights, ComputesInFloat}},
      {"matmul", {HasWeights, Product, ComputesInFloat}, 0, "matmul"},
      {"mm", {HasWeights, Product, ComputesInFloat}, 0, "matmul"},
      {"bmm", {HasWeights, Product, ComputesInFloat}, 0, "matmul"},
      {"addmm", {HasWeights, Product, ComputesInFloat}},
      {"baddbmm", {Product}, 0, "matmul"},
      {"baddbmm_", {}, 0, "matmul"},
      {"einsum", {Product, HandsOn}, 0, "matmul"},
      {"embedding", {HasWeights, ComputesInFloat}},
      {"embedding_bag", {HasWeights}},
      {"lstm", {HasWeights, Recurrent}},
      {"gru", {HasWeights, Recurrent}},
      {"rnn_tanh", {HasWeights, Recurrent}},
      {"rnn_relu", {HasWeights, Recurrent}},
      {"lstm_cell", {HasWeights, RecurrentCell}},
      {"gru_cell", {HasWeights, RecurrentCell}},
      {"rnn_tanh_cell", {HasWeights, RecurrentCell}},
      {"rnn_relu_cell", {HasWeights, RecurrentCell}},
      {"quantized_lstm_cell", {HasWeights, RecurrentCell}},
      {"quantized_gru_cell", {HasWeights, RecurrentCell}},
      {"quantized_rnn_tanh_cell", {HasWeights, RecurrentCell}},
      {"quantized_rnn_relu_cell", {HasWeights, RecurrentCell}},
      {"bilinear", {OtherProduct}},
      {"_trilinear", {OtherProduct}},
      {"mv", {OtherProduct}},
      {"addmv", {OtherProduct}},
      {"addbmm", {OtherProduct}},
      {"tensordot", {OtherProduct}},
      {"chain_matmul", {OtherProduct}},
      {"inner", {OtherProduct}},
      {"kron", {OtherProduct}},
      // Norms
      {"batch_norm", {HasWeights, Norm, ComputesInFloat}},
      {"layer_norm", {HasWeights, NormalizesLastAxis, Norm, ComputesInFloat}, 0, "layer_norm"},
      {"native_layer_norm", {NormalizesLastAxis}, 0, "layer_norm"},
      {"instance_norm", {HasWeights, Norm, ComputesInFloat}},
      {"group_norm", {HasWeights, Norm, ComputesInFloat}},
      {"rms_norm", {HasWeights, NormalizesLastAxis, Norm}},
      {"_fused_rms_norm", {NormalizesLastAxis}},
      {"prelu", {HasWeights, ComputesInFloat}},
      // Predicates, written over numbers
      {"eq_", {MakesBool}},
      {"ne_", {MakesBool}},
      {"lt_", {MakesBool}},
      {"le_", {MakesBool}},
      {"gt_", {MakesBool}},
      {"ge_", {MakesBool}},
      {"logical_not_", {MakesBool}},
      {"logical_and_", {MakesBool}},
      {"logical_or_", {MakesBool}},
      {"logical_xor_", {MakesBool}},
      // Of a shape or a type alone
      {"zeros_like", {ReadsFactsOfFirst, KeepsFloat}},
      {"ones_like", {ReadsFactsOfFirst, KeepsFloat}},
      {"full_like", {KeepsFloat}},
      {"empty_like", {ReadsFactsOfFirst}},
      {"new_zeros", {ReadsFactsOfFirst}},
      {"new_ones", {ReadsFactsOfFirst}},
      {"size", {AsksForShape}},
      {"dim", {AsksForShape}},
      {"len", {AsksForShape}},
      {"numel", {AsksForShape}},
      {"stride", {DependsOnStrides}},
      {"is_contiguous", {DependsOnStrides}},
      {"storage_offset", {DependsOnStrides}},
      // Numbers of tensors, tensors of numbers
      {"NumToTensor", {ConvertsNumber}},
      {"item", {ReadsElements}},
      {"Int", {ReadsElements, ConvertsNumber}},
      {"Float", {ReadsElements}},
      {"Bool", {ReadsElements}},
      {"Complex", {ReadsElements}},
      {"ScalarImplicit", {ReadsElements, ConvertsNumber}},
      {"IntImplicit", {ReadsElements, ConvertsNumber}},
      {"FloatImplicit", {ReadsElements}},
      {"equal", {ReadsElements}},
      {"allclose", {ReadsElements}},
      {"is_nonzero", {ReadsElements}},
      {"tolist", {ReadsElements}},
  };
  return rows;
}

namespace {

/// Null where the operator is not known.
const OperatorRow* RowOf(std::string_view name) {
  static const std::unordered_map<std::string_view, const OperatorRow*> by_name = [] {
    std::unordered_map<std::string_view, const OperatorRow*> rows;
    for (const OperatorRow& row : KnownOperators()) rows.emplace(row.name, &row);
    return rows;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

}  // namespace

bool Has(std::string_view name, OperatorTrait trait) {
  const OperatorRow* const row = RowOf(name);
  return row && row->traits.Contains(trait);
}

bool Has(const torch::jit::Node* node, OperatorTrait trait) { return Has(node->kind().toUnqualString(), trait); }

int OperatorAxes(std::string_view name) {
  const OperatorRow* const row = RowOf(name);
  return row ? row->axes : 0;
}

std::string_view TargetOperator(std::string_view name) {
  const OperatorRow* const row = RowOf(name);
  return row ? row->target_name : std::string_view();
}

}  // namespace bitplan::network
