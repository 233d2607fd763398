"""Other number types, names that look alike, and files whose numbers are no numbers."""

import math
import warnings

import torch
from torch import nn

from .case import Case, Float, Layer, linear
from .convolutions import SmallResNet, randomize_statistics
from .products import Mlp


class MadeTensors(nn.Module):
    """Makes tensors of the model's own type in its forward."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        steps = torch.arange(3, dtype=x.dtype)
        return self.fc(x + torch.ones(3, dtype=x.dtype)) * steps + torch.tensor(0.5, dtype=x.dtype)


class CastsItself(nn.Module):
    """Takes float32 and computes in its own type."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        state = torch.zeros(3, dtype=torch.float16)
        return (self.fc(x.half()) + state).float()


class AlikeInner(nn.Module):
    def __init__(self):
        super().__init__()
        self.b_c = nn.Linear(3, 3)

    def forward(self, x):
        return self.b_c(x)


class AlikeOuter(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Linear(3, 3)
        self.weight = nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        return self.c(x) @ self.weight


class AlikeNames(nn.Module):
    """a.b_c against a_b.c, and parameters named weight, input and output."""

    def __init__(self):
        super().__init__()
        self.a = AlikeInner()
        self.a_b = AlikeOuter()
        self.output = nn.Linear(3, 3)
        self.input = nn.Linear(3, 3)
        self.weight = nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        return self.output(torch.tanh(self.a_b(self.a(x)))) @ self.weight + self.input(x)


def dynamically_quantized():
    """The second layer is quantized already, in operators that bitplan knows nothing of."""
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(model, {"2"}, dtype=torch.qint8)


def cases():
    rows = torch.randn(5, 4)
    images = torch.randn(2, 3, 8, 8)
    yield Case("half", randomize_statistics(SmallResNet()).half(), [images.half()], tolerance=2e-2, batch_norms=(6, 0),
               kinds=("scripted",))
    yield Case("bfloat16", Mlp().bfloat16(), [rows.bfloat16()], tolerance=3e-2, kinds=("scripted",))
    yield Case("double", randomize_statistics(SmallResNet()).double(), [images.double()], batch_norms=(6, 0),
               kinds=("traced",))
    yield Case("double_made_tensors", MadeTensors().double(), [torch.randn(2, 3).double()])
    yield Case("half_made_tensors", MadeTensors().half(), [torch.randn(2, 3).half()], tolerance=2e-2)
    yield Case("half_casts", CastsItself().half(), [torch.randn(2, 3)], tolerance=2e-2, layers=[linear("fc", 3, 3, 1)])
    yield Case("alike_names", AlikeNames(), [torch.randn(2, 3)],
               layers=[linear("a.b_c", 3, 3, 1), linear("a_b.c", 3, 3, 1), Layer("a_b", "matmul", [3, 3], 9, 1),
                       linear("output", 3, 3, 1), Layer("weight", "matmul", [3, 3], 9, 1), linear("input", 3, 3, 1)])
    yield Case("dynamically_quantized", dynamically_quantized(), [rows], kinds=("scripted",), layers=[linear("0", 4, 4, 1)],
               floats=[Float("linear_dynamic")], counted=False, tolerance=1e-4)


class Damaged(nn.Module):
    def __init__(self, weight: float = 0.0, bias: float = 0.0, mean: float = 0.0, scale: float = 1.0):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
        with torch.no_grad():
            self.body[0].weight[1] = weight
            self.body[0].bias[0] = bias
            self.body[1].running_mean[1] = mean
            self.body[1].weight[0] = scale

    def forward(self, x):
        return self.body(x)


class DamagedList(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(2, 3)
        with torch.no_grad():
            self.rnn.weight_hh_l0[0, 0] = math.nan

    def forward(self, x):
        return self.rnn(x)[0]


def damaged():
    """File name, model, and name of the parameter that holds what is no number."""
    yield "nan_weight", Damaged(weight=math.nan), "body.0.weight"
    yield "nan_bias", Damaged(bias=math.nan), "body.0.bias"
    yield "nan_statistic", Damaged(mean=math.nan), "body.1.running_mean"
    yield "inf_weight", Damaged(weight=math.inf), "body.0.weight"
    yield "inf_bias", Damaged(bias=-math.inf), "body.0.bias"
    yield "inf_statistic", Damaged(mean=math.inf), "body.1.running_mean"
    yield "inf_scale", Damaged(scale=math.inf), "body.1.weight"
    yield "nan_recurrent", DamagedList(), "rnn.weight_hh_l0"
