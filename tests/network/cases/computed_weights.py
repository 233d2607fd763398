"""Weights that parameters alone make, in every spelling: they are parameters."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from .case import Case, Float, Layer, linear
from .convolutions import randomize_statistics


class Temporal(nn.Module):
    """A causal convolutional network with weight norm, as in speech and audio."""

    def __init__(self):
        super().__init__()
        self.c1 = parametrizations.weight_norm(nn.Conv1d(2, 4, 3))
        self.c2 = parametrizations.weight_norm(nn.Conv1d(4, 4, 3, dilation=2))
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = torch.relu(self.c1(F.pad(x, [2, 0])))
        x = torch.relu(self.c2(F.pad(x, [4, 0])))
        return self.fc(x.mean(-1))


class HookNorms(nn.Module):
    """The parametrizations of before: hooks that set the weight. A batch norm behind one of them still folds."""

    def __init__(self):
        super().__init__()
        self.conv = nn.utils.weight_norm(nn.Conv2d(2, 4, 3))
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.utils.spectral_norm(nn.Linear(4, 3))

    def __deepcopy__(self, memo):  # a weight that a hook has set cannot be copied
        copy = HookNorms()
        copy.load_state_dict(self.state_dict())
        return copy.train(self.training)

    def forward(self, x):
        return self.fc(F.relu(self.bn(self.conv(x))).mean([2, 3]))


def orthogonal():
    return nn.Sequential(parametrizations.orthogonal(nn.Linear(4, 4)), nn.Tanh(), nn.Linear(4, 2))


class Standardized(nn.Module):
    """Weight standardization with a gain, in a module that is called twice."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.gain = nn.Parameter(torch.rand(3, 1, 1, 1) + 0.5)

    def convolve(self, x):
        var, mean = torch.var_mean(self.conv.weight, [1, 2, 3], keepdim=True)
        return F.conv2d(x, (self.conv.weight - mean) * torch.rsqrt(var + 1e-5) * self.gain, self.conv.bias, padding=1)

    def forward(self, x):
        return self.convolve(torch.relu(self.convolve(x)))


class Joined(nn.Module):
    """One product of three layers' weights, a low-rank update, and a weight of an expert."""

    def __init__(self):
        super().__init__()
        self.q = nn.Linear(4, 4)
        self.k = nn.Linear(4, 4)
        self.fc = nn.Linear(8, 4)
        self.a = nn.Parameter(torch.randn(2, 8) * 0.3)
        self.b = nn.Parameter(torch.randn(4, 2) * 0.3)
        self.experts = nn.Parameter(torch.randn(2, 3, 4) * 0.4)

    def forward(self, x):
        both = F.linear(x, torch.cat([self.q.weight, self.k.weight]), torch.cat([self.q.bias, self.k.bias]))
        y = F.linear(torch.tanh(both), self.fc.weight + 0.5 * (self.b @ self.a), -self.fc.bias)
        return F.linear(y, self.experts[0]) + y @ self.experts[1].t()


class Expanded(nn.Module):
    """A weight that is much larger than what it is made of stays in the forward."""

    def __init__(self):
        super().__init__()
        self.row = nn.Parameter(torch.randn(1, 4))

    def forward(self, x):
        return F.linear(x, self.row.expand(32, 4) * 2.0)


def cases():
    rows, images = torch.randn(5, 4), torch.randn(2, 2, 6, 6)
    yield Case("weight_norm_temporal", Temporal().eval(), [torch.randn(2, 2, 9)], kinds=("traced",), counted=False,
               layers=[Layer("c1", "conv1d", [4, 2, 3], 4 * 6 * 9), Layer("c2", "conv1d", [4, 4, 3], 4 * 12 * 9),
                       linear("fc", 3, 4, 1)])
    yield Case("weight_norm_hooks", randomize_statistics(HookNorms()), [images], kinds=("traced",), counted=False,
               batch_norms=(1, 0), layers=[Layer("conv", "conv2d", [4, 2, 3, 3], 4 * 18 * 16), linear("fc", 3, 4, 1)])
    yield Case("orthogonal", orthogonal().eval(), [rows], kinds=("traced",), counted=False,
               layers=[linear("0", 4, 4, 1), linear("2", 2, 4, 1)])
    yield Case("weight_standardized_twice", Standardized(), [torch.randn(2, 3, 5, 5)], counted=False,
               layers=[Layer("conv", "conv2d", [3, 3, 3, 3], 2 * 3 * 27 * 25)])
    yield Case("weights_joined", Joined(), [rows], counted=False,
               layers=[linear("q", 8, 4, 1), linear("fc", 4, 8, 1), linear("experts", 3, 4, 1),
                       Layer("experts_2", "matmul", [3, 4], 12)])
    yield Case("weight_expanded", Expanded(), [rows], layers=[], floats=[Float("linear", "row", "computed")], counted=False)
