"""Writes the models of the quantization tests and the numbers they are compared with.

Run with PyTorch 2.13:  python make_reference.py
Everything here is NumPy and PyTorch; nothing of bitplan is used.
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent


# ---- models. Each returns what its layers produce, so that a test can look at any of them.


class Chain(nn.Module):
    """Three layers with biases of their own (the second one grouped); outputs: each layer's."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.last = nn.Linear(8 * 8 * 8, 5)

    def forward(self, x):
        first = self.first(x)
        second = self.second(torch.relu(first))
        last = self.last(torch.relu(second).flatten(1))
        return first, second, last


class WithoutBias(nn.Module):
    """Layers to which nothing is added, whose channels lie along different axes; outputs: each layer's."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 6, 2, stride=2, bias=False)
        self.along = nn.Conv1d(6, 7, 3, bias=False)
        self.matrix = nn.Parameter(torch.randn(7, 4))

    def forward(self, x):
        up = self.up(x)
        along = self.along(torch.tanh(up).flatten(2))
        last = torch.matmul(torch.tanh(along).transpose(1, 2), self.matrix)
        return up, along, last


class SharedBias(nn.Module):
    """Two layers that add the same bias; outputs: each layer's."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.randn(6, 6))
        self.two = nn.Parameter(torch.randn(6, 6))
        self.bias = nn.Parameter(3 * torch.randn(6))

    def forward(self, x):
        one = nn.functional.linear(x, self.one, self.bias)
        two = nn.functional.linear(torch.relu(one), self.two, self.bias)
        return one, two


class SharedInput(nn.Module):
    """Two layers that read the same tensor."""

    def __init__(self):
        super().__init__()
        self.left = nn.Linear(6, 4)
        self.right = nn.Linear(6, 4)

    def forward(self, x):
        return self.left(x) + self.right(x)


class UsedTwice(nn.Module):
    """One weight, two uses; outputs: each use's."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x):
        first = self.layer(x)
        return first, self.layer(torch.relu(first))


class GroupedTransposed(nn.Module):
    """A weight whose channels are those of one group: the output has twice as many."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 6, 3, groups=2)

    def forward(self, x):
        return self.up(x)


class Tokens(nn.Module):
    """An embedding, whose input cannot be quantized, an LSTM and a sequence of logits [N, T, C]."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(16, 8)
        self.lstm = nn.LSTM(8, 8, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, tokens):
        return self.head(self.lstm(self.embedding(tokens))[0])


class DeadChannel(nn.Module):
    """The first output channel is constant."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)
        with torch.no_grad():
            self.layer.weight[0] = 0

    def forward(self, x):
        return self.layer(x)


class Normalized(nn.Module):
    """Batch norm that can be folded."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        with torch.no_grad():
            self.norm.running_mean.normal_()
            self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        return self.norm(self.conv(x))


class Links(nn.Module):
    """Layers that read each other's channels through batch norm, ReLU, pooling and flattening; channels of unlike size."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.depthwise_norm = nn.BatchNorm2d(8)
        self.third = nn.Conv2d(8, 6, 3, stride=2)
        self.third_norm = nn.BatchNorm2d(6)
        self.last = nn.Linear(6, 5)
        with torch.no_grad():
            for norm in [self.first_norm, self.depthwise_norm, self.third_norm]:
                norm.weight.copy_(torch.logspace(-1, 1, norm.num_features)[torch.randperm(norm.num_features)])
                norm.bias.normal_()
                norm.running_mean.normal_(std=0.1)
                norm.running_var.uniform_(0.1, 0.5)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.first_norm(self.first(x))), 2)
        x = torch.relu(self.depthwise_norm(self.depthwise(x)))
        x = torch.relu(self.third_norm(self.third(x)))
        return self.last(torch.flatten(nn.functional.adaptive_avg_pool2d(x, (1, 1)), 1))


class NormThenLinear(nn.Module):
    """Two layers that read a layer norm with one channel that is much larger than the others, and one after a GELU."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.left = nn.Linear(8, 6)
        self.right = nn.Linear(8, 6)
        self.last = nn.Linear(6, 5)
        with torch.no_grad():
            self.norm.weight.uniform_(0.5, 1.5)
            self.norm.weight[3] = 30
            self.norm.bias.normal_()

    def forward(self, x):
        x = self.norm(x)
        return self.last(nn.functional.gelu(self.left(x) + self.right(x)))


class TransposedConvolutions(nn.Module):
    """Every kind of transposed convolution, each in groups, with strides, dilation and paddings; outputs: each one's."""

    def __init__(self):
        super().__init__()
        self.one = nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.two = nn.ConvTranspose1d(6, 4, 4, padding=4, dilation=2)
        self.three = nn.ConvTranspose2d(4, 6, (3, 2), stride=(3, 2), padding=(1, 0), output_padding=(2, 1), groups=2)
        self.four = nn.ConvTranspose2d(6, 3, 3, stride=2, padding=1, output_padding=1, dilation=(2, 3), bias=False)
        self.five = nn.ConvTranspose3d(3, 6, 2, stride=(1, 2, 2), padding=(0, 0, 1), groups=3)

    def forward(self, x):
        one = self.one(x)
        two = self.two(one)
        three = self.three(two.unsqueeze(2))
        four = self.four(three)
        return one, two, three, four, self.five(four.unsqueeze(3))


