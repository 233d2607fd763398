"""Modules that keep state: attributes they set, and buffers they write to. Every run starts from the saved state."""

from typing import Dict, List, Optional

import torch
from torch import nn

from .case import Case, linear


class SetsAttribute(nn.Module):
    """Adds what it saw in the last call, and keeps what it sees in this one."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.state = torch.randn(3)

    def forward(self, x):
        y = self.fc(x) + self.state
        self.state = y.mean(0)
        return y * self.state


class SetsInBranch(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.state = torch.ones(3)
        self.calls = 3

    def forward(self, x):
        if bool(x.abs().sum() > 0.1):
            self.state = self.state + self.fc(x).mean(0)
            self.calls += 1
        else:
            self.calls = 0
        return x * self.state * self.calls


class SetsInLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.hidden = torch.zeros(1, 3)
        self.step = 0

    def forward(self, x):
        for t in range(x.shape[1]):
            self.hidden = torch.tanh(self.fc(x[:, t]) + self.hidden)
            if t % 2 == 1:
                self.step += t
        return self.hidden + self.step


class OptionalState(nn.Module):
    """A state that is made at the first call."""

    hidden: Optional[torch.Tensor]

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.hidden = None

    def forward(self, x):
        hidden = self.hidden
        if hidden is None:
            hidden = torch.zeros(x.shape[0], 3, dtype=x.dtype)
        hidden = torch.tanh(self.fc(x) + hidden)
        self.hidden = hidden
        return hidden


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 3)
        self.register_buffer("h", torch.randn(2, 3))

    def forward(self, x):
        self.h = torch.tanh(self.fc(torch.cat([x, self.h], 1)))
        return self.h


class StateOfSubmodule(nn.Module):
    """Calls a module with state twice, and reads the state from outside."""

    def __init__(self):
        super().__init__()
        self.cell = Cell()
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        y = self.cell(x)
        y = self.cell(y.flip(0))
        return self.head(x + y + self.cell.h)


class WritesBuffers(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.register_buffer("count", torch.tensor(2.0))
        self.register_buffer("last", torch.randn(3))
        self.register_buffer("table", torch.zeros(4, 3))

    def forward(self, x):
        y = self.fc(x) + self.last
        self.count.add_(1)
        self.last.copy_(y.mean(0))
        self.table[1] += self.last
        self.table[2:] = self.count
        return y + self.last * self.count + self.table.sum(0)


class GrowsList(nn.Module):
    """Keeps what it saw in a list and in a dict, which are not set but changed."""

    seen: List[torch.Tensor]
    table: Dict[str, torch.Tensor]

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.seen = []
        self.table = {}
        self.counts = [1, 0]

    def forward(self, x):
        self.seen.append(self.fc(x))
        self.counts[0] += 1
        if "sum" in self.table:
            x = x + self.table["sum"]
        self.table["sum"] = x
        return torch.stack(self.seen).sum(0) * len(self.seen) * self.counts[0] + x


class KeepsCache(nn.Module):
    """A list attribute that already holds tensors, one of which is replaced."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.cache = [torch.randn(3), torch.randn(3)]

    def forward(self, x):
        y = self.fc(x) + self.cache[0] + self.cache[1]
        self.cache[0] = y.mean(0)
        self.cache[1].mul_(2.0)
        return y * self.cache[0] + self.cache[1]


def cases():
    x = torch.randn(2, 3)
    scripted = ("scripted",)
    yield Case("sets_attribute", SetsAttribute(), [x], kinds=scripted + ("frozen",))
    yield Case("sets_in_branch", SetsInBranch(), [x], kinds=scripted)
    yield Case("sets_in_loop", SetsInLoop(), [torch.randn(2, 4, 3)], kinds=scripted)
    yield Case("optional_state", OptionalState(), [x], kinds=scripted)
    yield Case("state_of_submodule", StateOfSubmodule(), [x], kinds=scripted, batch_first=False,
               layers=[linear("cell.fc", 3, 6, 4), linear("head", 2, 3, 2)])
    yield Case("writes_buffers", WritesBuffers(), [x], kinds=("scripted", "traced", "frozen"))
    yield Case("grows_list", GrowsList(), [x], kinds=scripted)
    yield Case("keeps_cache", KeepsCache(), [x], kinds=scripted)
