"""Writes several_outputs/: a network with a dict of outputs, a loss of them all, and what PyTorch says of both in float64
(dense Hessians in outputs and weights). Needs PyTorch 2.13."""

import io
import json
import pathlib
import zipfile

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent / "several_outputs"
HERE.mkdir(exist_ok=True)
torch.manual_seed(3)


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(1, 3, 3, padding=1)
        self.box = nn.Linear(3, 6)
        self.score = nn.Linear(3, 4)
        self.mask = nn.Conv2d(3, 2, 1)

    def forward(self, x):
        features = torch.tanh(self.body(x))
        pooled = features.mean((2, 3))
        scores = 3 * self.score(pooled)
        return {
            "boxes": 10 + 40 * self.box(pooled).view(-1, 2, 3),
            "best": scores.argmax(1),
            "scores": scores,
            "masks": self.mask(features),
        }


class Loss(nn.Module):
    """Takes its outputs by name, in an order of its own."""

    def forward(self, scores, masks, boxes, labels):
        right = nn.functional.cross_entropy(scores, labels, reduction="none")
        placed = nn.functional.softplus(boxes / 20).mean((1, 2))
        return right + placed + masks.pow(4).mean((1, 2, 3))


def save(module, name):
    """Without the debug records, which hold the paths of the machine that the file was made on."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module), buffer)
    with zipfile.ZipFile(buffer) as full, zipfile.ZipFile(HERE / name, "w") as small:
        for record in full.infolist():
            if not record.filename.endswith(".debug_pkl"):
                small.writestr(zipfile.ZipInfo(record.filename), full.read(record), zipfile.ZIP_DEFLATED, 9)


def composite(outputs, wanted, units):
    log_p, log_q = wanted["scores"].log_softmax(1), outputs["scores"].log_softmax(1)
    total = (log_p.exp() * (log_p - log_q)).sum(1)
    for name, unit in units.items():
        total = total + (outputs[name] - wanted[name]).pow(2).flatten(1).mean(1) / unit
    return total


def shift(outputs, wanted, units):
    delta = outputs["scores"] - wanted["scores"]
    total = (delta - delta.mean(1, keepdim=True)).pow(2).sum(1) / 2
    for name, unit in units.items():
        total = total + (outputs[name] - wanted[name]).pow(2).flatten(1).mean(1) / 2 / unit
    return total


NAMES = ("boxes", "scores", "masks")
SHAPES = {"boxes": (2, 3), "scores": (4,), "masks": (2, 4, 4)}


def side_by_side(outputs):
    return torch.cat([outputs[name].flatten(1) for name in NAMES], 1)


def apart(row):
    parts = row.split([6, 4, 32], 1)
    return {name: part.view(-1, *SHAPES[name]) for name, part in zip(NAMES, parts)}


def blocks(model, x, curvature, loss):
    """Of each layer's weight: trace, largest eigenvalue of the Gauss-Newton block; of the loss gradient and Hessian."""
    result = {}
    for name in ("body", "box", "score", "mask"):
        weight = f"{name}.weight"
        value = dict(model.named_parameters())[weight].detach()

        def run(w):
            return torch.func.functional_call(model, {weight: w}, (x,))

        jacobian = torch.autograd.functional.jacobian(lambda w: side_by_side(run(w)), value)
        jacobian = jacobian.reshape(x.shape[0], 42, -1)
        block = torch.einsum("nia,nij,njb->ab", jacobian, curvature, jacobian) / x.shape[0]
        hessian = torch.autograd.functional.hessian(lambda w: loss(run(w)).mean(), value).reshape(block.shape)
        gradient = torch.autograd.functional.jacobian(lambda w: loss(run(w)).mean(), value)
        result[name] = {
            "trace": block.trace().item(),
            "largest": torch.linalg.eigvalsh(block)[-1].item(),
            "frobenius": block.norm().item(),
            "hessian_trace": hessian.trace().item(),
            "gradient": gradient.flatten().tolist(),
        }
    return result


model = Heads()
save(model, "heads.pt")
save(Loss(), "loss.pt")
model = model.double()
x = torch.randn(6, 1, 4, 4)
labels = torch.tensor([0, 3, 1, 2, 2, 0])
wide = x.double()
with torch.no_grad():
    wanted = {name: value for name, value in model(wide).items() if name != "best"}
units = {name: wanted[name].var(unbiased=False).item() for name in ("boxes", "masks")}
row = side_by_side(wanted)
delta = torch.linspace(-0.3, 0.4, row.numel(), dtype=torch.float64).view(row.shape).sin()
moved = apart(row + delta)


def curvatures(loss):
    """∂²ℓ/∂z² of each sample, [N, 42, 42]."""
    one = [torch.autograd.functional.hessian(lambda z: loss(z[None], n).sum(), row[n]) for n in range(len(row))]
    return torch.stack(one)


own = Loss()
of_composite = curvatures(lambda z, n: composite(apart(z), apart(row[n : n + 1]), units))
of_own = curvatures(lambda z, n: own(**apart(z), labels=labels[n : n + 1]))
quadratic = torch.einsum("ni,nij,nj->n", delta, of_composite, delta) / 2
json.dump(
    {
        "x": x.flatten().tolist(),
        "labels": labels.tolist(),
        "weights": [1 / units["boxes"], 1, 1 / units["masks"]],
        "delta": delta.flatten().tolist(),
        "divergence": composite(moved, wanted, units).tolist(),
        "shift": shift(moved, wanted, units).tolist(),
        "gauss_newton": quadratic.tolist(),
        "module": own(**wanted, labels=labels).tolist(),
        "module_moved": own(**moved, labels=labels).tolist(),
        "blocks": {
            "composite": blocks(model, wide, of_composite, lambda z: composite(z, wanted, units)),
            "module": blocks(model, wide, of_own, lambda z: own(z["scores"], z["masks"], z["boxes"], labels)),
        },
    },
    open(HERE / "reference.json", "w"),
)
