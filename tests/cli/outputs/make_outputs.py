"""Small networks with other outputs than one vector of classes, and samples for each: run here to write the files.

regressor   [N]: one number a sample, squeezed; labels are numbers
detector    [N, 1]: yes or no; labels 0 and 1, [N]
tags        [N, 4]: four times yes or no; labels 0 and 1, [N, 4]
tokens      [N, 5, 5]: five classes at each of five places; labels [N, 5], some of them ignored (-100)
pixels      [N, 3, 6, 6]: three classes at each place; labels [N, 6, 6], some 255
denoiser    [N, 3, 6, 6]: an image, no labels
"""
import pathlib

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


class Squeezed(nn.Module):
    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x).squeeze(1)


def vectors(outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(),
                         nn.Linear(8, outputs))


def images() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 1))


def save(name: str, model: nn.Module, x: torch.Tensor, labels=None):
    model.eval()
    torch.jit.script(model).save(HERE / f"{name}.pt")
    arrays = {"x": x.numpy()}
    if labels is not None:
        arrays["label"] = labels(model(x).detach()).numpy()
    np.savez(HERE / f"{name}.npz", **arrays)


def some(labels: torch.Tensor, ignored: int) -> torch.Tensor:
    """Every third one is ignored, and all of the first sample."""
    flat = labels.clone().flatten()
    flat[::3] = ignored
    labels = flat.view_as(labels)
    labels[0] = ignored
    return labels


def main():
    torch.manual_seed(0)
    x = torch.randn(64, 6)
    noise = lambda y: y + 0.1 * torch.randn_like(y)
    save("regressor", Squeezed(vectors(1)), x, noise)
    save("detector", vectors(1), x, lambda y: (noise(y) > y.mean()).long().squeeze(1))
    save("tags", vectors(4), x, lambda y: (noise(y) > 0).long())
    save("tokens", vectors(5), torch.randn(32, 5, 6), lambda y: some(noise(y).argmax(2), -100))
    save("pixels", images(), torch.randn(24, 3, 6, 6), lambda y: some(noise(y).argmax(1), 255))
    save("denoiser", images(), torch.randn(24, 3, 6, 6))


if __name__ == "__main__":
    main()
