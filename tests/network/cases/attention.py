"""Transformers, with the fused fast paths of PyTorch and without."""

import math
from typing import Optional

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case, Float, Layer, linear

ENCODER = "aten::_transformer_encoder_layer_fwd"
ATTENTION = "aten::_native_multi_head_attention"
TWO_ACTIVATIONS = "activations"


class Encoder(nn.Module):
    def __init__(self, depth: int = 2, **options):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True, **options)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.encoder(x).mean(1))


class MaskedEncoder(nn.Module):
    """Padding is told by an input; the first position is never padding."""

    def __init__(self, nested: bool):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=nested)

    def forward(self, x, padding):
        return self.encoder(x, src_key_padding_mask=padding)[:, 0]


class CausalEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(5))

    def forward(self, x):
        return self.layer(x, src_mask=self.mask, is_causal=True)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class AttentionWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        y, weights = self.attention(x, x, x)
        assert weights is not None
        return torch.cat([y, weights], 2)


class CrossAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True)

    def forward(self, x, memory):
        return self.attention(x, memory, memory, need_weights=False)[0]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(16, 2, 24, batch_first=True)

    def forward(self, x, memory):
        return self.layer(x, memory)


class OwnAttention(nn.Module):
    """One projection for query, key and value, and two products of activations."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(4.0), -1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, length, width))


class ScaledDotProduct(nn.Module):
    def __init__(self, attn_mask: Optional[torch.Tensor] = None, is_causal: bool = False, scale: Optional[float] = None):
        super().__init__()
        self.q = nn.Linear(8, 8)
        self.k = nn.Linear(8, 8)
        self.v = nn.Linear(8, 8, bias=False)
        self.mask = attn_mask
        self.is_causal = is_causal
        self.scale = scale

    def forward(self, x):
        return F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x), self.mask, 0.0, self.is_causal, scale=self.scale)


def encoder_layers(prefix, rows):
    return [
        Layer(prefix + "self_attn.in_proj_weight", "linear", [48, 16], rows * 48 * 16),
        linear(prefix + "self_attn.out_proj", 16, 16, rows),
        linear(prefix + "linear1", 24, 16, rows),
        linear(prefix + "linear2", 16, 24, rows),
    ]


def with_noise(model: nn.Module) -> nn.Module:
    """The biases of attention and the affine of layer norm start at 0 and 1, and an encoder's layers alike: freezing would
    make equal weights one."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape) if parameter.dim() == 1 else 0.1 * torch.randn(parameter.shape))
    return model


def cases():
    x = torch.randn(2, 5, 16)
    hides_all_of_a_row = torch.rand(5, 5) > 0.4
    hides_all_of_a_row[3] = False
    products = [Float("", reason=TWO_ACTIVATIONS), Float("layer_norm")]
    two_layers = encoder_layers("encoder.layers.0.", 5) + encoder_layers("encoder.layers.1.", 5) + [linear("head", 3, 16, 1)]
    fused = {"scripted": ENCODER, "traced": ENCODER}
    head_products = 2 * 5 * 5 * 16  # query-key and weights-value
    yield Case("encoder", with_noise(Encoder()), [x], layers=two_layers, floats=products, activation_macs=2 * head_products, contains=fused,
               kinds=("scripted", "traced", "traced_grad", "frozen", "frozen_traced"))
    yield Case("encoder_norm_first", with_noise(Encoder(1, norm_first=True, activation="gelu")), [x], floats=products,
               layers=encoder_layers("encoder.layers.0.", 5) + [linear("head", 3, 16, 1)], activation_macs=head_products, contains=fused)
    for name, nested in (("encoder_masked", False), ("encoder_nested", True)):
        yield Case(name, with_noise(MaskedEncoder(nested)), [x, torch.tensor([[False] * 5, [False] * 3 + [True] * 2])],
                   layers=encoder_layers("encoder.layers.0.", 5), floats=products, activation_macs=head_products,
                   kinds=("scripted",), contains={"scripted": ENCODER})
    yield Case("encoder_causal", with_noise(CausalEncoder()), [x], layers=encoder_layers("layer.", 5), floats=products,
               activation_macs=head_products, contains=fused)
    yield Case("attention", with_noise(Attention()), [x], floats=products[:1], activation_macs=head_products,
               layers=[Layer("attention.in_proj_weight", "linear", [48, 16], 5 * 48 * 16),
                       linear("attention.out_proj", 16, 16, 5)],
               contains={"scripted": ATTENTION, "traced": ATTENTION}, kinds=("scripted", "traced", "traced_grad", "frozen"))
    yield Case("attention_weights", with_noise(AttentionWeights()), [torch.randn(2, 5, 8)], floats=products[:1], activation_macs=400,
               layers=[Layer("attention.in_proj_weight", "linear", [24, 8], 5 * 24 * 8), linear("attention.out_proj", 8, 8, 5)],
               contains={"traced": ATTENTION})
    yield Case("cross_attention", with_noise(CrossAttention()), [torch.randn(2, 3, 8), torch.randn(2, 5, 6)], floats=products[:1],
               activation_macs=2 * 3 * 5 * 8,
               layers=[Layer("attention.q_proj_weight", "linear", [8, 8], 3 * 64),
                       Layer("attention.k_proj_weight", "linear", [8, 6], 5 * 48),
                       Layer("attention.v_proj_weight", "linear", [8, 6], 5 * 48), linear("attention.out_proj", 8, 8, 3)])
    yield Case("decoder", with_noise(Decoder()), [torch.randn(2, 3, 16), x], floats=products, activation_macs=2 * 3 * 3 * 16 + 2 * 3 * 5 * 16,
               layers=[Layer("layer.self_attn.in_proj_weight", "linear", [48, 16], 3 * 48 * 16),
                       linear("layer.self_attn.out_proj", 16, 16, 3),
                       Layer("layer.multihead_attn.in_proj_weight", "linear", [48, 16], 3 * 256 + 5 * 512),
                       linear("layer.multihead_attn.out_proj", 16, 16, 3),
                       linear("layer.linear1", 24, 16, 3), linear("layer.linear2", 16, 24, 3)])
    yield Case("own_attention", with_noise(OwnAttention()), [torch.randn(2, 5, 8)], activation_macs=400, derivatives=True,
               floats=[Float("matmul", reason=TWO_ACTIVATIONS)] * 2, kinds=("scripted", "traced", "frozen"))
    yield Case("scaled_dot_product", with_noise(ScaledDotProduct()), [torch.randn(2, 5, 8)], activation_macs=400,
               floats=[Float("matmul", reason=TWO_ACTIVATIONS)] * 2)
    for name, options in (("causal", {"is_causal": True}), ("scaled", {"scale": 0.7}), ("masked", {"attn_mask": hides_all_of_a_row})):
        yield Case("scaled_dot_product_" + name, with_noise(ScaledDotProduct(**options)), [torch.randn(2, 5, 8)], activation_macs=400,
                   floats=[Float("matmul", reason=TWO_ACTIVATIONS)] * 2, kinds=("scripted",))
