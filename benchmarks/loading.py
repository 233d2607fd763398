"""Writes ResNet-20 (the bundled one) and a chain of convolutions of 100 MB in the three formats: loading.py RESNET20.pt FOLDER"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width: int, out: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.out = out

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if y.shape[1] != x.shape[1]:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.out // 4, self.out // 4))
        return F.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        stage = lambda width, out: nn.Sequential(Block(width, out, 1 if width == out else 2), Block(out, out, 1), Block(out, out, 1))
        self.layer1, self.layer2, self.layer3 = stage(16, 16), stage(16, 32), stage(32, 64)
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean([2, 3]))


def chain() -> nn.Module:
    layers = [nn.Conv2d(3, 340, 3, padding=1), nn.ReLU()]
    for _ in range(24):
        layers += [nn.Conv2d(340, 340, 3, padding=1, bias=False), nn.BatchNorm2d(340), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(340, 10))


def main() -> None:
    script, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    resnet = ResNet20()
    resnet.load_state_dict(torch.jit.load(script).state_dict(), strict=False)
    x = torch.randn(2, 3, 32, 32)
    samples = torch.export.Dim("samples")
    for name, model in (("resnet20", resnet.eval()), ("chain", chain().eval())):
        torch.jit.trace(model, x).save(folder / f"{name}.pt")
        torch.export.save(torch.export.export(model, (x,), dynamic_shapes=({0: samples},)), folder / f"{name}.pt2")
        torch.onnx.export(model, (x,), str(folder / f"{name}.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "samples"}})


main()
