"""Trains small networks in float with plain PyTorch, every way the training room can, for tests/train/float_training_test.cpp.

    python tests/train/make_reference.py        writes models/, data.pt and reference.json beside itself

Every case is trained by full batches, so that the order of samples does not matter.
"""

import copy
import json
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

HERE = pathlib.Path(__file__).parent
EPOCHS = 12


class Normed(nn.Module):
    """Convolutions with batch norm, one with a bias and grouped, a residual sum, a linear layer."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(4)
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.BatchNorm2d(4, momentum=0.3))
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = F.relu(self.stem_norm(self.stem(x)))
        x = F.relu(self.block(x) + x)
        return self.head(x.mean((2, 3)))


class Smooth(Normed):
    """The same without kinks, for finite differences."""

    def forward(self, x):
        x = F.silu(self.stem_norm(self.stem(x)))
        x = F.silu(self.block(x) + x)
        return self.head(x.mean((2, 3)))


class Folded(nn.Module):
    """The same with its norms folded."""

    def __init__(self, normed):
        super().__init__()
        self.stem = torch.nn.utils.fusion.fuse_conv_bn_eval(normed.stem, normed.stem_norm)
        self.block = torch.nn.utils.fusion.fuse_conv_bn_eval(normed.block[0], normed.block[1])
        self.head = normed.head
        self.requires_grad_(True)  # a bias that the fusion made, too

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = F.relu(self.block(x) + x)
        return self.head(x.mean((2, 3)))


def pretrained(data, labels):
    torch.manual_seed(1)
    model = Normed()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(30):
        optimizer.zero_grad()
        F.cross_entropy(model(data), labels).backward()
        optimizer.step()
    return model.eval()


def make_optimizer(model, case):
    if case["optimizer"] == "adam":
        return torch.optim.Adam(model.parameters(), case["learning_rate"], weight_decay=case["weight_decay"])
    return torch.optim.SGD(model.parameters(), case["learning_rate"], case["momentum"], weight_decay=case["weight_decay"])


def make_schedule(optimizer, case):
    warm_up = case["warm_up"]
    if case["schedule"] == "cosine":
        main = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS - warm_up)
    elif case["schedule"] == "step":
        main = torch.optim.lr_scheduler.MultiStepLR(optimizer, [m - warm_up for m in case["step_epochs"]], case["step_factor"])
    else:
        main = torch.optim.lr_scheduler.ConstantLR(optimizer, 1)
    if warm_up == 0:
        return main
    first = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / (warm_up + 1), total_iters=warm_up)
    return torch.optim.lr_scheduler.SequentialLR(optimizer, [first, main], [warm_up])


def train(start, case, data, labels):
    teacher = copy.deepcopy(start).eval()
    model = copy.deepcopy(start)
    if case["norm"] == "folded":
        model = Folded(model)
    model.train(case["norm"] == "batch")
    optimizer = make_optimizer(model, case)
    schedule = make_schedule(optimizer, case)
    losses, rates = [], []
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        logits = model(data)
        loss = F.cross_entropy(logits, labels) * (1 - case["distillation"])
        if case["distillation"] > 0:
            t = case["temperature"]
            with torch.no_grad():
                target = F.softmax(teacher(data) / t, 1)
            loss = loss + case["distillation"] * t * t * F.kl_div(F.log_softmax(logits / t, 1), target, reduction="batchmean")
        loss.backward()
        if case["clip_norm"] > 0:
            nn.utils.clip_grad_norm_(model.parameters(), case["clip_norm"])
        losses.append(loss.item())
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        return {"losses": losses, "rates": rates, "output": model(data).flatten().tolist()}


DEFAULTS = dict(norm="batch", optimizer="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.01, schedule="constant", step_epochs=[],
                step_factor=0.1, warm_up=0, clip_norm=0.0, distillation=0.0, temperature=4.0)
CASES = {
    "batch_norm": {},
    "frozen_norm": dict(norm="frozen"),
    "folded_norm": dict(norm="folded", learning_rate=0.02),
    "cosine": dict(schedule="cosine", warm_up=3),
    "steps": dict(schedule="step", step_epochs=[4, 9], step_factor=0.3),
    "adam": dict(optimizer="adam", learning_rate=0.02),
    "clipped": dict(clip_norm=0.1, weight_decay=0.0, learning_rate=0.5),
    "distilled": dict(distillation=0.7, temperature=2.5),
}


def main():
    torch.manual_seed(0)
    data, labels = torch.randn(16, 3, 6, 6), torch.randint(0, 3, (16,))
    model = pretrained(data, labels)
    (HERE / "models").mkdir(exist_ok=True)
    torch.jit.script(model).save(str(HERE / "models" / "normed.pt"))
    smooth = Smooth().eval()
    smooth.load_state_dict(model.state_dict())
    torch.jit.script(smooth).save(str(HERE / "models" / "smooth.pt"))
    torch.jit.freeze(torch.jit.script(model)).save(str(HERE / "models" / "frozen.pt"))
    torch.jit.script(nn.Sequential(nn.Dropout(0.25)).eval()).save(str(HERE / "models" / "dropout.pt"))
    torch.save({"inputs": data, "labels": labels}, HERE / "data.pt")
    reference = {}
    for name, changes in CASES.items():
        case = {**DEFAULTS, **changes}
        reference[name] = {"case": case, **train(model, case, data, labels)}
    (HERE / "reference.json").write_text(json.dumps(reference, indent=0) + "\n")


if __name__ == "__main__":
    main()
