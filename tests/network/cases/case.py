"""What a test model is, and what is expected of a network that is loaded from it."""

import dataclasses
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

MODULES = {
    nn.Conv1d: "conv1d",
    nn.Conv2d: "conv2d",
    nn.Conv3d: "conv3d",
    nn.ConvTranspose1d: "conv_transpose1d",
    nn.ConvTranspose2d: "conv_transpose2d",
    nn.ConvTranspose3d: "conv_transpose3d",
    nn.Linear: "linear",
    nn.Embedding: "embedding",
}


@dataclasses.dataclass
class Layer:
    name: str
    op: str
    weight: list[int]  # shape
    macs: int  # of one sample
    channel_axis: int = 0


@dataclasses.dataclass
class Float:
    """An operator that stays in float; `reason` is a part of the reason given."""

    op: str
    name: str = ""
    reason: str = ""


@dataclasses.dataclass
class Case:
    name: str
    model: nn.Module
    inputs: list[torch.Tensor]
    arguments: list = dataclasses.field(default_factory=list)  # given to the eager model after the inputs
    kinds: tuple[str, ...] = ("scripted", "traced")
    layers: list[Layer] | None = None  # None: counted by hooks on the modules
    tied: list[list[str]] | None = None
    floats: list[Float] = dataclasses.field(default_factory=list)
    outputs: Callable | None = None  # output of the model -> {selector: tensor}
    batch_norms: tuple[int, int] = (0, 0)  # in the graph before and after folding
    foldable: bool = True  # false: folding makes the network fail when it runs
    activation_macs: int = 0  # of products of two activations, for one sample
    batch_first: bool = True
    counted: bool = True  # whether PyTorch's own counter sees every product of the model
    visits: bool = True  # whether the hooks see the layers' inputs and outputs in the order of the graph
    tolerance: float = 1e-5
    contains: dict[str, str] = dataclasses.field(default_factory=dict)  # kind -> operator that its graph must contain
    plain: nn.Module | None = None  # the same spelled without writing in place; saved as the kind "plain"
    derivatives: bool = False  # whether to write gradients and a Hessian product too


def linear(name: str, out_features: int, in_features: int, rows: int, op: str = "linear") -> Layer:
    return Layer(name, op, [out_features, in_features], rows * out_features * in_features)


def embedding(name: str, count: int, width: int) -> Layer:
    return Layer(name, "embedding", [count, width], 0)


def fingerprint(tensor: torch.Tensor) -> float:
    values = tensor.detach().double().flatten()
    return float((values * torch.cos(torch.arange(values.numel(), dtype=torch.double))).sum())


class HookCounter:
    """Runs a model and notes what each layer module reads and makes."""

    def __init__(self, model: nn.Module, inputs: list[torch.Tensor]):
        self.layers: dict[str, Layer] = {}
        self.visits: list[dict] = []
        self.readers: list[tuple[torch.Tensor, set[str]]] = []
        handles = [
            module.register_forward_hook(lambda module, args, out, name=name: self._note(name, module, args[0], out))
            for name, module in model.named_modules()
            if type(module) in MODULES
        ]
        with torch.no_grad():
            model(*inputs)
        for handle in handles:
            handle.remove()

    def tied(self) -> list[list[str]]:
        groups = [names for _, names in self.readers if len(names) > 1]
        merged = True
        while merged:
            merged = False
            for a in groups:
                for b in groups:
                    if a is not b and a & b:
                        a |= b
                        groups.remove(b)
                        merged = True
                        break
                if merged:
                    break
        order = list(self.layers)
        return sorted((sorted(group, key=order.index) for group in groups), key=lambda group: order.index(group[0]))

    def _note(self, name, module, x, y):
        op = MODULES[type(module)]
        layer = self.layers.setdefault(name, Layer(name, op, list(module.weight.shape), 0))
        if op == "embedding":
            return
        if getattr(module, "padding_mode", "zeros") != "zeros":  # the convolution reads what another operator has padded
            x = F.pad(x, module._reversed_padding_repeated_twice, mode=module.padding_mode)
        if op.startswith("conv_transpose"):
            layer.channel_axis = 1
            layer.macs += x.numel() * module.weight[0].numel()
        else:
            layer.macs += y.numel() * module.weight[0].numel()
        for tensor, names in self.readers:
            if tensor is x:
                names.add(name)
                break
        else:
            self.readers.append((x, {name}))
        for kind, tensor in (("input", x), ("output", y)):
            self.visits.append({"layer": name, "kind": kind, "shape": list(tensor.shape), "value": fingerprint(tensor)})
