"""Writes a bitplan.problem/1 file of a kind that is hard for branch and bound, since bounds tell plans apart by little.

usage: make_hard_instance.py KIND GROUPS CHOICES SEED OUT.json [--budgets 1] [--noise 1e-3] [--tight 0.5]

Kinds, after Pisinger's (A minimal algorithm for the multiple-choice knapsack problem, 1995), as losses:
  subset-sum    losses are a constant less a multiple of the cost: the best plan is the one that leaves least of the budget
  proportional  the same, losses times 1 + NOISE * a normal deviate: all plans at the budget are nearly as good
  near-ties     groups with few sizes and equal losses, costs and losses times 1 + NOISE * a normal deviate, as if measured
  correlated    costs drawn, losses as a straight line of them and a tenth of the range at random, costs with noise
  fixed-gain    losses on the line, a tenth of the range less for the dearest choice, costs with noise: plans at the budget differ by how many
                groups take it
  even          costs of a few even numbers, with noise, losses on the line without, an odd budget: which no plan all but meets
Costs are whole numbers up to 10,000 but where they have noise. Budgets: TIGHT of the way from the cheapest plan to the dearest. Needs numpy only.
"""
import argparse
import json

import numpy as np

KINDS = ("subset-sum", "proportional", "near-ties", "correlated", "fixed-gain", "even")


def group_of(kind, choices, noise, names, rng, sizes):
    """Costs [choices, budgets] and losses [choices]."""
    if kind == "near-ties":
        bits = np.arange(1, choices + 1)
        costs = np.outer(bits * 1000.0, np.ones(len(names))) * rng.choice(sizes)
        losses = 4.0 ** -bits * 1e4
        return costs * (1 + noise * rng.normal(size=costs.shape)), losses * (1 + noise * rng.normal(size=choices))
    costs = np.sort(rng.integers(1, 10001, size=(choices, len(names))), axis=0).astype(float)
    if kind == "even":
        costs = 200 * np.ceil(costs / 200)
    line = 12000.0 - costs.mean(axis=1)
    if kind == "subset-sum":
        return costs, line
    if kind == "proportional":
        return costs, line * (1 + noise * rng.normal(size=choices))
    measured = costs * (1 + noise * rng.normal(size=costs.shape))
    if kind == "even":
        return measured, line
    if kind == "fixed-gain":
        line[-1] -= 1000
        return measured, line
    return measured, np.maximum(line + rng.uniform(-1000, 1000, choices), 0)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("kind", choices=KINDS)
    ap.add_argument("groups", type=int)
    ap.add_argument("choices", type=int)
    ap.add_argument("seed", type=int)
    ap.add_argument("out")
    ap.add_argument("--budgets", type=int, default=1)
    ap.add_argument("--noise", type=float, default=1e-3)
    ap.add_argument("--tight", type=float, default=0.5)
    a = ap.parse_args()
    rng = np.random.default_rng(a.seed)
    names = [f"cost{i}" for i in range(a.budgets)]
    sizes = rng.integers(1, 10, 3).astype(float)
    groups, low, high = [], np.zeros(a.budgets), np.zeros(a.budgets)
    for g in range(a.groups):
        costs, losses = group_of(a.kind, a.choices, a.noise, names, rng, sizes)
        low, high = low + costs.min(axis=0), high + costs.max(axis=0)
        groups.append({"name": f"layer{g}", "members": [f"layer{g}"],
                       "choices": [{"name": f"c{i}", "objective": float(loss), "costs": dict(zip(names, map(float, cost)))}
                                   for i, (cost, loss) in enumerate(zip(costs, losses))]})
    budgets = dict(zip(names, map(float, np.floor(low + a.tight * (high - low)))))
    name = f"hard-{a.kind}-{a.groups}x{a.choices}-{a.budgets}-{a.noise:g}-{a.tight:g}-{a.seed}"
    problem = {"schema": "bitplan.problem/1", "name": name, "objective": "synthetic loss", "groups": groups, "budgets": budgets}
    with open(a.out, "w", encoding="utf-8") as f:
        json.dump(problem, f)


if __name__ == "__main__":
    main()
