"""Forwards with branches, loops, in-place operators, and attributes of every kind."""

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case, Float, Layer, linear


class Branch(nn.Module):
    """Takes one of two layers, as the data say. Run on data that take the first."""

    def __init__(self):
        super().__init__()
        self.big = nn.Linear(4, 3)
        self.small = nn.Linear(4, 3)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        if bool(x.abs().sum() > 0.1):
            y = self.big(x)
        else:
            y = self.small(x)
        return self.head(torch.tanh(y))


class EarlyReturn(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 4)
        self.fc2 = nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc1(x)
        if bool(y.sum() > 1e6):
            return y
        for i in range(10):
            y = torch.tanh(self.fc2(y))
            if i == 2:
                break
        return y


class While(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        count = 0
        while bool(x.norm() < 50.0) and count < 4:
            x = self.fc(x) + 0.5 * x
            count += 1
        return x


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3, padding=1)
        self.conv2 = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        x.mul_(0.5)
        y = self.conv1(x)
        y.clamp_(-1.0, 1.0)
        F.relu_(y)
        z = self.conv2(y)
        z += y
        z[:, 0] *= 2.0
        return F.hardtanh(z, inplace=True)


class InPlaceBetweenReaders(nn.Module):
    """One tensor that two layers read, and that changes between them."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 4)
        self.fc2 = nn.Linear(4, 4)
        self.fc3 = nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc1(x)
        a = self.fc2(y)
        y.relu_()
        return a + self.fc3(y)


class Containers(nn.Module):
    """Modules and parameters in lists and dicts, None in place of a module, constants of every type."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.named = nn.ModuleDict({"left": nn.Linear(4, 2), "right": nn.Linear(4, 2)})
        self.sequence = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.GELU())
        self.absent = None
        self.flag = True
        self.scales = [0.5, 2.0, 1.0]
        self.text = "relu"
        self.window: tuple[int, int] = (1, 2)

    def forward(self, x):
        for i, layer in enumerate(self.layers):
            x = x + self.scales[i] * layer(x)
        if self.flag and self.text == "relu":
            x = F.relu(x)
        if self.absent is not None:
            x = x * 0
        x = self.sequence(x) * self.window[1]
        total = torch.zeros_like(x[:, :2])
        for _, layer in self.named.items():
            total = total + layer(x)
        return total


class TensorAttributes(nn.Module):
    """Weights that sit in a list, a tuple and a dict, and so are neither parameters nor buffers."""

    def __init__(self):
        super().__init__()
        self.steps = [torch.randn(4, 4) * 0.4, torch.randn(4, 4) * 0.4]
        self.pair = (torch.randn(3, 4) * 0.4, torch.randn(3))
        self.table = {"out": torch.randn(2, 3) * 0.4}

    def forward(self, x):
        for w in self.steps:
            x = torch.tanh(F.linear(x, w))
        x = F.linear(x, self.pair[0], self.pair[1])
        return F.linear(x, self.table["out"])


@torch.jit.interface
class Expert(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pass


class Experts(nn.Module):
    """Picks a module of a list by a number that the data give: calls through an interface."""

    def __init__(self):
        super().__init__()
        self.expert: Expert = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.expert.forward(x))


@torch.jit.script
class Settings:
    def __init__(self, slope: float, count: int):
        self.slope = slope
        self.count = count

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(self.count):
            x = x * self.slope
        return x


class ScriptedClass(nn.Module):
    """Reads an attribute that is an object of a class, and makes another such object."""

    def __init__(self):
        super().__init__()
        self.settings = Settings(0.5, 2)
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        other = Settings(1.5, 1)
        return other.apply(self.settings.apply(self.fc(x)))


class ParameterLists(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(3, 3) * 0.4) for _ in range(2)])

    def forward(self, x):
        for w in self.weights:
            x = torch.tanh(x @ w)
        return x


class Unused(nn.Module):
    """Holds a layer that the forward does not call."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.unused = nn.Linear(5, 5)

    def forward(self, x):
        return self.fc(x)


class NoWeights(nn.Module):
    def forward(self, x):
        return F.relu(x) * 2


class OtherOperators(nn.Module):
    """Operators that no layer is made of."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.group_norm = nn.GroupNorm(2, 4)
        self.prelu = nn.PReLU(4)

    def forward(self, x):
        y = self.prelu(self.group_norm(self.fc(x)))
        spectrum = torch.fft.rfft(y).abs()
        ordered, _ = torch.sort(y, dim=1)
        return torch.cumsum(torch.cat([spectrum, ordered], 1), 1).topk(3, dim=1)[0]


def cases():
    rows = torch.randn(5, 4)
    yield Case("branch", Branch(), [rows], kinds=("scripted", "frozen"), visits=False,
               layers=[linear("big", 3, 4, 1), linear("small", 3, 4, 0), linear("head", 2, 3, 1)])
    yield Case("early_return", EarlyReturn(), [rows], kinds=("scripted",))
    yield Case("while", While(), [torch.randn(1, 3)], kinds=("scripted",))
    yield Case("in_place", InPlace(), [torch.randn(2, 2, 4, 4)], kinds=("scripted", "traced", "frozen"), visits=False)
    yield Case("in_place_between_readers", InPlaceBetweenReaders(), [rows], visits=False, tied=[])
    yield Case("containers", Containers(), [rows], kinds=("scripted", "traced", "frozen", "training"))
    yield Case("tensor_attributes", TensorAttributes(), [rows], kinds=("scripted",),
               layers=[linear("steps.0", 4, 4, 1), linear("steps.1", 4, 4, 1), linear("pair.0", 3, 4, 1),
                       linear("table.out", 2, 3, 1)])
    yield Case("interface", Experts(), [torch.randn(2, 3)], kinds=("scripted",),
               layers=[linear("expert.0", 3, 3, 1), linear("head", 2, 3, 1)])
    yield Case("scripted_class", ScriptedClass(), [torch.randn(2, 3)], kinds=("scripted",))
    yield Case("parameter_list", ParameterLists(), [torch.randn(2, 3)],
               layers=[Layer("weights.0", "matmul", [3, 3], 9, 1), Layer("weights.1", "matmul", [3, 3], 9, 1)])
    yield Case("unused_layer", Unused(), [torch.randn(2, 3)])
    yield Case("no_weights", NoWeights(), [rows], layers=[])
    yield Case("other_operators", OtherOperators(), [rows], floats=[Float("group_norm", "group_norm")])
