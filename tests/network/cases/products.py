"""Products with a parameter in every form, tied weights, and weights that the forward computes."""

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case, Float, Layer, embedding, linear


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 6)
        self.fc2 = nn.Linear(6, 3, bias=False)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


class MatmulRight(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 3) * 0.4)
        self.v = nn.Parameter(torch.randn(5, 3) * 0.4)
        self.u = nn.Parameter(torch.randn(5, 2) * 0.4)

    def forward(self, x):
        y = torch.tanh(x @ self.w)
        y = torch.matmul(y, self.v.t())
        return y.flatten(0, 1).mm(self.u).view(x.shape[0], x.shape[1], 2)


class MatmulLeft(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Parameter(torch.randn(3, 4) * 0.4)

    def forward(self, x):
        return self.mix @ x


class BatchedWeight(nn.Module):
    """One matrix a head: a parameter with three axes."""

    def __init__(self):
        super().__init__()
        self.heads = nn.Parameter(torch.randn(2, 4, 3) * 0.4)

    def forward(self, x):
        return torch.matmul(x.unsqueeze(1), self.heads)


class VectorWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.score = nn.Parameter(torch.randn(4))

    def forward(self, x):
        return torch.matmul(self.fc(x), self.score)


class Addmm(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 3) * 0.4)
        self.b = nn.Parameter(torch.randn(3))
        self.v = nn.Parameter(torch.randn(5, 3) * 0.4)
        self.c = nn.Parameter(torch.randn(5))
        self.u = nn.Parameter(torch.randn(5, 2) * 0.4)
        self.d = nn.Parameter(torch.randn(2))

    def forward(self, x):
        y = torch.tanh(torch.addmm(self.b, x, self.w))
        y = torch.addmm(self.c, y, self.v.t())
        return torch.addmm(self.d, y, self.u, beta=0.5, alpha=2.0)


class Bilinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.bilinear = nn.Bilinear(3, 4, 2)
        self.head = nn.Linear(2, 2)

    def forward(self, x, y):
        return self.head(self.bilinear(x, y))


class Einsum(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 3) * 0.4)

    def forward(self, x):
        return torch.einsum("nli,io->nlo", x, self.w)


class TokenClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 4, padding_idx=0)
        self.fc = nn.Linear(4, 3)

    def forward(self, tokens):
        return self.fc(self.embedding(tokens))


class TiedEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.hidden = nn.Linear(4, 4)
        self.head = nn.Linear(4, 9, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        return self.head(torch.tanh(self.hidden(self.embedding(tokens))))


class CalledTwice(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.fc(torch.tanh(self.fc(x)))))


class TwoNames(nn.Module):
    """One module under two names."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = self.first

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


class TiedAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.code = nn.Parameter(torch.randn(3, 5) * 0.4)

    def forward(self, x):
        return F.linear(torch.tanh(F.linear(x, self.code)), self.code.t())


class SharedInput(nn.Module):
    """Three layers that read one tensor, and a fourth that one of them shares another tensor with."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)
        self.c = nn.Linear(4, 4)
        self.d = nn.Linear(4, 4)

    def forward(self, x):
        y = self.a(x) * self.b(x) + self.c(x)
        return self.c(y) + self.d(y)


class WeightNorm(nn.Module):
    """W = g v / |v|, row by row, computed at every call."""

    def __init__(self):
        super().__init__()
        self.g = nn.Parameter(torch.rand(3, 1) + 0.5)
        self.v = nn.Parameter(torch.randn(3, 4))
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        weight = self.g * self.v / self.v.norm(2, dim=1, keepdim=True)
        return self.head(torch.tanh(F.linear(x, weight)))


class ScaledConvolution(nn.Module):
    """Weight standardization, as in NFNets and BiT."""

    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(4, 2, 3, 3))

    def forward(self, x):
        mean = self.kernel.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, (self.kernel - mean) / self.kernel.std((1, 2, 3), keepdim=True))


def weight_normed():
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), nn.Tanh(), nn.Linear(3, 2))


def spectral_normed():
    return nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)), nn.Tanh(), nn.Linear(3, 2)).eval()


def cases():
    everything = ("scripted", "traced", "frozen", "frozen_traced")
    rows, sequence = torch.randn(5, 4), torch.randn(2, 3, 4)
    yield Case("mlp", Mlp(), [rows], kinds=everything + ("training",), derivatives=True)
    yield Case("linear_on_sequence", Mlp(), [sequence])
    yield Case("matmul_right", MatmulRight(), [sequence],
               layers=[Layer("w", "matmul", [4, 3], 3 * 4 * 3, 1), Layer("v", "matmul", [5, 3], 3 * 5 * 3),
                       Layer("u", "matmul", [5, 2], 3 * 5 * 2, 1)])
    yield Case("matmul_left", MatmulLeft(), [torch.randn(2, 4, 5)], layers=[Layer("mix", "matmul", [3, 4], 3 * 4 * 5)])
    yield Case("batched_weight", BatchedWeight(), [sequence], layers=[Layer("heads", "matmul", [2, 4, 3], 3 * 2 * 4 * 3, 2)])
    yield Case("vector_weight", VectorWeight(), [rows], layers=[linear("fc", 4, 4, 1)], floats=[Float("matmul", "score")],
               counted=False)
    yield Case("addmm", Addmm(), [rows],
               layers=[Layer("w", "addmm", [4, 3], 12, 1), Layer("v", "addmm", [5, 3], 15), Layer("u", "addmm", [5, 2], 10, 1)])
    yield Case("bilinear", Bilinear(), [torch.randn(3, 3), torch.randn(3, 4)], layers=[linear("head", 2, 2, 1)],
               floats=[Float("bilinear", "bilinear.weight")], counted=False)
    yield Case("einsum", Einsum(), [sequence], layers=[], floats=[Float("einsum", "w")], counted=False)
    yield Case("token_classifier", TokenClassifier(), [torch.randint(0, 11, (3, 5))], kinds=everything)
    yield Case("tied_embedding", TiedEmbedding(), [torch.randint(0, 9, (3, 5))],
               layers=[Layer("embedding", "embedding", [9, 4], 5 * 9 * 4), linear("hidden", 4, 4, 5)],
               kinds=everything)
    yield Case("called_twice", CalledTwice(), [rows], kinds=everything)
    yield Case("two_names", TwoNames(), [torch.randn(2, 3)], layers=[linear("first", 3, 3, 2)])
    yield Case("tied_autoencoder", TiedAutoencoder(), [torch.randn(2, 5)], layers=[linear("code", 3, 5, 2)])
    yield Case("shared_input", SharedInput(), [rows], tied=[["a", "b", "c", "d"]], kinds=everything)
    yield Case("computed_weight", WeightNorm(), [rows], layers=[linear("v", 3, 4, 1), linear("head", 2, 3, 1)], counted=False)
    yield Case("weight_standardized", ScaledConvolution(), [torch.randn(2, 2, 4, 4)], counted=False, kinds=("scripted",),
               layers=[Layer("kernel", "conv2d", [4, 2, 3, 3], 4 * 4 * 18)])
    yield Case("weight_norm", weight_normed(), [rows], layers=[linear("0", 3, 4, 1), linear("2", 2, 3, 1)], kinds=("traced",),
               counted=False)
    yield Case("spectral_norm", spectral_normed(), [rows], layers=[linear("0", 3, 4, 1), linear("2", 2, 3, 1)],
               kinds=("traced",), counted=False)
