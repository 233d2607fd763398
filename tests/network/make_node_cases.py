"""Writes the node tests of ONNX's own backend suite (onnx.backend.test.case.node) for readers/onnx_node_test.cpp.

    python tests/network/make_node_cases.py    # needs onnx, no PyTorch

onnx/node_cases.npz has two arrays of bytes: "data", models and values side by side, equal ones once; and "index", a JSON list of a case each:
"name", "operators" (of all nodes, domains but ONNX's own before a colon), "model" [offset, bytes], "inputs" and "outputs" (each "type", "shape",
"offset"), "rtol" and "atol" as the suite has them. Inputs that say how an operator works (axes, sizes, pads), which the suite gives at each run,
are initializers, as networks have them (CONTROLS). A case with values that are no tensors of numbers (strings, sequences) has a "reason" in the
place of values; one of more than LARGEST bytes, too: what is large in it is the values alone.
"""

import copy
import json
import pathlib
import warnings

import numpy as np
import onnx
import onnx.backend.test.case.node as node_cases

FILE = pathlib.Path(__file__).parent / "onnx" / "node_cases.npz"
LARGEST = 32_768
TYPES = {"float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}

# Of an operator, the inputs that are constants in networks.
CONTROLS = {
    **{f"Reduce{kind}": {1} for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")},
    **{name: {1} for name in ("CenterCropPad", "CumProd", "CumSum", "Expand", "OneHot", "Reshape", "Squeeze", "Tile", "TopK", "Unsqueeze", "Upsample")},
    **{name: {0} for name in ("BlackmanWindow", "HammingWindow", "HannWindow")},
    **{name: {0, 1, 2, 3, 4} for name in ("MelWeightMatrix",)},
    "AffineGrid": {1}, "CausalConvWithState": {1}, "Col2Im": {1, 2}, "DFT": {1, 2}, "Dropout": {1, 2}, "Loop": {0}, "MaxUnpool": {2}, "Pad": {1, 2, 3}, "Range": {0, 1, 2},
    "Resize": {1, 2, 3}, "STFT": {1, 2, 3}, "Slice": {1, 2, 3, 4}, "Split": {1},
}
EXPANDED = ("_expanded", "_expanded_ver26", "_expanded_ver18")


class Data:
    def __init__(self):
        self.bytes, self.places = bytearray(), {}

    def add(self, content: bytes) -> int:
        if content not in self.places:
            self.places[content] = len(self.bytes)
            self.bytes += content
        return self.places[content]


def operators(graph) -> set[str]:
    found = set()
    for node in graph.node:
        found.add(node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}:{node.op_type}")
        for attribute in node.attribute:
            found |= operators(attribute.g)
    return found


def as_array(value) -> np.ndarray:
    if value is None or isinstance(value, (list, dict)):
        raise ValueError("sequence or optional")
    array = np.asarray(value)
    if array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    if array.dtype.name not in TYPES:
        raise ValueError("string" if array.dtype.kind in "OUS" else array.dtype.name)
    return array


def controls(graph) -> set[str]:
    return {name for node in graph.node for i, name in enumerate(node.input) if name and i in CONTROLS.get(node.op_type, ())}


def with_constants(model, inputs: list, constant: set[str]):
    """The model with these inputs as initializers, and the other inputs' values; at least one stays."""
    names = [value.name for value in model.graph.input]
    if all(name in constant for name in names):
        return model, inputs
    model = copy.deepcopy(model)
    for name, value in zip(names, inputs):
        if name in constant:
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))
    kept = [value for value in model.graph.input if value.name not in constant]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model, [value for name, value in zip(names, inputs) if name not in constant]


def placed(array: np.ndarray, data: Data) -> dict:
    return {"type": array.dtype.name, "shape": list(array.shape), "offset": data.add(np.ascontiguousarray(array).tobytes())}


def case_of(test, constant: set[str], data: Data) -> dict:
    made = {"name": test.name, "operators": sorted(operators(test.model.graph))}
    try:
        ((inputs, outputs),) = test.data_sets
        changed, inputs = with_constants(test.model, inputs, constant)
        model = changed.SerializeToString()
        arrays = [[as_array(value) for value in values] for values in (inputs, outputs)]
        if len(model) + sum(array.nbytes for values in arrays for array in values) > LARGEST:
            raise ValueError("large")
    except ValueError as reason:
        return made | {"reason": str(reason)}
    made["model"] = [data.add(model), len(model)]
    made["inputs"], made["outputs"] = ([placed(array, data) for array in values] for values in arrays)
    return made | {"rtol": float(test.rtol), "atol": float(test.atol)}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    data = Data()
    tests = node_cases.collect_testcases(None)
    constant = {test.name: controls(test.model.graph) for test in tests}  # of an operator's expansion, those of the operator
    cases = []
    for test in tests:
        plain = next((test.name.removesuffix(end) for end in EXPANDED if test.name.endswith(end)), test.name)
        cases.append(case_of(test, constant.get(plain, set()), data))
    index = json.dumps(cases, separators=(",", ":")).encode()
    np.savez_compressed(FILE, index=np.frombuffer(index, np.uint8), data=np.frombuffer(bytes(data.bytes), np.uint8))
    print(len(cases), "cases,", sum("reason" in case for case in cases), "without values,", FILE.stat().st_size, "bytes")
