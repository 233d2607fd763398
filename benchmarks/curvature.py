"""Top eigenvalue of every layer of the bundled ResNet-20: bench_curvature beside PyHessian 0.1, driven layer by layer, on the same
images, to the same tolerance, with two threads.

    python benchmarks/curvature.py BENCH_CURVATURE PYHESSIAN_FOLDER IMAGES
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "hessian"), sys.argv[2]]

import torch
from make_reference import CIFAR, ResNet20, cifar_images, fold_batch_norm
from pyhessian import hessian

TOLERANCE = 1e-3


def of_bitplan(images):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "result.json"
        command = [sys.argv[1], CIFAR / "resnet20.pt", f"cifar10:{CIFAR}/train.bin", images, TOLERANCE, 0, file]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        return json.loads(file.read_text())


def of_pyhessian(images):
    """By layer: the eigenvalue and the seconds that it took."""
    inputs, labels = cifar_images(images)
    model = ResNet20()
    model.load_state_dict(torch.jit.load(str(CIFAR / "resnet20.pt")).state_dict())
    model.eval()
    fold_batch_norm(model)
    result = {}
    for name, weight in model.named_parameters():
        if not name.endswith("weight"):
            continue
        for other in model.parameters():
            other.requires_grad_(other is weight)
            other.grad = None
        start = time.perf_counter()
        computer = hessian(model, torch.nn.functional.cross_entropy, data=(inputs.float(), labels), cuda=False)
        value = computer.eigenvalues(tol=TOLERANCE)[0][0]
        result[name.removesuffix(".weight")] = (value, time.perf_counter() - start)
    return result


def main():
    torch.set_num_threads(2)
    torch.manual_seed(0)
    images = int(sys.argv[3])
    ours, theirs = of_bitplan(images), of_pyhessian(images)
    print(f"{'layer':18} {'bitplan':>12} {'PyHessian':>12} {'difference':>11}")
    for name, (value, _) in theirs.items():
        print(f"{name:18} {ours[name]:12.6g} {value:12.6g} {abs(ours[name] / value - 1):11.1e}")
    seconds = sum(spent for _, spent in theirs.values())
    print(f"{images} images, tolerance {TOLERANCE}: PyHessian {seconds:.2f} s, bitplan {ours['seconds']:.2f} s (passes "
          f"{ours['passes']:.2f} s): {seconds / ours['seconds']:.1f} times as fast")


if __name__ == "__main__":
    main()
