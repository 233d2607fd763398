"""Writes models/bert.scripted.pt and models/bert.traced.pt, which the tests of targets place quantizers in.

    python tests/target/make_models.py

An encoder as in BERT (Devlin et al., 2018), two layers: embeddings of tokens and positions, attention with a padding mask, residual
additions, GELU and layer norm. Weights are random. Input: token numbers and mask, int64 [N, 12]; output: [N, 12, 32].
"""

import io
import math
import pathlib
import zipfile
from typing import Final

import torch
from torch import nn
from torch.nn import functional as F

MODELS = pathlib.Path(__file__).parent / "models"
WIDTH, HEADS, LENGTH, TOKENS = 32, 4, 12, 50


class Attention(nn.Module):
    width: Final[int] = WIDTH
    heads: Final[int] = HEADS

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.dense = nn.Linear(WIDTH, WIDTH)

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, self.width // self.heads).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        scores = torch.matmul(self.split(self.query(x)), self.split(self.key(x)).transpose(-1, -2))
        weights = F.softmax(scores / math.sqrt(self.width // self.heads) + mask, dim=-1)
        mixed = torch.matmul(weights, self.split(self.value(x))).permute(0, 2, 1, 3).contiguous()
        return self.dense(mixed.view(x.size(0), x.size(1), self.width))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = Attention()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.intermediate, self.output = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x, mask):
        x = self.norm1(self.dropout(self.attention(x, mask)) + x)
        return self.norm2(self.dropout(self.output(F.gelu(self.intermediate(x)))) + x)


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(TOKENS, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.layer = nn.ModuleList(Layer() for _ in range(2))
        self.register_buffer("positions", torch.arange(LENGTH).unsqueeze(0))

    def forward(self, tokens, mask):
        x = self.norm(self.token(tokens) + self.position(self.positions))
        hidden = (1.0 - mask.unsqueeze(1).unsqueeze(2).to(torch.float32)) * -10000.0
        for layer in self.layer:
            x = layer(x, hidden)
        return x


def save(module: torch.jit.ScriptModule, path: pathlib.Path) -> None:
    """Without the debug records, which hold the paths of the machine that the file was made on."""
    written = io.BytesIO()
    torch.jit.save(module, written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                target.writestr(zipfile.ZipInfo(entry.filename), source.read(entry), zipfile.ZIP_DEFLATED, 9)


torch.manual_seed(0)
model = Bert().eval()
inputs = (torch.randint(TOKENS, (2, LENGTH)), torch.ones(2, LENGTH, dtype=torch.int64))
MODELS.mkdir(exist_ok=True)
save(torch.jit.script(model), MODELS / "bert.scripted.pt")
with torch.no_grad():
    save(torch.jit.trace(model, inputs), MODELS / "bert.traced.pt")
