"""Top eigenvalue of every layer: bench_curvature beside PyHessian 0.1, driven layer by layer, on the same images, to the same
tolerance, with two threads.

    python benchmarks/curvature.py BENCH_CURVATURE PYHESSIAN_FOLDER IMAGES      the bundled ResNet-20
    python benchmarks/curvature.py BENCH_CURVATURE PYHESSIAN_FOLDER resnet50    a network of ResNet-50's size, 8 images
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "hessian"), sys.argv[2]]

import numpy as np
import resnet50
import torch
from make_reference import CIFAR, ResNet20, cifar_images, fold_batch_norm
from pyhessian import hessian

TOLERANCE = 1e-3
PRECISIONS = ["float32", "bfloat16"]


def of_bitplan(model, data, images, rows, compute, memory):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "result.json"
        command = [sys.argv[1], model, data, images, TOLERANCE, rows, file, compute, memory]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        return json.loads(file.read_text())


def of_pyhessian(model, inputs, labels, layers=None):
    """By layer: the eigenvalue and the seconds that it took."""
    result = {}
    for name, weight in model.named_parameters():
        if not name.endswith("weight") or (layers and name.removesuffix(".weight") not in layers):
            continue
        for other in model.parameters():
            other.requires_grad_(other is weight)
            other.grad = None
        start = time.perf_counter()
        computer = hessian(model, torch.nn.functional.cross_entropy, data=(inputs, labels), cuda=False)
        value = computer.eigenvalues(tol=TOLERANCE)[0][0]
        result[name.removesuffix(".weight")] = (value, time.perf_counter() - start)
    return result


def report(ours, theirs, seconds, what):
    print(f"{'layer':18} {'PyHessian':>12}" + "".join(f" {'bitplan ' + name:>17} {'difference':>11}" for name in ours))
    for layer, (value, _) in theirs.items():
        print(f"{layer:18} {value:12.6g}" + "".join(f" {o[layer]:17.6g} {abs(o[layer] / value - 1):11.1e}" for o in ours.values()))
    for name, o in ours.items():
        print(f"{what}, tolerance {TOLERANCE}: PyHessian {seconds:.2f} s, bitplan {name} {o['seconds']:.2f} s (passes {o['passes']:.2f} s): "
              f"{seconds / o['seconds']:.1f} times as fast", flush=True)


def compare_resnet20(images):
    inputs, labels = cifar_images(images)
    model = ResNet20()
    model.load_state_dict(torch.jit.load(str(CIFAR / "resnet20.pt")).state_dict())
    model.eval()
    fold_batch_norm(model)
    ours = {name: of_bitplan(CIFAR / "resnet20.pt", f"cifar10:{CIFAR}/train.bin", images, 0, name, 2 << 30) for name in PRECISIONS}
    theirs = of_pyhessian(model, inputs.float(), labels)
    report(ours, theirs, sum(spent for _, spent in theirs.values()), f"ResNet-20, {images} images")


def compare_resnet50(rows_of_sample, images=8, memory=4 << 30):
    layers = ["blocks.0.conv2", "blocks.7.conv2", "blocks.15.conv2"]
    inputs = torch.randn(images, 3, 224, 224)
    model = resnet50.random_resnet50(inputs)
    with torch.no_grad():
        labels = model(inputs).softmax(1).multinomial(1)[:, 0]
    ours = {}
    with tempfile.TemporaryDirectory() as folder:
        torch.jit.script(model).save(folder + "/model.pt")
        np.savez(folder + "/data.npz", x=inputs.numpy(), labels=labels.numpy())
        for rows in rows_of_sample:
            for name in PRECISIONS:
                ours[f"{name}/{rows}"] = of_bitplan(folder + "/model.pt", f"npz:{folder}/data.npz", images, rows, name, memory)
    resnet50.fold_batch_norm(model)
    theirs = of_pyhessian(model, inputs, labels, layers)
    count = len(next(iter(ours.values()))) - 2
    seconds = sum(spent for _, spent in theirs.values()) / len(layers) * count
    print(f"PyHessian was timed on {len(layers)} layers, and their mean multiplied by {count}; it has the exact Hessian of 1,000 classes. "
          "bitplan takes so many rows of it a sample as the number after the slash says, three quarters of them the likeliest classes, the "
          "others drawn.")
    report(ours, theirs, seconds, f"ResNet-50's size, {images} images")


def main():
    torch.set_num_threads(2)
    torch.manual_seed(0)
    if sys.argv[3] == "resnet50":
        compare_resnet50([4, 8, 32])
    else:
        compare_resnet20(int(sys.argv[3]))


if __name__ == "__main__":
    main()
