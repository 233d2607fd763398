"""Writes the models of make_models.py as ONNX files, by both of PyTorch's exporters.

    python tests/network/make_onnx.py    # needs onnx, onnxruntime and onnxscript

Per case of the folder cases/: onnx/exports/CASE.KIND.onnx, what is expected of which stands in models/CASE.json, as of the TorchScript files
of the case. Kinds: traced (dynamo=False, operator set 17, any number of samples), old (the same of operator set 9), exported
(dynamo=True, operator set 20, any number of samples), fixed (dynamo=True, operator set 18, for the samples of the case).
onnx/exports/files.json lists them. Cases that an exporter cannot follow, or of which its file computes something else in ONNX Runtime,
have none.
"""

import copy
import json
import os
import pathlib
import sys
import warnings
import zlib

import numpy
import onnx
import onnxruntime
import torch

from cases.case import Case
from make_exported import is_as_written, take_as_written
from make_models import GROUPS, run

FOLDER = pathlib.Path(__file__).parent / "onnx" / "exports"
LARGEST = 24_000
KINDS = {"traced": (17, False, True), "old": (9, False, False), "exported": (20, True, True), "fixed": (18, True, False)}


def tensors_of(output) -> list[torch.Tensor]:
    return [x for x in torch.utils._pytree.tree_leaves(output) if isinstance(x, torch.Tensor)]


def export(case: Case, kind: str, path: pathlib.Path) -> None:
    opset, dynamo, any_samples = KINDS[kind]
    inputs = tuple(x.clone() for x in case.inputs) + tuple(case.arguments)
    names = [f"input{i}" for i in range(len(case.inputs))]
    options = {}
    if any_samples:
        if not case.batch_first or any(x.dim() < 1 or x.shape[0] < 2 for x in case.inputs):
            raise ValueError("no samples")
        if dynamo:
            samples = torch.export.Dim("samples")
            options["dynamic_shapes"] = tuple({0: samples} if isinstance(x, torch.Tensor) else None for x in inputs)
        else:
            options["dynamic_axes"] = {name: {0: "samples"} for name in names}
    model = copy.deepcopy(case.model).eval()
    with torch.no_grad():
        torch.onnx.export(model, inputs, str(path), input_names=names, opset_version=opset, dynamo=dynamo, external_data=False,
                          verbose=False, **options)
    proto = onnx.load(path)
    for node in proto.graph.node:  # stack traces and paths
        node.doc_string = ""
        kept = [p for p in node.metadata_props if p.key in ("namespace", "pkg.torch.onnx.class_hierarchy", "pkg.torch.onnx.name_scopes")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    path.write_bytes(proto.SerializeToString())


def check(case: Case, path: pathlib.Path) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = dict(zip([i.name for i in session.get_inputs()], [x.numpy() for x in case.inputs]))
    expected = tensors_of(run(case))
    made_all = session.run(None, given)
    if len(made_all) != len(expected):
        raise ValueError("the file has other outputs than its model")
    if any(node.op_type == "BatchNormalization" and len(node.output) > 1 for node in onnx.load(path).graph.node):
        raise ValueError("batch norm in training mode, which is refused")
    for made, wanted in zip(made_all, expected):
        if not numpy.allclose(made, wanted.numpy(), atol=1e-4, rtol=1e-4):
            raise ValueError("the file computes something else than its model")


def write_case(case: Case) -> list[str]:
    kinds = []
    for kind in KINDS:
        path = FOLDER / f"{case.name}.{kind}.onnx"
        try:
            export(case, kind, path)
            check(case, path)
            if path.stat().st_size > LARGEST:
                raise ValueError(f"{path.stat().st_size} bytes")
            kinds.append(kind)
        except Exception as error:  # whatever the exporter does not take
            print(f"{case.name}.{kind}: {type(error).__name__}: {str(error).strip().splitlines()[0][:120] if str(error).strip() else ''}", flush=True)
            path.unlink(missing_ok=True)
    return kinds


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True, parents=True)
    for old in FOLDER.glob("*.*"):
        old.unlink()
    files = {}
    for group in GROUPS:
        torch.manual_seed(zlib.crc32(group.__name__.encode()))
        for case in group.cases():
            if case.name.endswith("_traced"):  # what tracing makes of cells
                continue
            take_as_written(case)
            if is_as_written(case) and (kinds := write_case(case)):
                files[case.name] = kinds
                (FOLDER / "files.json").write_text(json.dumps(files, indent=1) + "\n")
    size = sum(file.stat().st_size for file in FOLDER.glob("*.*"))
    print(f"{sum(map(len, files.values()))} files, {size} bytes")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # as in make_models.py
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    main()