class Products(nn.Module):
    """Paddings by name, weights on either side of a product and in batches; outputs: some results."""

    def __init__(self):
        super().__init__()
        self.same = nn.Conv1d(4, 4, 4, padding="same", dilation=3)
        self.right = nn.Parameter(torch.randn(7, 5))
        self.left = nn.Parameter(torch.randn(6, 4))
        self.batched = nn.Parameter(torch.randn(2, 5, 3))
        self.weight = nn.Parameter(torch.randn(3, 4))
        self.bias = nn.Parameter(torch.randn(4))

    def forward(self, x):
        right = self.same(x) @ self.right
        left = self.left @ right
        batched = torch.matmul(left.unsqueeze(1), self.batched)
        return right, left, batched, torch.addmm(self.bias, batched.flatten(0, 2), self.weight)


class OneLayer(nn.Module):
    """A layer alone."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)


def single_layers():
    yield "Wide", nn.Linear(400, 24)
    yield "Transposed0", nn.ConvTranspose1d(4, 6, 4, stride=2, padding=1, groups=2)
    yield "Transposed1", nn.ConvTranspose1d(4, 6, 5, padding=2, dilation=2)
    yield "Transposed2", nn.ConvTranspose2d(4, 6, (3, 4), stride=(2, 1), padding=1, groups=2, bias=False)
    yield "Transposed3", nn.ConvTranspose2d(4, 5, 3, stride=2, padding=1, output_padding=1, dilation=(1, 2))
    yield "Transposed4", nn.ConvTranspose3d(4, 4, 2, stride=(1, 2, 1), groups=2)
    yield "TransposedSmall", nn.ConvTranspose1d(2, 3, 3, stride=2)


def write_models():
    (HERE / "models").mkdir(exist_ok=True)
    for model in [Chain, WithoutBias, SharedBias, SharedInput, UsedTwice, GroupedTransposed, Tokens, DeadChannel, Normalized, Links,
                  NormThenLinear, TransposedConvolutions, Products]:
        torch.manual_seed(1)
        torch.jit.script(model().eval()).save(str(HERE / "models" / f"{model.__name__}.pt"))
    torch.manual_seed(1)
    for name, layer in single_layers():
        torch.jit.script(OneLayer(layer).eval()).save(str(HERE / "models" / f"{name}.pt"))


# ---- formats


def grid_ends(bits, scheme, narrow):
    if scheme == "asymmetric":
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)) + int(narrow), 2 ** (bits - 1) - 1


def max_range(values, bits, scheme, narrow):
    """Scale and zero point that cover all values and 0, by exhaustive trial of zero points."""
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    first, last = grid_ends(bits, scheme, narrow)
    if low == high == 0:
        return 1.0, 0
    candidates = []
    for zero in range(first, last + 1) if scheme == "asymmetric" else [0]:
        if (low < 0 and zero == first) or (high > 0 and zero == last):
            continue
        scale = max(low / (first - zero) if first < zero else 0, high / (last - zero) if last > zero else 0)
        candidates.append((scale, zero))
    return min(candidates)


def mean_squared_error(values, scale, zero, first, last):
    q = np.clip(np.round(values / scale) + zero, first, last)
    return float(np.mean((scale * (q - zero) - values) ** 2))


def least_error(values, bits, scheme, narrow):
    """The least error of any grid, by brute force over zero points and 2,000 scales each."""
    first, last = grid_ends(bits, scheme, narrow)
    widest = 1.2 * np.abs(values).max() / max((last - first) // 2, 1)
    scales = np.linspace(widest / 2000, 2 * widest, 2000)
    zeros = range(first, last + 1) if scheme == "asymmetric" else [0]
    if scheme == "asymmetric" and bits > 4:
        zeros = range(first, last + 1, 2 ** (bits - 4))
    return min(mean_squared_error(values, s, z, first, last) for z in zeros for s in scales)


def weight_cases(weight):
    cases = []
    for bits in range(2, 9):
        for scheme, narrow in [("symmetric", False), ("symmetric", True), ("asymmetric", False)]:
            for granularity in ["channel", "tensor"]:
                rows = weight.reshape(len(weight), -1) if granularity == "channel" else weight.reshape(1, -1)
                found = [max_range(row.astype(np.float64), bits, scheme, narrow) for row in rows]
                scale = torch.tensor([s for s, _ in found], dtype=torch.float32)
                zero = torch.tensor([z for _, z in found], dtype=torch.int32)
                first, last = grid_ends(bits, scheme, narrow)
                flat = torch.from_numpy(rows)
                value = torch.fake_quantize_per_channel_affine(flat, scale, zero, 0, first, last)
                cases.append(
                    {
                        "bits": bits,
                        "scheme": scheme,
                        "narrow_range": narrow,
                        "granularity": granularity,
                        "scale": scale.tolist(),
                        "zero_point": zero.tolist(),
                        "value": value.flatten().tolist(),
                    }
                )
    return cases


def mse_cases(weight):
    row = weight[0].flatten().astype(np.float64)
    cases = []
    for bits in [2, 3, 4, 6]:
        for scheme, narrow in [("symmetric", False), ("symmetric", True), ("asymmetric", False)]:
            error = least_error(row, bits, scheme, narrow)
            cases.append({"bits": bits, "scheme": scheme, "narrow_range": narrow, "mean_squared_error": error})
    return cases


def main():
    write_models()
    generator = np.random.default_rng(0)
    weight = generator.normal(0, 0.2, (6, 4, 3, 3)).astype(np.float32)
    weight[1] = 0
    weight[2] = -np.abs(weight[2])
    weight[3] = np.abs(weight[3])
    weight[4] = 0.7
    reference = {
        "shape": list(weight.shape),
        "weight": weight.flatten().tolist(),
        "max": weight_cases(weight),
        "mse": mse_cases(weight),
        "float16": torch.from_numpy(weight).half().float().flatten().tolist(),
    }
    (HERE / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
