#!/usr/bin/env python3
"""Writes moments_reference.json: ranges of the calibrators that follow from moments and extremes, for moment_clip_test.cpp.

Shares no code with them: expected errors are minimized by numerical integration and a dense scan, averages are weighted sums.
    python3 make_moments_reference.py > moments_reference.json
"""
import json
import math

import numpy as np


def sample(count, shift, zeros):
    """As make_reference.py."""
    state, values = 12345, []
    for i in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        u = 2 * ((state + 0.5) / 2**32) - 1
        values.append(0.0 if i % 2 < zeros else u * u * u * 2 + shift)
    return np.array(values, dtype=np.float32).astype(np.float64)


def best_clip(density, bits):
    """The alpha with the least expected squared error of clipping to +-alpha (integrated numerically) and rounding uniformly to
    2^bits intervals (Banner et al. 2019, equations 4 to 6)."""
    x = np.linspace(0, 60, 600001)
    p = density(x)
    step = x[1] - x[0]
    # Integrals from alpha to infinity of (x - alpha)^2 p, from cumulative moments.
    tail = [np.flip(np.cumsum(np.flip(p * x**k))) * step for k in range(3)]
    clipping = 2 * (tail[2] - 2 * x * tail[1] + x * x * tail[0])
    rounding = x * x / (3 * 4.0**bits)
    return float(x[np.argmin(clipping + rounding)])


def laplace(x):
    return np.exp(-x) / 2


def gauss(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def main():
    clips = [{"bits": b, "laplace": best_clip(laplace, b), "gauss": best_clip(gauss, b)} for b in range(2, 10)]
    ratios = {c["bits"]: c for c in clips}
    cases = []
    for count, shift, zeros in ((144, 0.1, 0), (1152, 0.4, 0), (1152, 2.5, 1)):
        x = sample(count, shift, zeros)
        low, high = min(x.min(), 0), max(x.max(), 0)
        inside = lambda a, b: [max(a, low), min(b, high)]
        case = {"count": count, "shift": shift, "zeros": zeros}
        case["deviations"] = {n: inside(x.mean() - n * x.std(), x.mean() + n * x.std()) for n in (1, 2.5)}
        case["analytic"] = {}
        for bits in (3, 4, 8):
            half = x.min() >= 0
            kept = x[x > 0] if half else x
            center = 0.0 if half else x.mean()
            ratio = ratios[bits + 1 if half else bits]
            spread = np.abs(kept - center).mean()
            deviation = math.sqrt(((kept - center) ** 2).mean())
            case["analytic"][bits] = {
                "laplace": inside(center - ratio["laplace"] * spread, center + ratio["laplace"] * spread),
                "gauss": inside(center - ratio["gauss"] * deviation, center + ratio["gauss"] * deviation),
            }
        batches = np.array_split(x, 7)
        weights = np.array([0.9 ** (6 - k) for k in range(7)])
        weights /= weights.sum()
        case["batches"] = [len(b) for b in batches]
        case["average"] = [float(np.mean([b.min() for b in batches])), float(np.mean([b.max() for b in batches]))]
        case["moving"] = [float(weights @ [b.min() for b in batches]), float(weights @ [b.max() for b in batches])]
        cases.append(case)
    print(json.dumps({"made_by": "make_moments_reference.py, numpy " + np.__version__, "clips": clips, "cases": cases}, indent=1))


main()
