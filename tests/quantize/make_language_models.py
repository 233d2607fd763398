"""Writes small blocks of language models, in the spellings of root-mean-square norms that are in use.

Run with PyTorch 2.13:  python make_language_models.py
Channels of the norms' weights are unlike, as in trained language models. Nothing of bitplan is used.
Beside the models: models/activation_aware.json, by how much activation-aware scales lower their error at 3 bits.
"""

import copy
import json
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


def rounded(weight):
    """To 3 bits, a scale a row: the one of many with the least squared error."""
    best, least = weight, torch.full((weight.size(0), 1), torch.inf)
    for share in torch.linspace(0.3, 1.4, 111):
        scale = weight.abs().amax(1, keepdim=True) * share / 3
        given = (weight / scale).round().clamp(-4, 3) * scale
        error = (given - weight).square().sum(1, keepdim=True)
        best, least = torch.where(error < least, given, best), torch.minimum(error, least)
    return best


def rounding_error(model, wanted, x):
    model = copy.deepcopy(model)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.copy_(rounded(layer.weight))
    return (model(x) - wanted).square().mean().item()


def divide(maker, scale):
    if isinstance(maker, Gemma):
        return maker.weight.copy_((1 + maker.weight) / scale - 1)
    for name, value in maker.named_parameters():
        value.div_(scale[:, None] if isinstance(maker, nn.Linear) and name == "weight" else scale)


def activation_aware(model, x):
    """AWQ (Lin et al. 2024, section 3.2): s = mean|x| ** a over sqrt(max s * min s), a of 20; error before and after."""
    read, scaled = {}, copy.deepcopy(model)
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda _, x, y, name=name: read.update({name: x[0].flatten(0, -2)}))
    wanted = model(x)
    for maker, readers in [("norm1", "q k v"), ("v", "o"), ("norm2", "gate up"), ("up", "down")]:
        inputs = read[readers.split()[0]]
        weights = [getattr(scaled, reader).weight for reader in readers.split()]
        scales = [inputs.abs().mean(0) ** (step / 20) for step in range(20)]
        scales = [scale / (scale.max() * scale.min()).sqrt() for scale in scales]
        best = min(scales, key=lambda s: sum(((rounded(w * s) / s - w) @ inputs.T).square().sum() for w in weights))
        divide(getattr(scaled, maker), best)
        for weight in weights:
            weight.mul_(best)
    assert torch.allclose(scaled(x), wanted, rtol=1e-3, atol=1e-3)
    return rounding_error(scaled, wanted, x) / rounding_error(model, wanted, x)


def main():
    norms = [Llama, OriginalLlama, Gemma, Divided, Normalized, Fused, NoBias]
    ratios = {}
    for norm in norms:
        for traced in [False, True]:
            save(f"{norm.__name__}Block.{'traced' if traced else 'scripted'}", lambda: Block(norm), traced)
        torch.manual_seed(1)
        with torch.no_grad():
            x = torch.randn(32, 6, WIDTH, generator=torch.Generator().manual_seed(0))
            ratios[norm.__name__] = activation_aware(Block(norm).eval(), x)
    (MODELS / "activation_aware.json").write_text(json.dumps(ratios, indent=1) + "\n")
    save("GroupedQueries", lambda: Block(Llama, groups=2), False)
    save("Traps", Traps, False)


if __name__ == "__main__":
    main()
