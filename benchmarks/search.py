"""Times bitplan's search beside HiGHS, CBC and SCIP on the same problems, the same relative gap and two threads (bitplan: one).

usage: search.py BENCH_SEARCH [--limit SECONDS] [--gap 1e-6] [--groups 20,53,150,500,2000] [--seeds 1,2,3,4,5]
                 [--tied-groups 20,60,210,600,2000] [--tied-budgets 1,2,3,4] [--ties 0,1e-6,1e-3,1e-2] [--hard-seeds 1,2,3] [--joint]
(see search.sh)

Problems: those of make_instance.py (spread out), those of make_tied_instance.py (repeated sizes, near ties; of each combination one, of shapes,
objectives and exact or measured latencies by turns), those of make_hard_instance.py (plans that all but equal each other), and the real ones
under tests/search/instances.

The others read the LP file that bitplan writes, which is scaled; reading is not timed, but for CBC, which is a program of its own. A solver that is stopped by the limit counts
with the limit, so that ratios are at least what is printed. --joint: the generated problems with a quadratic joint term, beside SCIP.
"""
import argparse
import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def highs(lp, gap, limit):
    import highspy
    h = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 2), ("mip_rel_gap", gap), ("mip_abs_gap", 0.0), ("time_limit", limit)):
        h.setOptionValue(option, value)
    h.readModel(lp)
    start = time.perf_counter()
    h.run()
    return time.perf_counter() - start, h.getInfo().objective_function_value


def scip(lp, gap, limit):
    import pyscipopt
    m = pyscipopt.Model()
    m.hideOutput()
    m.readProblem(lp)
    m.setParams({"limits/gap": gap, "limits/time": limit, "parallel/maxnthreads": 2})
    start = time.perf_counter()
    m.optimize()
    return time.perf_counter() - start, m.getObjVal() if m.getNSols() else math.nan


def cbc(lp, gap, limit):
    import pulp
    with tempfile.TemporaryDirectory() as folder:
        answer = os.path.join(folder, "answer")
        start = time.perf_counter()
        subprocess.run([pulp.apis.PULP_CBC_CMD().path, lp, "ratioGap", str(gap), "allowableGap", "0", "threads", "2",
                        "timeMode", "elapsed", "seconds", str(limit), "solve", "solu", answer], stdout=subprocess.DEVNULL, check=True)
        seconds = time.perf_counter() - start
        with open(answer, encoding="utf-8") as f:
            found = re.search(r"objective value\s+(\S+)", f.readline())
        return seconds, float(found.group(1)) if found else math.nan


SOLVERS = {"highs": highs, "cbc": cbc, "scip": scip}


