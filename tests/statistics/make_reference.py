"""Writes the numbers that the tests of statistics compare with.

    python tests/statistics/make_reference.py

Needs NumPy and SciPy; nothing of bitplan takes part. The draws of the bootstrap are those of the C++ standard's mt19937_64,
here from its definition.
"""

import json
import pathlib

import numpy as np
from scipy import optimize, stats

HERE = pathlib.Path(__file__).parent


def pairs(random):
    """Name, x, y: without ties, with many, correlated either way, of very different sizes."""
    yield "two ascending", [1.0, 2.0], [3.0, 7.0]
    yield "two descending", [1.0, 2.0], [7.0, 3.0]
    yield "three with a tie", [1.0, 1.0, 2.0], [5.0, 6.0, 6.0]
    yield "signed zeros", [0.0, -0.0, 1.0, -1.0], [1.0, 2.0, 3.0, -0.0]
    for size in (5, 16, 33, 257):
        x = random.normal(size=size)
        yield f"normal {size}", x, x + random.normal(size=size)
        yield f"descending {size}", x, -np.exp(x) + 0.3 * random.normal(size=size)
        yield f"ties {size}", random.integers(0, 4, size).astype(float), random.integers(0, 6, size).astype(float)
        yield f"log-normal {size}", np.exp(30 * x), np.exp(30 * (x + random.normal(size=size)))


def correlations(random):
    for name, x, y in pairs(random):
        yield {
            "name": name,
            "x": list(x),
            "y": list(y),
            "spearman": stats.spearmanr(x, y).statistic,
            "kendall": stats.kendalltau(x, y, variant="b").statistic,
        }


def means(random):
    for values in (
        [1.0, 2.0],
        [3.0, 3.0, 3.0],
        1e9 + random.normal(size=50),
        np.exp(20 * random.normal(size=31)),
        random.uniform(size=1000),
    ):
        other = np.asarray(values) + 0.1 * random.normal(size=len(values))
        difference = np.asarray(values) - other
        yield {
            "values": list(values),
            "other": list(other),
            "mean": np.mean(values),
            "standard_error": stats.sem(values),
            "geometric_mean": stats.gmean(values),
            "difference": np.mean(difference),
            "difference_error": stats.sem(difference),
        }


def paule_mandel(y, s, m, fitted):
    def excess(tau_squared):
        return np.sum((y - m) ** 2 / (s**2 + tau_squared)) - (len(y) - fitted)

    if excess(0) <= 0:
        return 0.0
    return optimize.brentq(excess, 0, np.sum((y - m) ** 2), xtol=1e-300, rtol=1e-14, maxiter=1000)


def shrinkages(random):
    for size, spread, fitted in ((2, 1.0, 0), (8, 1.0, 0), (8, 0.0, 0), (40, 0.3, 1), (40, 30.0, 2), (200, 1e-3, 0)):
        s = np.exp(random.normal(size=size))
        m = random.normal(size=size)
        y = m + spread * random.normal(size=size) + s * random.normal(size=size)
        tau_squared = paule_mandel(y, s, m, fitted)
        weight = tau_squared / (tau_squared + s**2)
        yield {
            "estimates": list(y),
            "errors": list(s),
            "prior_means": list(m),
            "fitted": fitted,
            "prior_variance": tau_squared,
            "posterior": list(m + weight * (y - m)),
            "posterior_errors": list(np.sqrt(weight) * s),
        }


def mt19937_64(seed):
    """The generator of ISO C++ [rand.predef], from its parameters."""
    mask, size, shift = (1 << 64) - 1, 312, 156
    state = [seed]
    for i in range(1, size):
        state.append((6364136223846793005 * (state[-1] ^ state[-1] >> 62) + i) & mask)
    while True:
        for i in range(size):
            mixed = state[i] & (mask ^ 0x7FFFFFFF) | state[(i + 1) % size] & 0x7FFFFFFF
            state[i] = state[(i + shift) % size] ^ mixed >> 1 ^ (0xB5026F5AA96619E9 if mixed & 1 else 0)
        for value in state:
            value ^= value >> 29 & 0x5555555555555555
            value ^= value << 17 & 0x71D67FFFEDA60000
            value ^= value << 37 & 0xFFF7EEE000000000
            yield value ^ value >> 43


def bootstraps(random):
    for samples, resamples, seed in ((5, 20, 0), (12, 50, 7), (30, 200, 2**63 + 5)):
        values = random.normal(size=samples)
        generator = mt19937_64(seed)
        draws = [[next(generator) % samples for _ in range(samples)] for _ in range(resamples)]
        replicates = values[np.array(draws)].mean(axis=1)
        yield {
            "values": list(values),
            "resamples": resamples,
            "seed": seed,
            "first_counts": np.bincount(draws[0], minlength=samples).tolist(),
            "replicates": list(replicates),
            "standard_error": np.std(replicates, ddof=1),
            "percentiles": list(np.quantile(replicates, [0.05, 0.95])),
        }


def main():
    generator = mt19937_64(5489)
    draws = [next(generator) for _ in range(10000)]
    assert draws[-1] == 9981545732273789042  # [rand.predef] asks for it
    random = np.random.default_rng(1)
    reference = {
        "correlations": list(correlations(random)),
        "means": list(means(random)),
        "shrinkages": list(shrinkages(random)),
        "bootstraps": list(bootstraps(random)),
    }
    (HERE / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
