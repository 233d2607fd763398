"""Writes the numbers that the methods of quantization-aware training are compared with.

Run with PyTorch 2.13:  python make_reference.py
Every method is its paper's formula in plain PyTorch operators, with gradients by autograd alone: what passes a rounding unchanged is
`x + (rounded - x).detach()`. Nothing of bitplan is used.
"""

import json
import math
import pathlib

import torch

HERE = pathlib.Path(__file__).resolve().parent
CASES = []


def through(value, surrogate):
    """`value`, with the gradient of `surrogate`."""
    return surrogate + (value - surrogate).detach()


def scaled(value, factor):
    """`value`, with `factor` times its gradient."""
    return value * factor + (value * (1 - factor)).detach()


def clip(x, low, high):
    """clamp whose gradient is 0 at the ends, where low or high is handed on."""
    x = torch.where(x > low, x, torch.as_tensor(low, dtype=x.dtype).expand_as(x))
    return torch.where(x < high, x, torch.as_tensor(high, dtype=x.dtype).expand_as(x))


def numbers(tensor):
    """As many digits as float32 has."""
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def case(method, kind, x, output, learned=None, **more):
    """One method on one tensor: output, and the gradients of Σ g · output, g some fixed numbers."""
    torch.manual_seed(5)
    g = torch.randn(output.shape)
    learned = learned or {}
    gradients = torch.autograd.grad((output * g).sum(), [x, *learned.values()])
    CASES.append({
        "method": method, "kind": kind, "shape": list(x.shape),
        "x": numbers(x), "g": numbers(g),
        "output": numbers(output), "x_gradient": numbers(gradients[0]),
        "learned": {name: numbers(value) for name, value in learned.items()},
        "gradients": {name: numbers(value) for name, value in zip(learned, gradients[1:])},
        **more})


def weight():
    torch.manual_seed(1)
    return (0.3 * torch.randn(4, 3, 2, 2)).requires_grad_()


def activations(below_zero):
    torch.manual_seed(2)
    x = torch.randn(4, 5, 2, 3)
    return (x if below_zero else x.abs()).requires_grad_()


def per(w, channel):
    """The axes over which a scale is shared."""
    return (1, 2, 3) if channel else (0, 1, 2, 3)


# ---- LSQ and LSQ+


def lsq(x, s, low, high, factor):
    s = scaled(s, factor)
    v = clip(x / s, low, high)
    return through(torch.round(v), v) * s


def lsq_weights():
    for bits in (2, 4):
        for channel in (False, True):
            for plus in (False, True):
                w = weight()
                low, high = -2 ** (bits - 1), 2 ** (bits - 1) - 1
                axes = per(w, channel)
                if plus:
                    mean, deviation = w.mean(axes, keepdim=True), w.std(axes, keepdim=True, unbiased=False)
                    start = torch.maximum((mean - 3 * deviation).abs(), (mean + 3 * deviation).abs()) / 2 ** (bits - 1)
                else:
                    start = 2 * w.abs().mean(axes, keepdim=True) / math.sqrt(high)
                s = start.detach().requires_grad_()
                n = w.numel() // s.numel()
                case("lsq-plus" if plus else "lsq", "weight", w, lsq(w, s, low, high, 1 / math.sqrt(n * high)), learned={"scale": s},
                     bits=bits, granularity="channel" if channel else "tensor")


def lsq_inputs():
    for bits in (2, 4):
        for below_zero in (False, True):
            x = activations(below_zero)
            low, high = (-2 ** (bits - 1), 2 ** (bits - 1) - 1) if below_zero else (0, 2**bits - 1)
            s = (2 * x.abs().mean() / math.sqrt(high)).detach().requires_grad_()
            n = x[0].numel()
            case("lsq", "input", x, lsq(x, s, low, high, 1 / math.sqrt(n * high)), learned={"scale": s}, bits=bits,
                 below_zero=below_zero)


