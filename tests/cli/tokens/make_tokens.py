"""Writes tests/cli/tokens/: a small language model, tokens for it, and what PyTorch says of them (expected.json).

Run with a Python that has numpy 2.4 and torch 2.13: python tests/cli/tokens/make_tokens.py
"""

import json
import math
import pathlib

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
VOCABULARY, CONTEXT, PADDING = 16, 8, 0


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 12)
        self.first = nn.Linear(12, 24)
        self.last = nn.Linear(24, VOCABULARY)

    def forward(self, tokens):
        return self.last(torch.relu(self.first(self.embedding(tokens))))


def stream(length, random):
    """Each token is mostly 3 times the last and 1."""
    tokens = [1]
    while len(tokens) < length:
        tokens.append((3 * tokens[-1] + 1) % VOCABULARY if random.random() < 0.8 else int(random.integers(VOCABULARY)))
    return np.array(tokens, dtype=np.uint16)


def loss_of(model, tokens):
    total, count = 0.0, 0
    for first in range(0, len(tokens) - CONTEXT, CONTEXT):
        window = torch.tensor(tokens[first:first + CONTEXT + 1].astype(np.int64))
        logits = model(window[None, :-1])[0].double()
        for row, label in zip(logits, window[1:]):
            if label != PADDING:
                total -= torch.log_softmax(row, 0)[label].item()
                count += 1
    return {"loss": total / count, "perplexity": math.exp(total / count), "total": count}


def main():
    torch.manual_seed(3)
    random = np.random.default_rng(4)
    train, test = stream(2001, random), stream(403, random)
    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    inputs, labels = (torch.tensor(part.astype(np.int64)) for part in (train[:-1], train[1:]))
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    torch.jit.save(torch.jit.script(model.eval()), HERE / "lm.pt")
    train.astype("<u2").tofile(HERE / "train.bin")
    np.save(HERE / "test.npy", test.astype(np.int32))
    (HERE / "expected.json").write_text(json.dumps(loss_of(model, test)) + "\n")


if __name__ == "__main__":
    main()
