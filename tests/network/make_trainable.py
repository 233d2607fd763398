"""Writes what PyTorch says of the parameters of the network tests' models, and models of which it is mixed.

    python tests/network/make_trainable.py

trainable/KIND.pt: a model with parameters, buffers and weights that are computed from these, scripted and traced.
trainable/expected.json: of these, and of every model of models/ that can be loaded, by the name of the tensor, whether a
step of an optimizer changes it: named_parameters() of the file; of computed weights, whether they require a gradient in
the eager module. Nothing of bitplan takes part.
"""

import io
import json
import pathlib
import zipfile

import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "trainable"


class OfBuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.randn(4, 4))
        self.bias = nn.Parameter(torch.randn(4))

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)


class Masked(nn.Module):
    """A parameter in part: it is trained as it is."""

    def __init__(self):
        super().__init__()
        self.raw = nn.Parameter(torch.randn(4, 4))
        self.register_buffer("mask", torch.eye(4) + 0.5)

    def weight(self):
        return self.raw * self.mask

    def forward(self, x):
        return F.linear(x, self.weight())


class Tables(nn.Module):
    """Of buffers alone."""

    def __init__(self):
        super().__init__()
        self.register_buffer("even", torch.randn(4, 4))
        self.register_buffer("odd", torch.randn(4, 4))

    def weight(self):
        return self.even + self.odd

    def forward(self, x):
        return F.linear(x, self.weight())


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.fixed = OfBuffer()
        self.masked = Masked()
        self.tables = Tables()
        self.still = nn.Linear(4, 4)
        self.still.requires_grad_(False)
        self.head = nn.Linear(4, 4)
        self.head.weight = self.still.weight  # one tensor by two names
        self.order = nn.Parameter(torch.tensor([1, 0, 3, 2]), requires_grad=False)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x))).mean((2, 3))
        x = torch.relu(self.tables(torch.relu(self.masked(torch.relu(self.fixed(x))))))
        return self.head(torch.relu(self.still(x))).index_select(1, self.order)


def save(module, path):
    """Without the debug records, which hold the paths of the machine that the file was made on."""
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    with zipfile.ZipFile(buffer) as full, zipfile.ZipFile(path, "w") as small:
        for record in full.infolist():
            if not record.filename.endswith(".debug_pkl"):
                name = record.filename.replace("archive/", path.stem + "/", 1)
                small.writestr(zipfile.ZipInfo(name), full.read(record), zipfile.ZIP_DEFLATED, 9)


def trainable(module):
    expected = {name: False for name, _ in module.named_buffers()}
    for name, value in module.named_parameters(remove_duplicate=False):
        expected[name] = value.is_floating_point()
    return expected


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    model = Mixed().eval()
    computed = {f"{name}.weight": getattr(model, name).weight().requires_grad for name in ("masked", "tables")}
    expected = {}
    x = torch.randn(3, 2, 5, 5)
    for kind, module in (("scripted", torch.jit.script(model)), ("traced", torch.jit.trace(model, x))):
        save(module, FOLDER / f"{kind}.pt")
        expected[f"trainable/{kind}.pt"] = trainable(module) | computed
    for file in sorted((HERE / "models").glob("*.pt")):
        if not file.name.startswith("refused"):
            expected[f"models/{file.name}"] = trainable(torch.jit.load(file))
    lines = ",\n".join(f"{json.dumps(file)}: {json.dumps(names)}" for file, names in expected.items())
    (FOLDER / "expected.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
