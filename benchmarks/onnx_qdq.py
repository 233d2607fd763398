"""Accuracy and time of a network's ONNX file and of what onnx-qdq made of it, in ONNX Runtime, side by side.

    python benchmarks/onnx_qdq.py FLOAT.onnx QUANTIZED.onnx QUANTIZED.pt CIFAR10.bin    # needs onnxruntime and torch
"""

import sys
import time

import numpy as np
import onnxruntime
import torch

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
BATCH, ROUNDS = 32, 7


def images(path: str) -> tuple[np.ndarray, np.ndarray]:
    rows = np.fromfile(path, np.uint8).reshape(-1, 3073)
    pixels = rows[:, 1:].reshape(-1, 3, 32, 32) / 255
    return ((pixels - MEAN[:, None, None]) / STD[:, None, None]).astype(np.float32), rows[:, 0]


def session(path: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def seconds(run: onnxruntime.InferenceSession, x: np.ndarray) -> float:
    begin = time.process_time()
    run.run(None, {run.get_inputs()[0].name: x})
    return time.process_time() - begin


def main() -> None:
    x, labels = images(sys.argv[4])
    float_run, quantized_run = session(sys.argv[1]), session(sys.argv[2])
    ours = torch.jit.load(sys.argv[3])
    with torch.no_grad():
        expected = np.concatenate([ours(torch.from_numpy(x[i : i + 128])).numpy() for i in range(0, len(x), 128)])
    name = quantized_run.get_inputs()[0].name
    made = np.concatenate([quantized_run.run(None, {name: x[i : i + 128]})[0] for i in range(0, len(x), 128)])
    right = [int((scores.argmax(1) == labels).sum()) for scores in (expected, made)]
    worst = abs(expected - made).max(1)
    print(f"right of {len(x)}: {right[0]} by bitplan, {right[1]} in ONNX Runtime; largest difference of a score {worst.max():.2g}, "
          f"median {np.median(worst):.2g}")
    times = [(seconds(float_run, x[:BATCH]), seconds(quantized_run, x[:BATCH])) for _ in range(ROUNDS)]
    plain, quantized = (min(column) for column in zip(*times))
    print(f"float32 {plain * 1e3:.1f} ms, quantized {quantized * 1e3:.1f} ms for {BATCH} images: {plain / quantized:.2f} times as fast")


main()