def solve_in_a_process_of_its_own(solver, lp, gap, limit):
    """Seconds and objective, in the problem's own unit."""
    try:
        out = subprocess.run([sys.executable, __file__, "--solver", solver, lp, str(gap), str(limit)], stdout=subprocess.PIPE, text=True,
                             timeout=limit + 60, check=True)
    except subprocess.TimeoutExpired:
        return limit, math.nan
    seconds, objective = json.loads(out.stdout.splitlines()[-1])  # what comes before is the solver's own
    with open(lp, encoding="utf-8") as f:
        factor = next(float(line.split()[-1]) for line in f if "multiplied by" in line)
    return seconds, objective / factor


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def compare(bench, arguments, solvers, a):
    """Prints a row a problem; returns the ratios of each solver's time to bitplan's."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        out = subprocess.run([bench, "--gap", str(a.gap), "--limit", str(a.limit), "--write-lp", folder, *arguments], check=True,
                             capture_output=True, text=True)
        lines = [re.match(r"(.+?) +(\d+) +(\S+) +(\S+) +(\S+) +(\S+) +(\d+) +(\d+) (\w+)", line)
                 for line in out.stdout.splitlines()[1:]]
        files = sorted(glob.glob(os.path.join(folder, "*.lp")), key=lambda f: int(os.path.basename(f)[:-3]))
        for line, lp in zip([l for l in lines if "divergence" not in l.group(1)], files):
            own, objective = max(float(line.group(3)), 1e-6), float(line.group(4))
            row = f"{line.group(1):<48} {own:>10.6f} s gap {float(line.group(6)):<8.2g} {line.group(8):>4} MiB"
            ratios = {}
            for solver in solvers:
                seconds, found = solve_in_a_process_of_its_own(solver, lp, a.gap, a.limit)
                ratios[solver] = seconds / own
                worse = (found - objective) / abs(objective)
                row += f" | {solver} {'>' if seconds >= a.limit else ''}{seconds:.3f} s = {ratios[solver]:.1f}x, {100 * worse:+.4f}%"
            print(row, flush=True)
            rows.append(ratios)
    return rows


def listed(text):
    return [item for item in text.split(",") if item]


def tied_problems(a):
    problems = []
    for groups in listed(a.tied_groups):
        for budgets in listed(a.tied_budgets):
            for tie in listed(a.ties):
                turn = len(problems)
                shapes, objective = ("transformer", "repeated")[turn // 2 % 2], ("relative", "absolute")[turn % 2]
                problems.append(("make_tied_instance.py", groups, str(turn), "--budgets", budgets, "--tie", tie, "--shapes", shapes,
                                 "--objective", objective, "--noise", ("0", "1e-6", "0.02")[turn % 3]))
    return problems


HARD = (("subset-sum", "217", "2", "0.5"), ("near-ties", "46", "3", "0.5"), ("proportional", "13", "12", "0.5"), ("proportional", "60", "6", "0.25"),
        ("correlated", "86", "4", "0.5"), ("fixed-gain", "150", "4", "0.75"), ("fixed-gain", "400", "3", "0.25"), ("even", "217", "3", "0.5"),
        ("even", "13", "12", "0.95"))


def hard_problems(a):
    """Of every kind, each seed with a noise of its own."""
    noises = ("1e-3", "1e-4", "1e-2")
    problems = [("make_hard_instance.py", kind, groups, choices, seed, "--tight", tight, "--noise", noises[i % len(noises)])
                for kind, groups, choices, tight in HARD for i, seed in enumerate(listed(a.hard_seeds))]
    return problems + [("make_tied_instance.py", "60", seed, "--budgets", "2", "--tie", "1e-6", "--noise", "0.01") for seed in listed(a.hard_seeds)]


def compare_generated(problems, a):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        problem = os.path.join(folder, "problem.json")
        for generator, *arguments in problems:
            options = next((i for i, x in enumerate(arguments) if x.startswith("--")), len(arguments))
            subprocess.run([sys.executable, os.path.join(HERE, generator), *arguments[:options], problem, *arguments[options:]], check=True)
            rows += compare(a.bench, [problem], list(SOLVERS), a)
    return rows


def summarize(what, rows):
    if not rows:
        return
    for solver in SOLVERS:
        print(f"{what}: {solver}: geometric mean {geometric_mean([row[solver] for row in rows]):.1f}x, least {min(row[solver] for row in rows):.2f}x")
    best = [min(row["highs"], row["cbc"]) for row in rows]
    print(f"{what}: better of HiGHS and CBC: geometric mean {geometric_mean(best):.1f}x, least {min(best):.2f}x over {len(best)} problems\n", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("bench")
    ap.add_argument("--limit", type=float, default=60)
    ap.add_argument("--gap", type=float, default=1e-6)
    ap.add_argument("--seeds", default="1,2,3,4,5")
    ap.add_argument("--joint", action="store_true")
    ap.add_argument("--groups", default="20,53,150,500,2000")
    ap.add_argument("--tied-groups", default="20,60,210,600,2000")
    ap.add_argument("--tied-budgets", default="1,2,3,4")
    ap.add_argument("--ties", default="0,1e-6,1e-3,1e-2")
    ap.add_argument("--hard-seeds", default="1,2,3")
    a = ap.parse_args()
    if a.joint:
        compare(a.bench, ["--only", "squared shift"], ["scip"], a)
        return
    spread = [("make_instance.py", groups, seed) for groups in listed(a.groups) for seed in listed(a.seeds)]
    summarize("spread-out problems", compare_generated(spread, a))
    summarize("tied problems", compare_generated(tied_problems(a), a))
    summarize("hard problems", compare_generated(hard_problems(a), a))
    summarize("real problems", compare(a.bench, sorted(glob.glob(os.path.join(HERE, "../tests/search/instances/*.json"))), list(SOLVERS), a))


if __name__ == "__main__":
    if sys.argv[1] == "--solver":
        print(json.dumps(SOLVERS[sys.argv[2]](sys.argv[3], float(sys.argv[4]), float(sys.argv[5]))))
    else:
        main()
