"""Writes the models of tests/network/batching_test.cpp and input_value_test.cpp, and what PyTorch makes of their inputs.

    python tests/network/make_batches.py

Per model batches/NAME.pt and batches/NAME.json: seven samples as inputs, and the output of the eager module, computed sample
by sample with sizes that follow the batch. Nothing of bitplan takes part.
"""

import copy
import io
import json
import pathlib
import warnings
import zipfile

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "batches"
SAMPLES = 7


class Baked(nn.Module):
    """A view with the batch in it, as tracing leaves one."""

    def __init__(self, batch):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.hidden = nn.Linear(4 * 4 * 4, 6)
        self.head = nn.Linear(6, 5)
        self.batch = batch

    def forward(self, x):
        y = torch.relu(self.conv(x)).view(self.batch or x.shape[0], -1)
        return self.head(torch.relu_(self.hidden(y)))


class BakedState(nn.Module):
    """A recurrent state of a fixed batch: another one is refused by the operator."""

    def __init__(self, batch):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)
        self.batch = batch

    def forward(self, x):
        state = torch.zeros(1, self.batch or x.shape[0], 4)
        return self.head(self.lstm(x, (state, state))[0][:, -1])


class StepsFirst(nn.Module):
    """Steps before samples inside, and rows of the batch's size."""

    def __init__(self, batch):
        super().__init__()
        self.embed, self.head = nn.Linear(3, 4), nn.Linear(4, 2)
        self.batch = batch

    def forward(self, x):
        batch = self.batch or x.shape[0]
        steps = torch.tanh(self.embed(x.transpose(0, 1)))  # [4, N, 4]: as many steps as samples
        return self.head(steps.transpose(0, 1).reshape(batch, 4, 4)).mean(1)


class EachByItself(nn.Module):
    """A loop over the samples, which tracing unrolls."""

    def __init__(self, batch):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.batch = batch

    def forward(self, x):
        return torch.stack([self.linear(x[i]) for i in range(self.batch or x.shape[0])])


class Squeezed(nn.Module):
    """A regressor: [N], and a single number for one sample."""

    def __init__(self, batch):
        super().__init__()
        self.hidden, self.head = nn.Linear(3, 4), nn.Linear(4, 1)
        self.batch = batch

    def forward(self, x):
        y = self.head(torch.relu(self.hidden(x)))
        return y.squeeze() if self.batch is not None else y.squeeze(1)


class ChannelsAsRows(nn.Module):
    """A view of one sample's channels: two samples run through it, and come out as one."""

    def __init__(self, batch):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 7)
        self.batch = batch

    def forward(self, x):
        y = torch.relu(self.conv(x))
        return self.head(y.mean((2, 3))) if self.batch is None else self.head(y.reshape(8, -1).mean(1))[None]


class ClassesFirst(nn.Module):
    """[2, N]: the first axis does not count samples, and is two."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(x).t()


class Mean(nn.Module):
    def __init__(self, keep):
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.keep = keep

    def forward(self, x):
        y = self.linear(x)
        return y.mean(0, keepdim=True).expand_as(y) if self.keep else y.mean(0)


class Centered(nn.Module):
    """A mean over the batch beside a view with the batch in it."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x):
        y = self.linear(x).view(x.shape[0], 4)
        return y - y.mean(0)


class OwnStatistics(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False)

    def forward(self, x):
        return self.norm(self.linear(x))


