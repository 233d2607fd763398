"""Runs what test_exporters exported in plain PyTorch, and compares with what bitplan computed. Argument: the folder."""

import json
import pathlib
import sys

import torch


def tensor(entry: dict) -> torch.Tensor:
    dtype = {"Float": torch.float32, "Double": torch.float32, "Half": torch.float32, "BFloat16": torch.float32,
             "Long": torch.int64, "Bool": torch.bool}[entry["dtype"]]
    return torch.tensor(entry["values"], dtype=torch.float64).view(entry["shape"]).to(dtype)


def main() -> None:
    cases = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    assert len(cases) >= 100, f"only {len(cases)} exported models in {sys.argv[1]}"
    for case in cases:
        expected = json.loads(case.read_text())
        module = torch.jit.load(case.with_suffix(".pt"))
        for _ in range(2):
            output = module(*[tensor(entry) for entry in expected["inputs"]])
            assert torch.equal(output, tensor(expected["output"])), case.stem
    print(f"{len(cases)} models give the same output")


main()
