"""Several inputs, inputs with defaults, and outputs that are not one tensor."""

from typing import NamedTuple, Optional

import torch
from torch import nn

from .case import Case, Layer, linear


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Linear(3, 4)
        self.right = nn.Linear(2, 4)

    def forward(self, image, numbers):
        return torch.tanh(self.left(image)) * self.right(numbers)


class Defaults(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.other = nn.Linear(3, 3)

    def forward(self, x, mask: Optional[torch.Tensor] = None, scale: float = 2.0, repeat: int = 2, shift: bool = False):
        if mask is not None:
            x = self.other(x) * mask
        for _ in range(repeat):
            x = torch.tanh(self.fc(x)) * scale
        if shift:
            x = x + 1
        return x


class OptionalWithoutDefault(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x, mask: Optional[torch.Tensor]):
        if mask is not None:
            x = x * mask
        return self.fc(x)


class NumberInput(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x, repetitions: int):
        return self.fc(x) * repetitions


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 4)
        self.first = nn.Linear(4, 2)
        self.second = nn.Linear(4, 3)

    def heads(self, x):
        y = torch.tanh(self.body(x))
        return self.first(y), self.second(y)


class TupleOutput(Heads):
    def forward(self, x):
        return self.heads(x)


class ListOutput(Heads):
    def forward(self, x):
        first, second = self.heads(x)
        return [first, second]


class Detection(NamedTuple):
    boxes: torch.Tensor
    scores: torch.Tensor


class NamedTupleOutput(Heads):
    def forward(self, x):
        first, second = self.heads(x)
        return Detection(first, second)


class DictOutput(Heads):
    def forward(self, x):
        first, second = self.heads(x)
        return {"out": first, "aux": second}


class NestedOutput(Heads):
    def forward(self, x):
        first, second = self.heads(x)
        return {"pyramid": [first, second]}, (second, first.sum())


class OneOfOne(Heads):
    def forward(self, x):
        return {"out": self.heads(x)[0]}


class OptionalSecond(Heads):
    """A tuple of a tensor and None, as torchvision's GoogLeNet has in eval mode."""

    def forward(self, x):
        first, second = self.heads(x)
        auxiliary: Optional[torch.Tensor] = None
        if self.training:
            auxiliary = second
        return first, auxiliary


class NoTensor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return float(self.fc(x).sum())


def cases():
    x = torch.randn(2, 3)
    both = lambda out: {"0": out[0], "1": out[1]}
    first = [linear("body", 4, 3, 1), linear("first", 2, 4, 1)]  # what another output alone needs is left out
    second = [linear("body", 4, 3, 1), linear("second", 3, 4, 1)]
    yield Case("two_inputs", TwoInputs(), [x, torch.randn(2, 2)], kinds=("scripted", "traced", "frozen"))
    yield Case("defaults", Defaults(), [x], kinds=("scripted", "traced"), layers=[linear("fc", 3, 3, 2)])
    yield Case("optional_without_default", OptionalWithoutDefault(), [x], kinds=("scripted",), layers=[linear("fc", 2, 3, 1)],
               arguments=[None])
    yield Case("tuple_output", TupleOutput(), [x], kinds=("scripted", "traced", "frozen"), outputs=both,
               layers=first, tied=[], counted=False)
    yield Case("list_output", ListOutput(), [x], outputs=both, layers=first, tied=[], counted=False)
    yield Case("named_tuple_output", NamedTupleOutput(), [x], kinds=("scripted", "frozen"),
               outputs=lambda out: {"boxes": out.boxes, "scores": out.scores, "0": out.boxes, "1": out.scores},
               layers=first, tied=[], counted=False)
    yield Case("dict_output", DictOutput(), [x], kinds=("scripted",), outputs=lambda out: {"out": out["out"], "aux": out["aux"]},
               layers=second, tied=[], counted=False)  # of the output whose name comes first
    yield Case("nested_output", NestedOutput(), [x], kinds=("scripted",),
               outputs=lambda out: {"0.pyramid.1": out[0]["pyramid"][1], "1.0": out[1][0]},
               layers=second, tied=[], counted=False)
    yield Case("one_of_one", OneOfOne(), [x], kinds=("scripted",), outputs=lambda out: {"": out["out"], "out": out["out"]},
               layers=first, counted=False)
    yield Case("optional_second", OptionalSecond(), [x], kinds=("scripted",), outputs=lambda out: {"": out[0], "0": out[0]},
               layers=first, counted=False)
    rnn = nn.LSTM(3, 4)
    yield Case("bare_lstm", rnn, [torch.randn(5, 2, 3)], batch_first=False,
               layers=[Layer("weight_ih_l0", "lstm", [16, 3], 10 * 48), Layer("weight_hh_l0", "lstm", [16, 4], 10 * 64)],
               kinds=("scripted",), outputs=lambda out: {"0": out[0], "1.0": out[1][0], "1.1": out[1][1]})


def refused():
    """Models that cannot be used, by file name."""
    yield "number_input", NumberInput()
    yield "no_tensor_output", NoTensor()
