"""Writes small blocks of language models, in the spellings of root-mean-square norms that are in use.

Run with PyTorch 2.13:  python make_language_models.py
Channels of the norms' weights are unlike, as in trained language models. Nothing of bitplan is used.
"""

import pathlib

import torch
from torch import nn
from torch.nn import functional as F

MODELS = pathlib.Path(__file__).resolve().parent / "models"
WIDTH, SIZE, HIDDEN = 16, 4, 24  # of the residual sum, a head, the feed-forward part


def unlike(size):
    weight = 0.5 + torch.rand(size)
    weight[3], weight[10] = 40, 25
    return weight


class Llama(nn.Module):
    """x normalized in float32, cast back, then multiplied."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(unlike(WIDTH))

    def forward(self, x):
        kind = x.dtype
        x = x.to(torch.float32)
        variance = x.pow(2).mean(-1, keepdim=True)
        x = x * torch.rsqrt(variance + 1e-6)
        return self.weight * x.to(kind)


class OriginalLlama(nn.Module):
    """The published one: weight on the right, type_as."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(unlike(WIDTH))

    def forward(self, x):
        y = x.float() * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + 1e-6)
        return y.type_as(x) * self.weight


class Gemma(nn.Module):
    """Multiplies by 1 + w, in float32."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(unlike(WIDTH) - 1)

    def forward(self, x):
        y = x.float() * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + 1e-6)
        y = y * (1.0 + self.weight.float())
        return y.type_as(x)


class Divided(nn.Module):
    """Divides by the norm, and has a bias."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(unlike(WIDTH))
        self.bias = nn.Parameter(torch.randn(WIDTH))

    def forward(self, x):
        return x / torch.sqrt(torch.mean(x * x, dim=-1, keepdim=True) + 1e-6) * self.weight + self.bias


class Normalized(nn.Module):
    """Of F.normalize."""

    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(unlike(WIDTH))

    def forward(self, x):
        return F.normalize(x, dim=-1) * self.gamma * 4.0


class Fused(nn.RMSNorm):
    def __init__(self):
        super().__init__(WIDTH)
        self.weight = nn.Parameter(unlike(WIDTH))


class NoBias(nn.LayerNorm):
    def __init__(self):
        super().__init__(WIDTH, bias=False)
        self.weight = nn.Parameter(unlike(WIDTH))


class Block(nn.Module):
    """Attention and a gated feed-forward part, each behind a norm, on residual sums."""

    def __init__(self, norm, groups=1):
        super().__init__()
        self.norm1, self.norm2 = norm(), norm()
        self.groups, self.size = groups, SIZE
        self.q = nn.Linear(WIDTH, WIDTH, bias=False)
        self.k = nn.Linear(WIDTH, WIDTH // groups, bias=False)
        self.v = nn.Linear(WIDTH, WIDTH // groups)
        self.o = nn.Linear(WIDTH, WIDTH, bias=False)
        self.gate = nn.Linear(WIDTH, HIDDEN, bias=False)
        self.up = nn.Linear(WIDTH, HIDDEN, bias=False)
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, 5)

    def attend(self, x):
        n, t, _ = x.size()
        q = self.q(x).view(n, t, -1, self.size).transpose(1, 2)
        k = self.k(x).view(n, t, -1, self.size).transpose(1, 2)
        v = self.v(x).view(n, t, -1, self.size).transpose(1, 2)
        if self.groups > 1:
            k = k.repeat_interleave(self.groups, dim=1)
            v = v.repeat_interleave(self.groups, dim=1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o(y.transpose(1, 2).contiguous().view(n, t, -1))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        h = self.norm2(x)
        x = x + self.down(F.silu(self.gate(h)) * self.up(h))
        return self.head(x)


class Traps(nn.Module):
    """Products that look like links and are none: squares, a vector that two read, heads that are summed over."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third, self.fourth, self.last = [nn.Linear(WIDTH, WIDTH) for _ in range(5)]
        self.shared = nn.Parameter(unlike(WIDTH))

    def forward(self, x):
        x = self.first(x)
        x = self.second(x * torch.relu(x))
        x = self.third(x * self.shared) * self.shared
        y = x.view(x.size(0), x.size(1), 4, 4)
        y = torch.matmul(torch.softmax(y, -1), y)  # the third axis is summed over
        return self.last(torch.tanh(self.fourth(y.flatten(2))))


def save(name, model, traced):
    torch.manual_seed(1)
    model = model().eval()
    example = torch.randn(2, 6, WIDTH)
    with torch.no_grad():
        graph = torch.jit.trace(model, example) if traced else torch.jit.script(model)
        assert torch.allclose(graph(example), model(example), atol=1e-5)
    graph.save(str(MODELS / f"{name}.pt"))


def main():
    for norm in [Llama, OriginalLlama, Gemma, Divided, Normalized, Fused, NoBias]:
        for traced in [False, True]:
            save(f"{norm.__name__}Block.{'traced' if traced else 'scripted'}", lambda: Block(norm), traced)
    save("GroupedQueries", lambda: Block(Llama, groups=2), False)
    save("Traps", Traps, False)


if __name__ == "__main__":
    main()
