"""Writes exported_only/: archives of torch.export of what TorchScript does not have, tested without expectations of PyTorch.

    python tests/network/make_exported_only.py

sym_ite.pt2: a linear layer's result over n where the n samples are more than 4, else over 2 n. named_tuple.pt2: its result y, and a dict
with y + 1, in a named tuple.
"""

import collections
import pathlib

import torch
from torch import nn
from torch.utils import _pytree

import make_exported

FOLDER = pathlib.Path(__file__).parent / "exported_only"
Pair = collections.namedtuple("Pair", ["first", "second"])
_pytree._register_namedtuple(Pair, serialized_type_name="Pair")


class Choice(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        n = x.shape[0]
        return self.fc(x) / torch.sym_ite(n > 4, n, n * 2)


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        y = self.fc(x)
        return Pair(y, {"more": y + 1})


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    shapes = ({0: torch.export.Dim("n", min=2)},)
    for name, model in (("sym_ite", Choice()), ("named_tuple", Named())):
        make_exported.save(torch.export.export(model.eval(), (torch.randn(6, 3),), dynamic_shapes=shapes), FOLDER / f"{name}.pt2")


main()
