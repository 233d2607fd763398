"""Writes losses and metrics of one's own, as TorchScript files and as an archive of torch.export. Needs PyTorch 2.13."""

import pathlib

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


class CrossEntropy(nn.Module):
    def forward(self, output, labels):
        return nn.functional.cross_entropy(output, labels, reduction="none")


class TopTwo(nn.Module):
    """1 where the label is among the two largest outputs, else 0."""

    def forward(self, output, labels):
        return (output.topk(2, 1).indices == labels.unsqueeze(1)).any(1).float()


class MeanOfAll(nn.Module):
    """What is no number for each sample: the commonest mistake."""

    def forward(self, output, labels):
        return nn.functional.cross_entropy(output, labels)


torch.jit.script(CrossEntropy()).save(str(HERE / "entropy.pt"))
torch.jit.script(TopTwo()).save(str(HERE / "top2.pt"))
torch.jit.script(MeanOfAll()).save(str(HERE / "mean.pt"))
batch = torch.export.Dim("batch", min=1, max=4096)
example = (torch.randn(4, 10), torch.randint(10, (4,)))
program = torch.export.export(CrossEntropy(), example, dynamic_shapes=({0: batch}, {0: batch}))
torch.export.save(program, HERE / "entropy.pt2")
