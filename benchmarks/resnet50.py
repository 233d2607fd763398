"""A network of ResNet-50's size with random weights, for images of 224 x 224 and 1,000 classes."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STAGES = [(64, 3), (128, 4), (256, 6), (512, 3)]


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.conv4, self.bn4 = nn.Identity(), nn.Identity()
        if stride != 1 or inputs != 4 * width:
            self.conv4, self.bn4 = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.bn4(self.conv4(x)))


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        blocks, inputs = [], 64
        for stage, (width, count) in enumerate(STAGES):
            for block in range(count):
                blocks.append(Bottleneck(inputs, width, 2 if block == 0 and stage > 0 else 1))
                inputs = 4 * width
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(inputs, 1000)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.fc(self.blocks(x).mean((2, 3)))


def random_resnet50(images):
    """In eval mode, with the statistics of these images in its batch norms. The head is scaled so that the logits' standard deviation
    is 10, at which the network is as sure as a trained one (most probable class: 0.85 on average); left as it is, all classes would
    be about as probable."""
    model = ResNet50()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    model.train()
    with torch.no_grad():
        model(images)
        model.eval()
        scale = 10 / model(images).std()
        model.fc.weight *= scale
        model.fc.bias *= scale
    return model


def fold_batch_norm(model):
    for module in model.modules():
        for suffix in "1234":
            if isinstance(getattr(module, "bn" + suffix, None), nn.BatchNorm2d):
                fused = fuse_conv_bn_eval(getattr(module, "conv" + suffix), getattr(module, "bn" + suffix))
                setattr(module, "conv" + suffix, fused)
                setattr(module, "bn" + suffix, nn.Identity())
