"""Convolutions of every kind, and a small residual network."""

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case, Layer


def randomize_statistics(model: nn.Module) -> nn.Module:
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                if module.affine:
                    module.weight.uniform_(0.5, 1.5)
                    module.bias.uniform_(-0.5, 0.5)
                if module.track_running_stats:
                    module.running_mean.uniform_(-0.3, 0.3)
                    module.running_var.uniform_(0.5, 2)
    return model


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        identity = x
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.downsample is not None:
            identity = self.downsample(x)
        y += identity
        return self.relu(y)


class SmallResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(Block(4, 4, 1))
        self.layer2 = nn.Sequential(Block(4, 6, 2))
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Conv1dNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.narrow = nn.Conv1d(2, 4, 3, stride=2, dilation=2)
        self.wide = nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1, output_padding=1)

    def forward(self, x):
        return self.wide(torch.tanh(self.narrow(x)))


class Conv2dNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, (3, 2), padding="same")
        self.reflect = nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")
        self.depthwise = nn.Conv2d(4, 8, 3, groups=4, padding=2, dilation=2, bias=False)
        self.grouped = nn.Conv2d(8, 6, 1, groups=2)

    def forward(self, x):
        x = F.relu_(self.stem(x))
        x = F.relu6(self.reflect(x), inplace=True)
        return self.grouped(F.silu(self.depthwise(x)))


class Conv3dNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv3d(1, 4, (2, 3, 3), padding=(0, 1, 1), stride=(1, 2, 2))
        self.up = nn.ConvTranspose3d(4, 2, 2, stride=2, groups=2)

    def forward(self, x):
        return self.up(torch.sigmoid(self.down(x)))


class ConvTranspose2dNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.plain = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1)
        self.grouped = nn.ConvTranspose2d(3, 6, 2, groups=3, dilation=2, bias=False)
        self.last = nn.ConvTranspose2d(6, 4, 3, groups=2)

    def forward(self, x):
        return self.last(F.relu(self.grouped(F.relu(self.plain(x)))))


class Unbatched(nn.Module):
    """Convolutions read the sample without its batch axis."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3)
        self.conv2 = nn.Conv1d(3, 2, 2)

    def forward(self, x):
        y = self.conv1(x[0]).mean(-1)
        return self.conv2(torch.tanh(y)).unsqueeze(0)


class FunctionalWeights(nn.Module):
    """Convolutions whose weight is a parameter seen through a view."""

    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(2, 4, 3, 3) * 0.3)
        self.pair = nn.Parameter(torch.randn(6, 4, 1, 1) * 0.3)
        self.halves = nn.Parameter(torch.randn(5, 6, 1, 1) * 0.3)

    def forward(self, x):
        y = F.conv2d(x, self.kernel.transpose(0, 1))
        first, second = self.pair.chunk(2)
        y = torch.cat([F.conv2d(y, first), F.conv2d(torch.tanh(y), second)], 1)
        left, right = self.halves.chunk(2, 1)
        return F.conv2d(y[:, :3], left) + F.conv2d(y[:, 3:], right)


def cases():
    yield Case("small_resnet", randomize_statistics(SmallResNet()), [torch.randn(3, 3, 8, 8)], batch_norms=(6, 0),
               kinds=("scripted", "traced", "frozen", "frozen_traced", "training"))
    yield Case("conv1d", Conv1dNet(), [torch.randn(2, 2, 15)], kinds=("scripted", "traced", "frozen"))
    yield Case("conv2d", Conv2dNet(), [torch.randn(2, 2, 6, 5)], kinds=("scripted", "traced", "frozen"))
    yield Case("conv3d", Conv3dNet(), [torch.randn(2, 1, 3, 6, 6)])
    yield Case("conv_transpose2d", ConvTranspose2dNet(), [torch.randn(2, 2, 4, 3)], kinds=("scripted", "traced", "frozen"))
    yield Case("unbatched", Unbatched(), [torch.randn(1, 2, 6, 5)])
    yield Case("functional_weights", FunctionalWeights(), [torch.randn(2, 2, 6, 5)],
               layers=[
                   Layer("kernel", "conv2d", [2, 4, 3, 3], 4 * 3 * 4 * 18, channel_axis=1),
                   Layer("pair", "conv2d", [6, 4, 1, 1], 2 * 12 * 3 * 4),
                   Layer("halves", "conv2d", [5, 6, 1, 1], 2 * 12 * 5 * 3),
               ])
