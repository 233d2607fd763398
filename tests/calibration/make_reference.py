#!/usr/bin/env python3
"""Writes reference.json: ranges and errors that calibration_reference_test.cpp compares bitplan's calibrators with.

Shares no code with them: percentiles are numpy's, the others the best of a dense scan with errors computed value by value.
    python3 make_reference.py > reference.json
"""
import json

import numpy as np

WIDTHS = (2, 3, 4, 6, 8)


def sample(count, shift, zeros):
    """Cubes of uniform numbers, many small and few large; the same arithmetic as SampleValues in the test."""
    state, values = 12345, []
    for i in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        u = 2 * ((state + 0.5) / 2**32) - 1
        values.append(0.0 if i % 2 < zeros else u * u * u * 2 + shift)
    return np.array(values, dtype=np.float32).astype(np.float64)


def grid(bits, symmetric, narrow):
    if not symmetric:
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1


def squared_error(x, scale, zero_point, low, high):
    q = np.clip(np.round(x / scale) + zero_point, low, high)
    return np.mean((x - scale * (q - zero_point)) ** 2)


def divergence(x, scale, zero_point, low, high):
    """Migacz (GTC 2017) on 2,048 bins, exact zeros left out; needs as many bins inside as there are levels."""
    nonzero = x[x != 0]
    edges = np.linspace(x.min(), x.max(), 2049)
    counts, _ = np.histogram(nonzero, edges)
    centers = (edges[:-1] + edges[1:]) / 2
    centers, p = centers[counts > 0], counts[counts > 0] / len(nonzero)
    inside = (centers >= scale * (low - zero_point - 0.5)) & (centers < scale * (high - zero_point + 0.5))
    if inside.sum() < high - low + 1:
        return np.inf
    where = np.flatnonzero(inside)
    reference, candidate = p[inside].copy(), p[inside] / p[inside].sum()
    reference[0] += p[: where[0]].sum()
    reference[-1] += p[where[-1] + 1 :].sum()
    level = np.round(centers[inside] / scale)
    spread = np.empty_like(candidate)
    for each in np.unique(level):
        spread[level == each] = candidate[level == each].mean()
    return float(np.sum(reference * np.log(reference / spread)))


def candidates(x, low, high, symmetric, steps):
    least, most = min(x.min(), 0), max(x.max(), 0)
    if symmetric:
        full = max(most / high, least / low)
        return [(full * i / steps, 0) for i in range(steps // 50, steps + 1)]
    found = []
    for i in range(steps + 1):
        for j in range(steps + 1):
            a, b = least * i / steps, most * j / steps
            if b - a > 0.02 * (most - least):
                scale = (b - a) / high
                found.append((scale, int(np.clip(np.round(-a / scale), 0, high))))
    return sorted(set(found))


def percentile(x, percent, low, high, symmetric):
    if symmetric:
        m = np.percentile(np.abs(x), percent, method="inverted_cdf")
        return max(min(m, x.max()) / high, max(-m, x.min()) / low)
    tail = (100 - percent) / 2
    a = -np.percentile(-x, 100 - tail, method="inverted_cdf")
    b = np.percentile(x, 100 - tail, method="inverted_cdf")
    return [float(min(a, 0)), float(max(b, 0))]


def main():
    cases = []
    for count, shift, zeros in ((27, 0.0, 0), (144, 0.1, 0), (1152, 0.4, 0), (1152, 2.5, 1)):
        x = sample(count, shift, zeros)
        for symmetric, narrow in ((True, False), (True, True), (False, False)):
            for bits in WIDTHS:
                low, high = grid(bits, symmetric, narrow)
                errors = [
                    squared_error(x, s, z, low, high) for s, z in candidates(x, low, high, symmetric, 1000 if symmetric else 48)
                ]
                case = {"count": count, "shift": shift, "zeros": zeros, "bits": bits, "symmetric": symmetric, "narrow": narrow}
                case["least_squared_error"] = float(min(errors))
                case["percentiles"] = {str(p): percentile(x, p, low, high, symmetric) for p in (90, 99, 99.9, 100)}
                if count > 1000 and not narrow:
                    tried = candidates(x, low, high, symmetric, 300 if symmetric else 16)
                    kl = [divergence(x, s, z, low, high) for s, z in tried]
                    case["least_divergence"] = float(min(kl))
                    case["divergences"] = [[*tried[i], kl[i]] for i in range(0, len(tried), 37) if np.isfinite(kl[i])]
                cases.append(case)
    print(json.dumps({"made_by": "make_reference.py, numpy " + np.__version__, "cases": cases}, indent=1))


main()
