"""Writes one small residual network for images of CIFAR in the three formats that bitplan reads, its layers named as those of ResNet-20.

    python tests/cli/formats/make_formats.py    # needs onnx and onnxscript

small.pt (scripted), small.pt2 and small.onnx, both for any number of samples; and nameless.onnx, batch norm folded by the exporter,
its nodes and tensors called by numbers.
"""

import io
import json
import os
import pathlib
import sys
import warnings
import zipfile

import onnx
import torch
from torch import nn
from torch.nn import functional as F

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent.parent / "network"))
import make_exported  # noqa: E402


class Block(nn.Module):
    def __init__(self, width: int, out: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(Block(4, 4, 1))
        self.layer2 = nn.Sequential(Block(4, 8, 2))
        self.layer3 = nn.Sequential(Block(8, 12, 2))
        self.linear = nn.Linear(12, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean([2, 3]))


def nameless(path: pathlib.Path) -> None:
    """Calls everything by numbers, as optimizers of ONNX files do."""
    proto = onnx.load(path)
    numbers = {}
    for node in proto.graph.node:
        node.name = f"{node.op_type}_{len(numbers)}"
        for names in (node.input, node.output):
            names[:] = [numbers.setdefault(name, str(len(numbers))) if name else "" for name in names]
    for tensor in (*proto.graph.initializer, *proto.graph.input, *proto.graph.output):
        tensor.name = numbers[tensor.name]
    path.write_bytes(proto.SerializeToString())


def save_script(module: torch.jit.ScriptModule, path: pathlib.Path) -> None:
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    with zipfile.ZipFile(buffer) as full, zipfile.ZipFile(path, "w") as small:
        for record in full.infolist():
            if not record.filename.endswith(".debug_pkl"):
                small.writestr(zipfile.ZipInfo(record.filename), full.read(record), zipfile.ZIP_DEFLATED, 9)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    model = Small()
    for _ in range(20):  # statistics of batch norm
        model(torch.randn(16, 3, 32, 32))
    model.eval()
    save_script(torch.jit.script(model), FOLDER / "small.pt")
    samples = torch.export.Dim("samples")
    x = torch.randn(2, 3, 32, 32)
    make_exported.save(torch.export.export(model, (x,), dynamic_shapes=({0: samples},), strict=False), FOLDER / "small.pt2")
    options = {"input_names": ["x"], "dynamo": False, "opset_version": 17, "dynamic_axes": {"x": {0: "samples"}}}
    preserve = torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(model, (x,), str(FOLDER / "small.onnx"), training=preserve, do_constant_folding=False, **options)
    torch.onnx.export(model, (x,), str(FOLDER / "nameless.onnx"), **options)
    nameless(FOLDER / "nameless.onnx")


if __name__ == "__main__":
    main()