def lsq_plus_inputs():
    """From a scale and an offset that are given: a whole number of steps, so that the paper's grid is the deployed one."""
    for bits in (2, 4):
        x = activations(True)
        high = 2**bits - 1
        s = torch.tensor(4.0 / high, requires_grad=True)
        b = (-s * (high // 3)).detach().requires_grad_()
        factor = 1 / math.sqrt(x[0].numel() * high)
        scale, offset = scaled(s, factor), scaled(b, factor)
        v = clip((x - offset) / scale, 0, high)
        case("lsq-plus", "input", x, through(torch.round(v), v) * scale + offset, learned={"scale": s, "offset": b}, bits=bits,
             below_zero=True, given=True)


# ---- PACT and DoReFa


def pact_inputs():
    for bits in (2, 4):
        x = activations(False)
        a = torch.tensor(1.3, requires_grad=True)
        y = 0.5 * (x.abs() - (x - a).abs() + a)  # equation 1
        n = 2**bits - 1
        case("pact", "input", x, through(torch.round(y.detach() * (n / a.detach())) * (a.detach() / n), y), learned={"alpha": a}, bits=bits,
             below_zero=False, given=True)


def pact_channel_inputs():
    x = activations(False)
    a = torch.tensor([1.3, 0.7, 2.0, 0.4, 1.0], requires_grad=True)
    y = 0.5 * (x.abs() - (x - a.view(1, 5, 1, 1)).abs() + a.view(1, 5, 1, 1))
    s = a.max().detach() / 15
    case("pact-channel", "input", x, through(torch.round(y.detach() / s) * s, y), learned={"alpha": a}, bits=4, below_zero=False,
         given=True)


def dorefa_weights():
    for bits in (2, 4):
        for channel in (False, True):
            w = weight()
            axes = per(w, channel)
            t = w.tanh() / w.tanh().abs().amax(axes, keepdim=True)
            c = ((w * t).sum(axes, keepdim=True) / (t * t).sum(axes, keepdim=True)).detach()
            n = 2 ** (bits - 1) - 1
            case("dorefa", "weight", w, c * through(torch.round(t * n) / n, t), bits=bits, granularity="channel" if channel else "tensor")


# ---- QIL


def qil_weights():
    for bits in (2, 4):
        w = weight()
        c, d = torch.tensor(0.31, requires_grad=True), torch.tensor(0.24, requires_grad=True)
        k = torch.tensor(0.5)
        t = torch.where(w.abs() < c - d, 0, torch.where(w.abs() > c + d, 1, 0.5 * w.abs() / d - 0.5 * c / d + 0.5))
        t = t * w.detach().sign()
        n = 2 ** (bits - 1) - 1
        case("qil", "weight", w, k * through(torch.round(t * n) / n, t), learned={"center": c, "half_width": d}, bits=bits,
             granularity="tensor", given=True, factor=0.5)


def qil_inputs():
    for bits in (2, 4):
        x = activations(False)
        c, d = torch.tensor(0.9, requires_grad=True), torch.tensor(0.7, requires_grad=True)
        t = torch.where(x < c - d, 0, torch.where(x > c + d, 1, 0.5 * x / d - 0.5 * c / d + 0.5))
        n = 2**bits - 1
        case("qil", "input", x, 2 * d * through(torch.round(t * n) / n, t), learned={"center": c, "half_width": d}, bits=bits,
             below_zero=False, given=True)


# ---- binary and ternary


def binary_weights():
    for channel in (False, True):
        granularity = "channel" if channel else "tensor"
        w = weight()
        h = w.abs().mean(per(w, channel), keepdim=True).detach()
        case("binary-connect", "weight", w, through(torch.where(w >= 0, h, -h), w), bits=1, granularity=granularity)
        w = (4 * weight().detach()).requires_grad_()  # some beyond 1
        a = w.abs().mean(per(w, channel), keepdim=True).detach()
        n = w.numel() / a.numel()
        slope = 1 / n + a * (w.abs() <= 1)
        for method in ("bwn", "xnor-net"):
            case(method, "weight", w, through(torch.where(w >= 0, a, -a), w * slope.detach()), bits=1, granularity=granularity)
        case("dorefa", "weight", w, through(torch.where(w >= 0, a, -a), w), bits=1, granularity=granularity)


def ternary_weights():
    for channel in (False, True):
        axes, granularity = per(None, channel), "channel" if channel else "tensor"
        w = weight()
        kept = w.abs() > 0.7 * w.abs().mean(axes, keepdim=True)
        s = ((w.abs() * kept).sum(axes, keepdim=True) / kept.sum(axes, keepdim=True)).detach()
        case("twn", "weight", w, through(s * w.sign() * kept, w), bits=2, granularity=granularity)
        w = weight()
        delta = 0.05 * w.abs().amax(axes, keepdim=True).detach()
        above, below = w > delta, w < -delta
        p = ((w * above).sum(axes, keepdim=True) / above.sum(axes, keepdim=True)).detach().requires_grad_()
        m = ((-w * below).sum(axes, keepdim=True) / below.sum(axes, keepdim=True)).detach().requires_grad_()
        slope = torch.where(above, p, torch.where(below, m, torch.ones(()))).detach()
        case("ttq", "weight", w, p * above - m * below + w * slope - (w * slope).detach(),
             learned={"positive_scale": p, "negative_scale": m}, bits=2, granularity=granularity)


def binary_inputs():
    x = activations(True)
    b = x.abs().mean().detach()
    sigma = math.sqrt(math.pi / 2) * b
    case("xnor-net", "input", x, through(torch.where(x >= 0, b, -b), b / sigma * x.clamp(-sigma, sigma)), bits=1, below_zero=True)


for write in (lsq_weights, lsq_inputs, lsq_plus_inputs, pact_inputs, pact_channel_inputs, dorefa_weights, qil_weights, qil_inputs,
              binary_weights, ternary_weights, binary_inputs):
    write()
(HERE / "reference.json").write_text(json.dumps(CASES) + "\n")
