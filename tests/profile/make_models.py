"""Writes the model of the profile tests. Run with PyTorch 2.13:  python make_models.py"""

import pathlib

import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent


def convolution(inputs, outputs, kernel=3, stride=1, groups=1, activation=True):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([nn.ReLU6(inplace=True)] if activation else []))


class Bottleneck(nn.Module):
    """The inverted residual of MobileNetV2 (Sandler et al., CVPR 2018)."""

    def __init__(self, inputs, outputs, stride, expansion=6):
        super().__init__()
        wide = inputs * expansion
        self.skip = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            convolution(inputs, wide, kernel=1),
            convolution(wide, wide, stride=stride, groups=wide),
            convolution(wide, outputs, kernel=1, activation=False),
        )

    def forward(self, x):
        if self.skip:
            return x + self.body(x)
        return self.body(x)


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = convolution(3, 8, stride=2)
        self.blocks = nn.Sequential(
            Bottleneck(8, 8, 1), Bottleneck(8, 12, 2), Bottleneck(12, 12, 1), Bottleneck(12, 16, 2), Bottleneck(16, 16, 1)
        )
        self.head = convolution(16, 64, kernel=1)
        self.classifier = nn.Linear(64, 10)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))
        x = nn.functional.adaptive_avg_pool2d(x, (1, 1))
        return self.classifier(torch.flatten(x, 1))


if __name__ == "__main__":
    torch.manual_seed(1)
    torch.jit.script(MobileNet().eval()).save(HERE / "models" / "mobilenet.pt")
