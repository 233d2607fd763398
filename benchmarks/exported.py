"""Archives of torch.export of networks that people have, against PyTorch: largest difference of the output, relative to its
largest value, and the names of the layers. usage: exported.py BITPLAN FOLDER [NAME ...], with torchvision and transformers."""

import json
import pathlib
import subprocess
import sys
import warnings

import torch
import torchvision
import transformers

from networks import first_tensor, layer_names, make, networks

warnings.filterwarnings("ignore")
def check(tool, folder, network, archive, samples):
    """The largest relative difference, and layers that are not called as their modules are."""
    quantized, inspected = folder / "float.pt", folder / "inspected.json"
    options = ["--output", "0"] if isinstance(network(samples), dict) else []
    subprocess.run([tool, "quantize", archive, "--weight-bits", "32", "--activation-bits", "32", "--output-correction", "none",
                    "--memory", "8GiB", "--out", quantized, *options], check=True, capture_output=True, text=True)
    shape = ",".join(str(size) for size in samples.shape[1:])
    subprocess.run([tool, "inspect", archive, "--input", shape if samples.is_floating_point() else shape + ":int64",
                    "--memory", "8GiB", "--json", inspected, *options], check=True, capture_output=True, text=True)
    expected, given = first_tensor(network(samples)), first_tensor(torch.jit.load(quantized)(samples))
    names = {layer["name"] for layer in json.loads(inspected.read_text())["layers"]}
    return float((given - expected).abs().max() / expected.abs().max()), names


@torch.no_grad()
def main():
    tool, folder, wanted = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    worst, archives, failed = 0.0, 0, []
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, transformers {transformers.__version__}")
    print(f"{'network':30} {'plain':>8} {'decomposed':>10}  layers called as modules")
    for name, (maker, samples) in networks().items():
        if wanted and name not in wanted:
            continue
        network = make(maker)
        program = torch.export.export(network, (samples(2),), dynamic_shapes=({0: torch.export.Dim.AUTO},))
        row, modules = [], layer_names(network)
        for form in (program, program.run_decompositions()):
            torch.export.save(form, folder / "network.pt2")
            try:
                difference, names = check(tool, folder, network, folder / "network.pt2", samples(3))
            except subprocess.CalledProcessError as error:
                failed.append(f"{name}: {error.stderr.strip()}")
                row += ["failed", "-"]
                continue
            worst, archives = max(worst, difference), archives + 1
            row += [f"{difference:.1e}", f"{len(modules & names)}/{len(modules)}"]
        print(f"{name:30} {row[0]:>8} {row[2]:>10}  {row[1]} {row[3]}", flush=True)
    print(f"{archives} archives, largest difference {worst:.1e}")
    print("\n".join(failed))
    sys.exit(bool(failed) or worst > 1e-5)


main()
