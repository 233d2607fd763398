"""Batch norms that can be folded into the layer before them, and batch norms that must not be."""

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case, linear
from .convolutions import randomize_statistics


class AfterEachLayer(nn.Module):
    """Convolutions of one to three dimensions, transposed, grouped, with and without bias, and linear: all fold."""

    def __init__(self):
        super().__init__()
        self.conv1d = nn.Conv1d(2, 4, 2)
        self.bn1 = nn.BatchNorm1d(4)
        self.up = nn.ConvTranspose1d(4, 3, 2, stride=2, bias=False)
        self.bn2 = nn.BatchNorm1d(3, affine=False)
        self.conv2d = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(4, momentum=None)
        self.grouped_up = nn.ConvTranspose2d(4, 6, 2, groups=2)
        self.bn4 = nn.BatchNorm2d(6)
        self.conv3d = nn.Conv3d(1, 2, 2, bias=False)
        self.bn5 = nn.BatchNorm3d(2, eps=1e-3)
        self.fc = nn.Linear(2, 3)
        self.bn6 = nn.BatchNorm1d(3)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1d(x)))
        x = F.relu(self.bn2(self.up(x)))
        x = F.relu(self.bn3(self.conv2d(x.unsqueeze(-2).repeat(1, 1, 3, 1))))
        x = torch.tanh(self.bn4(self.grouped_up(x)))
        x = self.bn5(self.conv3d(x.unsqueeze(1)))
        return self.bn6(self.fc(x.mean((2, 3, 4))))


class BeforeConvolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(2)
        self.conv = nn.Conv2d(2, 3, 3)

    def forward(self, x):
        return self.conv(self.bn(x))


class OutputUsedElsewhere(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x):
        y = self.conv(x)
        return self.bn(y) + y


class ConvolutionCalledTwice(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(2)
        self.bn2 = nn.BatchNorm2d(2)

    def forward(self, x):
        return self.bn2(self.conv(F.relu(self.bn1(self.conv(x)))))


class BiasOfTwoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 2, 1)
        self.bn = nn.BatchNorm2d(2)
        self.conv2 = nn.Conv2d(2, 2, 1)
        self.conv2.bias = self.conv1.bias

    def forward(self, x):
        return self.conv2(F.relu(self.bn(self.conv1(x))))


class OwnStatistics(nn.Module):
    """Normalizes by the statistics of the batch, in eval mode too."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.bn = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, x):
        return self.bn(self.conv(x))


class AlwaysTraining(nn.Module):
    """Updates its running statistics at every call."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("variance", torch.ones(3))

    def forward(self, x):
        y = F.batch_norm(self.conv(x), self.mean, self.variance, training=True)
        return y + self.mean.view(1, 3, 1, 1)


class OverSequence(nn.Module):
    """The batch norm's channels are the sequence axis of a linear layer's result, not its features."""

    def __init__(self, length: int, features: int):
        super().__init__()
        self.fc = nn.Linear(3, features)
        self.bn = nn.BatchNorm1d(length)

    def forward(self, x):
        return self.bn(self.fc(x))


class UnbatchedConvolution(nn.Module):
    """The convolution's result is [C, L]: the batch norm takes it for [N, C] and normalizes over L."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 2)
        self.bn = nn.BatchNorm1d(3)

    def forward(self, x):
        return self.bn(self.conv(x[0])).unsqueeze(0)


class InBranch(nn.Module):
    """The batch norm is applied in one branch only."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x):
        y = self.conv(x)
        if bool(x.mean() > 100):
            y = self.bn(y)
        return y


class TransposedBetween(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)
        self.bn = nn.BatchNorm1d(4)

    def forward(self, x):
        return self.bn(self.fc(x).transpose(1, 2))


class ShapeAsked(nn.Module):
    """Folds although the shape of the convolution's result is read as well."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x):
        y = self.conv(x)
        return self.bn(y).reshape(y.shape[0], -1)


def cases():
    image = torch.randn(3, 2, 5, 5)
    stats = randomize_statistics
    yield Case("bn_after_each_layer", stats(AfterEachLayer()), [torch.randn(3, 2, 4)], batch_norms=(6, 0),
               kinds=("scripted", "traced"))
    yield Case("bn_before_conv", stats(BeforeConvolution()), [image], batch_norms=(1, 1))
    yield Case("bn_output_used_elsewhere", stats(OutputUsedElsewhere()), [image], batch_norms=(1, 1))
    yield Case("bn_conv_called_twice", stats(ConvolutionCalledTwice()), [image], batch_norms=(2, 2))
    yield Case("bn_bias_of_two_layers", stats(BiasOfTwoLayers()), [image], batch_norms=(1, 1))
    yield Case("bn_own_statistics", stats(OwnStatistics()), [image], batch_norms=(1, 1))
    yield Case("bn_always_training", AlwaysTraining(), [image], batch_norms=(1, 1), kinds=("scripted",))
    yield Case("bn_over_sequence", stats(OverSequence(4, 4)), [torch.randn(3, 4, 3)], batch_norms=(1, 1), foldable=False)
    yield Case("bn_over_sequence_uneven", stats(OverSequence(4, 5)), [torch.randn(3, 4, 3)], batch_norms=(1, 1))
    yield Case("bn_unbatched_conv", stats(UnbatchedConvolution()), [torch.randn(1, 2, 4)], batch_norms=(1, 1), foldable=False)
    yield Case("bn_in_branch", stats(InBranch()), [image], batch_norms=(1, 1), kinds=("scripted",))
    yield Case("bn_transposed_between", stats(TransposedBetween()), [torch.randn(2, 5, 3)], batch_norms=(1, 1),
               layers=[linear("fc", 4, 3, 5)])
    yield Case("bn_shape_asked", stats(ShapeAsked()), [image], batch_norms=(1, 0))
