"""Trains small models by the tool, loads what --state-dict wrote into their modules, and compares with the trained float file.
Arguments: the tool, the folder with train.bin, a scratch folder."""

import json
import pathlib
import subprocess
import sys

import torch
from torch import nn
from torch.nn import functional as F

TYPES = {"F32": torch.float32, "F16": torch.float16, "I64": torch.int64, "BOOL": torch.bool}


class Model(nn.Module):
    """Tied weights, a layer that is not used, a norm without scale and offset, a buffer that is not persistent."""

    def __init__(self, has_table: bool):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, bias=False), nn.BatchNorm2d(8, affine=False)
        self.a, self.unused, self.b = nn.Linear(8, 8), nn.Linear(2, 3), nn.Linear(8, 8, bias=False)
        self.b.weight = self.a.weight
        self.register_buffer("shift", torch.randn(8))
        self.register_buffer("table", torch.randn(8), persistent=not has_table)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        x = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))).mean([2, 3])
        return self.head(F.relu(self.b(F.relu(self.a(x) + self.shift)) * self.table))


def tensors(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """The format as its README defines it."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    header.pop("__metadata__", None)
    assert max(entry["data_offsets"][1] for entry in header.values()) == len(data)
    return {name: torch.frombuffer(bytearray(data[slice(*entry["data_offsets"])]), dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items()}


def save(model: Model, path: pathlib.Path) -> None:
    if path.suffix == ".pt":
        torch.jit.script(model).save(path)
        return
    samples = torch.export.Dim("samples")
    torch.export.save(torch.export.export(model, (torch.randn(2, 3, 32, 32),), dynamic_shapes=({0: samples},)), path)


def main() -> None:
    tool, data, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    x = torch.randn(6, 3, 32, 32)
    for ending in (".pt", ".pt2"):
        torch.manual_seed(0)
        model = Model(has_table=ending == ".pt2")
        model(torch.randn(32, 3, 32, 32))
        save(model.eval(), folder / f"model{ending}")
        before = {name: value.clone() for name, value in model.state_dict().items()}
        for options in ("--method lsq", "--method lsq --batch-norm folded", "--method dorefa --batch-norm frozen"):
            subprocess.run([tool, "train", f"model{ending}", "--data", f"cifar10:{data / 'train.bin'}", "--samples", "64", "--epochs", "1",
                            "--batch-size", "16", "--learning-rate", "0.05", "--weight-bits", "4", "--out", "t.pt", "--state-dict",
                            "t.safetensors", *options.split()], cwd=folder, check=True, capture_output=True, text=True)
            state = tensors(folder / "t.safetensors")
            model.load_state_dict(state, strict=True)
            with torch.no_grad():
                wanted, given = torch.jit.load(folder / "t.float.pt")(x), model(x)
            assert torch.allclose(given, wanted, rtol=1e-4, atol=1e-4), (ending, options, (given - wanted).abs().max())
            assert not torch.equal(state["conv1.weight"], before["conv1.weight"]), "nothing was trained"
            assert torch.equal(state["a.weight"], state["b.weight"]) and torch.equal(state["unused.weight"], before["unused.weight"])
    print("the modules give what the trained files give")


main()