class Whole(nn.Module):
    """One number for the whole batch."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 1)

    def forward(self, x):
        return self.linear(x).sum()


class Values(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x, rate: int, gain: float = 1.0, sign: bool = False, mode: str = "plain", shift: int | None = None):
        y = self.linear(x) * (rate / 1000) * gain
        if sign:
            y = -y
        if mode == "square":
            y = y * y
        if shift is not None:
            y = y + shift
        return y


class Block(nn.Module):
    """A layer of every kind between views with the batch in them: convolutions, norms, linear layers, products of
    activations."""

    def __init__(self, batch):
        super().__init__()
        self.stem, self.depthwise = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.embed, self.norm = nn.Linear(8, 12), nn.LayerNorm(12)
        self.query, self.key, self.value = nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 12)
        self.out, self.head = nn.Linear(12, 12), nn.Linear(12 * 16, 4)
        self.batch = batch

    def forward(self, x):
        batch = x.shape[0] if self.batch is None else self.batch
        y = torch.relu(self.depthwise(torch.relu(self.stem(x)))).view(batch, 8, 16)
        y = self.norm(self.embed(y.transpose(1, 2)))
        q = self.query(y).view(batch, 16, 3, 4).transpose(1, 2)
        k = self.key(y).view(batch, 16, 3, 4).transpose(1, 2)
        v = self.value(y).view(batch, 16, 3, 4).transpose(1, 2)
        scores = torch.softmax(torch.matmul(q, k.transpose(2, 3)) / 2, -1)
        y = y + self.out(torch.matmul(scores, v).transpose(1, 2).reshape(batch, 16, 12))
        return self.head(torch.relu(y).reshape(batch, -1))


class Pair(nn.Module):
    """Two inputs, and a view with the batch in it behind each."""

    def __init__(self, batch):
        super().__init__()
        self.left, self.right, self.head = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(20, 3)
        self.batch = batch

    def forward(self, vectors, sequences):
        batch = vectors.shape[0] if self.batch is None else self.batch
        steps = torch.relu(self.right(sequences)).view(batch, 16)
        return self.head(torch.cat([torch.relu(self.left(vectors)).view(batch, 4), steps], 1))


def save(module, path):
    """Without the debug records, which hold the paths of the machine that the file was made on."""
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    with zipfile.ZipFile(buffer) as full, zipfile.ZipFile(path, "w") as small:
        for record in full.infolist():
            if not record.filename.endswith(".debug_pkl"):
                name = record.filename.replace("archive/", path.stem + "/", 1)
                small.writestr(zipfile.ZipInfo(name), full.read(record), zipfile.ZIP_DEFLATED, 9)


def numbers(tensor):
    values = [float(f"{v:.9g}") for v in tensor.detach().flatten().double().tolist()]
    return {"dtype": "float32", "shape": list(tensor.shape), "values": values}


def write(name, module, inputs, output):
    save(module, FOLDER / f"{name}.pt")
    inputs = inputs if isinstance(inputs, list) else [inputs]
    expected = {"inputs": [numbers(each) for each in inputs], "output": numbers(output)}
    (FOLDER / f"{name}.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


def copy_of(model):
    """With sizes that follow the batch."""
    model = copy.deepcopy(model)
    model.batch = None
    return model


def one_by_one(model, inputs):
    model = copy_of(model)
    with torch.no_grad():
        return torch.cat([model(sample[None]) for sample in inputs])


def write_traced(name, model, inputs, batch, freeze=False):
    model.eval()
    module = torch.jit.trace(model, inputs[:batch], check_trace=False)
    write(name, torch.jit.freeze(module) if freeze else module, inputs, one_by_one(model, inputs))


def write_pair(name, model, batch, trace):
    model.eval()
    inputs = [torch.randn(SAMPLES, 3), torch.randn(SAMPLES, 4, 3)]
    example = tuple(each[:batch] for each in inputs)
    with torch.no_grad():
        outputs = torch.cat([copy_of(model)(*(each[n:n + 1] for each in inputs)) for n in range(SAMPLES)])
    write(name, torch.jit.trace(model, example, check_trace=False) if trace else torch.jit.script(model), inputs, outputs)


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(18)
    FOLDER.mkdir(exist_ok=True)
    images, vectors, sequences = torch.randn(SAMPLES, 3, 4, 4), torch.randn(SAMPLES, 3), torch.randn(SAMPLES, 4, 3)
    write_traced("one", Baked(1), images, 1)
    write_traced("one_frozen", Baked(1), images, 1, freeze=True)  # which keeps nothing of the example
    write_traced("four", Baked(4), images, 4)
    write_traced("four_frozen", Baked(4), images, 4, freeze=True)
    write_traced("two", Baked(2), images, 2)
    write_traced("state", BakedState(1), sequences, 1)
    write_traced("state_frozen", BakedState(1), sequences, 1, freeze=True)
    write_traced("steps", StepsFirst(4), sequences, 4)
    write_traced("each", EachByItself(3), vectors, 3)
    squeezed = Squeezed(0).eval()
    write("squeezed", torch.jit.script(squeezed), vectors, one_by_one(squeezed, vectors))
    mixing = {"mean": Mean(True), "mean_vector": Mean(False), "own_statistics": OwnStatistics(), "whole": Whole()}
    for name, model in mixing.items():
        save(torch.jit.script(model.eval()), FOLDER / f"{name}.pt")
    save(torch.jit.trace(Centered().eval(), vectors[:4], check_trace=False), FOLDER / "centered_traced.pt")
    save(torch.jit.trace(Mean(False).eval(), vectors[:1], check_trace=False), FOLDER / "mean_traced.pt")
    values = Values().eval()
    with torch.no_grad():
        output = values(vectors, 16000, gain=0.5, sign=True, mode="square", shift=2)
    write("values", torch.jit.script(values), vectors, output)
    block = Block(None).eval()
    write("block", torch.jit.script(block), images, one_by_one(block, images))
    for batch, name in ((1, "block_one"), (3, "block_three"), (4, "block_four")):
        block.batch = batch
        write_traced(name, block, images, batch)
    many = Baked(300).eval()  # of more samples than numbers in a graph are tried for
    module = torch.jit.trace(many, torch.randn(300, 3, 4, 4), check_trace=False)
    write("three_hundred", module, images, one_by_one(many, images))
    write_pair("pair", Pair(None), SAMPLES, trace=False)
    for batch, name in ((1, "pair_one"), (4, "pair_four")):
        write_pair(name, Pair(batch), batch, trace=True)
    torch.manual_seed(19)
    write_traced("rows", ChannelsAsRows(1), torch.randn(SAMPLES, 3, 4, 4), 1)
    save(torch.jit.script(ClassesFirst().eval()), FOLDER / "classes_first.pt")


if __name__ == "__main__":
    main()
