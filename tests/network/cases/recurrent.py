"""Recurrent networks: fused, cell by cell, and with their own loops."""

import torch
from torch import nn

from .case import Case, Layer, embedding, linear


class Recurrent(nn.Module):
    def __init__(self, rnn: nn.Module, width: int):
        super().__init__()
        self.rnn = rnn
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.head(y)


class LastState(nn.Module):
    """Reads the state after the last step and starts from a state of its own."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 3)
        self.start = nn.Parameter(torch.randn(1, 1, 4))
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, tokens):
        _, state = self.rnn(self.embedding(tokens), self.start.repeat(1, tokens.shape[0], 1))
        return self.head(state[0])


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.rnn(packed)
        return self.head(hidden[0])


class LstmCells(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        h = torch.ones(x.shape[0], 4, dtype=x.dtype)
        c = torch.ones(x.shape[0], 4, dtype=x.dtype)
        for t in range(x.shape[1]):
            h, c = self.cell(x[:, t], (h, c))
        return self.head(h)


class GruCells(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    def forward(self, x):
        h = torch.ones(x.shape[0], 4, dtype=x.dtype)
        states: list[torch.Tensor] = []
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
            states.append(h)
        return torch.stack(states, 1)


class OwnCell(nn.Module):
    """A recurrent cell of two linear layers in a loop of the forward."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(7, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        h = torch.zeros(x.shape[0], 4, dtype=x.dtype)
        for t in range(x.shape[1]):
            h = torch.tanh(self.hidden(torch.cat([x[:, t], h], 1)))
        return self.head(h)


def rnn_layers(op, steps, cells, hidden, gates, inputs):
    """Layers of an RNN module: `cells` are the suffixes of one layer each, `inputs` the widths that they read."""
    layers = []
    for cell, width in zip(cells, inputs):
        layers.append(Layer(f"rnn.weight_ih_{cell}", op, [gates * hidden, width], steps * gates * hidden * width))
        layers.append(Layer(f"rnn.weight_hh_{cell}", op, [gates * hidden, hidden], steps * gates * hidden * hidden))
    return layers


def cases():
    x = torch.randn(2, 5, 3)
    everything = ("scripted", "traced", "frozen", "frozen_traced")
    yield Case("lstm", Recurrent(nn.LSTM(3, 4, batch_first=True), 4), [x], kinds=everything,
               layers=rnn_layers("lstm", 5, ["l0"], 4, 4, [3]) + [linear("head", 3, 4, 5)])
    yield Case("lstm_bidirectional", Recurrent(nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), 8), [x],
               layers=rnn_layers("lstm", 5, ["l0", "l0_reverse", "l1", "l1_reverse"], 4, 4, [3, 3, 8, 8])
               + [linear("head", 3, 8, 5)], tied=[["rnn.weight_ih_l0", "rnn.weight_ih_l0_reverse"]])
    yield Case("lstm_projected", Recurrent(nn.LSTM(3, 4, proj_size=2, batch_first=True), 2), [x],
               layers=[Layer("rnn.weight_ih_l0", "lstm", [16, 3], 5 * 48), Layer("rnn.weight_hh_l0", "lstm", [16, 2], 5 * 32),
                       Layer("rnn.weight_hr_l0", "lstm", [2, 4], 5 * 8), linear("head", 3, 2, 5)])
    yield Case("lstm_steps_first", Recurrent(nn.LSTM(3, 4, bias=False), 4), [torch.randn(5, 2, 3)], batch_first=False,
               layers=rnn_layers("lstm", 10, ["l0"], 4, 4, [3]) + [linear("head", 3, 4, 10)])
    yield Case("gru", Recurrent(nn.GRU(3, 4, 2, batch_first=True), 4), [x], kinds=everything,
               layers=rnn_layers("gru", 5, ["l0", "l1"], 4, 3, [3, 4]) + [linear("head", 3, 4, 5)])
    yield Case("rnn_tanh", Recurrent(nn.RNN(3, 4, batch_first=True), 4), [x],
               layers=rnn_layers("rnn_tanh", 5, ["l0"], 4, 1, [3]) + [linear("head", 3, 4, 5)])
    yield Case("gru_last_state", LastState(), [torch.randint(0, 7, (2, 5))],
               layers=[embedding("embedding", 7, 3)] + rnn_layers("gru", 5, ["l0"], 4, 3, [3]) + [linear("head", 2, 4, 1)])
    yield Case("lstm_packed", Packed(), [torch.randn(3, 5, 3), torch.tensor([5, 2, 4])], kinds=("scripted",),
               layers=rnn_layers("lstm", 5, ["l0"], 4, 4, [3]) + [linear("head", 2, 4, 1)])
    yield Case("lstm_cells", LstmCells(), [x], kinds=("scripted", "frozen"),
               layers=[Layer("cell.weight_ih", "lstm", [16, 3], 5 * 48), Layer("cell.weight_hh", "lstm", [16, 4], 5 * 64),
                       linear("head", 2, 4, 1)])
    yield Case("lstm_cells_traced", LstmCells(), [x], kinds=("traced",),  # tracing takes a cell apart
               layers=[linear("cell.weight_hh", 16, 4, 5), linear("cell.weight_ih", 16, 3, 5), linear("head", 2, 4, 1)])
    yield Case("gru_cells", GruCells(), [x], kinds=("scripted",),
               layers=[Layer("cell.weight_ih", "gru", [12, 3], 5 * 36), Layer("cell.weight_hh", "gru", [12, 4], 5 * 48)])
    yield Case("gru_cells_traced", GruCells(), [x], kinds=("traced",),
               layers=[linear("cell.weight_ih", 12, 3, 5), linear("cell.weight_hh", 12, 4, 5)])
    yield Case("own_cell", OwnCell(), [x], layers=[linear("hidden", 4, 7, 5), linear("head", 2, 4, 1)],
               kinds=("scripted", "traced", "frozen"))
