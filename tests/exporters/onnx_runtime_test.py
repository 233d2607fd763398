"""Runs what test_exporters wrote in ONNX Runtime, and compares with what bitplan computed. Argument: the folder."""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(bool)": np.bool_,
         "tensor(float16)": np.float16, "tensor(int32)": np.int32}


def session_of(path: pathlib.Path, integer_kernels: bool) -> onnxruntime.InferenceSession:
    """Integer kernels round between operators, as no plan says: without them the file is computed as it stands."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")  # else activations are rounded
    options.add_session_config_entry("session.disable_quant_qdq", "0" if integer_kernels else "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def difference(case: pathlib.Path) -> float:
    path = case.with_suffix(".onnx")
    onnx.checker.check_model(str(path), full_check=True)
    expected = json.loads(case.read_text())
    session_of(path, integer_kernels=True)
    session = session_of(path, integer_kernels=False)
    given = {i.name: np.array(e["values"]).reshape(e["shape"]).astype(TYPES[i.type])
             for i, e in zip(session.get_inputs(), expected["inputs"])}
    made = session.run(None, given)[int(expected["selector"] or 0)].astype(np.float64)
    wanted = np.array(expected["output"]["values"]).reshape(expected["output"]["shape"])
    assert made.shape == wanted.shape, f"{made.shape} and not {wanted.shape}"
    return float(np.abs(made - wanted).max(initial=0) / max(1, np.abs(wanted).max(initial=0)))


def main() -> None:
    cases = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    bad = []
    for case in cases:
        try:
            worst = difference(case)
            if not worst <= 1e-5:
                bad.append(f"{case.stem}: {worst:.2g} off")
        except Exception as error:
            bad.append(f"{case.stem}: {type(error).__name__}: {str(error)[:300]}")
    print("\n".join(bad))
    assert len(cases) >= int(sys.argv[2]), f"only {len(cases)} models in {sys.argv[1]}"
    assert not bad, f"{len(bad)} of {len(cases)} models give another output"
    print(f"{len(cases)} models give the same output")


main()
