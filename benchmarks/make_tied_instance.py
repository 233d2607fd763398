"""Writes a bitplan.problem/1 file of near ties and symmetry: few sizes, repeated, and figures that all but follow from them.

usage: make_tied_instance.py GROUPS SEED OUT.json [--budgets 1] [--tie 1e-3] [--shapes transformer|repeated] [--objective relative|absolute]
                             [--tight 0.25] [--noise 0]

Sizes are those of a transformer's blocks (of five real ones, by seed), or a few drawn ones, repeated. A choice's objective is the
quantizer's squared error at its widths (about 4^-bits), the same for all groups (relative) or in proportion to their sizes (absolute), times
1 + TIE * a normal deviate: 0 makes groups of one size equal. Budgets, the first of: size, operations (weight bits times input bits), latency
(a roofline), energy; with more than one the inputs have widths, too, and the last one's costs are as if measured: times 1 + NOISE * a normal
deviate. Needs numpy only.
"""
import argparse
import json

import numpy as np

# Outputs and inputs of the linear layers of one block, in order of execution.
BLOCKS = {
    "smollm2-135m": [(576, 576), (192, 576), (192, 576), (576, 576), (1536, 576), (1536, 576), (576, 1536)],
    "gpt2": [(2304, 768), (768, 768), (3072, 768), (768, 3072)],
    "bert-base": [(768, 768), (768, 768), (768, 768), (768, 768), (3072, 768), (768, 3072)],
    "llama-3.2-1b": [(2048, 2048), (512, 2048), (512, 2048), (2048, 2048), (8192, 2048), (8192, 2048), (2048, 8192)],
    "qwen2.5-0.5b": [(896, 896), (128, 896), (128, 896), (896, 896), (4864, 896), (4864, 896), (896, 4864)],
}
WEIGHT_BITS = [2, 3, 4, 5, 6, 8]
INPUT_BITS = [4, 6, 8]
TOKENS = 128


def shapes_of(kind, groups, rng):
    if kind == "transformer":
        block = BLOCKS[sorted(BLOCKS)[rng.integers(len(BLOCKS))]]
        return [block[g % len(block)] for g in range(groups)]
    drawn = [(int(64 * rng.integers(1, 33)), int(64 * rng.integers(1, 33))) for _ in range(rng.integers(1, 5))]
    return [drawn[rng.integers(len(drawn))] for _ in range(groups)]


def costs_of(outputs, inputs, w, a):
    weights = outputs * inputs
    macs = weights * TOKENS
    moved = weights * w / 8 + TOKENS * (outputs + inputs) * a / 8
    return {
        "size_bytes": weights * w / 8,
        "bops": float(macs) * w * a,
        "latency_ms": 1e3 * max(macs * max(w, a) / 8 / 2e12, moved / 5e10),
        "energy_uj": macs * (0.02 * w * a / 64 + 0.01) * 1e-6 + moved * 2e-5,
    }


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("groups", type=int)
    ap.add_argument("seed", type=int)
    ap.add_argument("out")
    ap.add_argument("--budgets", type=int, choices=[1, 2, 3, 4], default=1)
    ap.add_argument("--tie", type=float, default=1e-3)
    ap.add_argument("--shapes", choices=["transformer", "repeated"], default="transformer")
    ap.add_argument("--objective", choices=["relative", "absolute"], default="relative")
    ap.add_argument("--tight", type=float, default=0.25, help="how far the budgets are from the cheapest plan to the dearest")
    ap.add_argument("--noise", type=float, default=0, help="of the last budget's costs where there are several")
    a = ap.parse_args()
    rng = np.random.default_rng(a.seed)
    shapes = shapes_of(a.shapes, a.groups, rng)
    largest = max(o * i for o, i in shapes)
    input_bits = INPUT_BITS if a.budgets > 1 else [16]
    names = ["size_bytes", "bops", "latency_ms", "energy_uj"][: a.budgets]
    # A quantizer's squared error at each width: nearly a quarter of it a bit, as measured ones are.
    weight_error = [4.0 ** (2 - w) * rng.uniform(0.9, 1.1) for w in WEIGHT_BITS]
    input_error = [0.3 * 4.0 ** (2 - x) * rng.uniform(0.9, 1.1) for x in input_bits]
    groups, low, high = [], dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for g, (outputs, inputs) in enumerate(shapes):
        scale = outputs * inputs / largest if a.objective == "absolute" else 1.0
        weight_figures = [e * scale * (1 + a.tie * rng.normal()) for e in weight_error]
        input_figures = [e * scale * (1 + a.tie * rng.normal()) for e in input_error]
        choices = []
        for w, of_weight in zip(WEIGHT_BITS, weight_figures):
            for x, of_input in zip(input_bits, input_figures):
                costs = costs_of(outputs, inputs, w, x)
                if a.budgets > 1:
                    costs[names[-1]] *= 1 + a.noise * rng.normal()
                choices.append({"name": f"w{w}a{x}", "objective": of_weight + (of_input if a.budgets > 1 else 0.0),
                                "costs": {n: costs[n] for n in names}})
        for n in names:
            low[n] += min(c["costs"][n] for c in choices)
            high[n] += max(c["costs"][n] for c in choices)
        groups.append({"name": f"layer{g}", "members": [f"layer{g}"], "choices": choices})
    budgets = {n: low[n] + a.tight * (high[n] - low[n]) for n in names}
    for n in names[1:]:  # joint budgets that are tight each on its own leave no plan: the widths share them
        budgets[n] = low[n] + a.tight * rng.uniform(0.8, 1.2) * (high[n] - low[n])
    name = f"tied-{a.shapes}-{a.objective}-{a.groups}x{len(WEIGHT_BITS) * len(input_bits)}-{a.budgets}-{a.tie:g}{f'-noise{a.noise:g}' if a.noise else ''}-{a.seed}"
    problem = {"schema": "bitplan.problem/1", "name": name, "objective": "synthetic squared error", "groups": groups, "budgets": budgets}
    with open(a.out, "w", encoding="utf-8") as f:
        json.dump(problem, f)


if __name__ == "__main__":
    main()
