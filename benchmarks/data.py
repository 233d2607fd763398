"""Images of a folder: bitplan against torchvision's ImageFolder and DataLoader with two workers, by turns.

usage: data.py BENCH_DATA FOLDER [--images N] [--rounds N]
FOLDER gets the images if it has none: JPEGs of ImageNet's usual size and quality, with the spectrum of natural ones.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import time

import numpy
import torch
import torchvision
from PIL import Image
from torchvision.transforms import v2

RESIZE, CROP, BATCH, WORKERS = 256, 224, 32, 2


def make_images(folder, count):
    """Noise whose amplitude falls with the frequency, as in photographs, in colors that go together."""
    random = numpy.random.default_rng(1)
    for i in range(count):
        height, width = (375, 500) if i % 4 else (500, 375)
        frequency = numpy.hypot(numpy.fft.fftfreq(height)[:, None], numpy.fft.rfftfreq(width)[None, :])
        frequency[0, 0] = 1
        noise = random.standard_normal((3, height, width))
        planes = numpy.fft.irfft2(numpy.fft.rfft2(noise) / frequency**1.1, s=(height, width))
        planes = planes[:1] + 0.35 * planes
        planes = planes / planes.std() * 55 + 120 + 20 * random.standard_normal((3, 1, 1))
        file = folder / f"class{i % 10}" / f"{i:05}.JPEG"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(planes.clip(0, 255).astype(numpy.uint8).transpose(1, 2, 0)).save(file, quality=90)


def by_bitplan(program, folder):
    out = subprocess.run([program, folder, str(RESIZE), str(CROP), str(BATCH)], check=True, capture_output=True, text=True,
                         env={**os.environ, "OMP_NUM_THREADS": str(WORKERS)}).stdout.split()
    return int(out[0]) / float(out[1]), int(out[2])


def by_torchvision(folder):
    transform = v2.Compose([v2.Resize(RESIZE), v2.CenterCrop(CROP), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)])
    begin = time.perf_counter()
    data = torchvision.datasets.ImageFolder(folder, transform)
    count = 0
    for images, _ in torch.utils.data.DataLoader(data, batch_size=BATCH, num_workers=WORKERS):
        count += len(images)
    return count / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if not arguments.folder.exists():
        make_images(arguments.folder, arguments.images)
    ratios, peak = [], 0
    for i in range(arguments.rounds):
        theirs = by_torchvision(arguments.folder)
        ours, memory = by_bitplan(arguments.program, arguments.folder)
        ratios.append(ours / theirs)
        peak = max(peak, memory)
        print(f"round {i + 1}: bitplan {ours:.0f} images/s, torchvision {theirs:.0f} images/s, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}, peak of bitplan {peak} MiB")


if __name__ == "__main__":
    main()
