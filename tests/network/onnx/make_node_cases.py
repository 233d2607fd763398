"""Writes the node tests of ONNX's own backend suite, for onnx_node_test.cpp to read.

    python make_node_cases.py FILE

FILE is a list, by torch.save, of a dict per case: name, operators (of all nodes), model (bytes, as a uint8 tensor), inputs and
outputs (tensors; a list where a case has one), rtol and atol as the suite has them. Cases with values that are no tensors of a type
of LibTorch (strings, optionals, types of 4 bits) have no "inputs" and a "reason".
"""

import sys
import warnings

import numpy as np
import onnx.backend.test.case.node as node_cases
import torch


def tensor(value):
    array = np.asarray(value)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    if array.dtype.kind not in "fiubc" or array.dtype.name not in dir(torch):
        if array.dtype.name != "bool":
            raise TypeError(array.dtype.name)
    return torch.from_numpy(np.array(array, order="C", copy=True))


def operators(graph):
    found = set()
    for node in graph.node:
        found.add(node.op_type)
        for attribute in node.attribute:
            found |= operators(attribute.g)
    return found


def case_of(test):
    made = {"name": test.name, "operators": sorted(operators(test.model.graph)), "rtol": float(test.rtol), "atol": float(test.atol),
            "model": torch.frombuffer(bytearray(test.model.SerializeToString()), dtype=torch.uint8)}
    try:
        (inputs, outputs), = test.data_sets
        if any(isinstance(value, list) or value is None for value in (*inputs, *outputs)):
            raise TypeError("a sequence or optional")
        made["inputs"] = [tensor(value) for value in inputs]
        made["outputs"] = [tensor(value) for value in outputs]
    except (TypeError, ValueError) as reason:
        made["reason"] = str(reason).splitlines()[0]
        made.pop("inputs", None)
    return made


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    cases = [case_of(test) for test in node_cases.collect_testcases(None)]
    torch.save(cases, sys.argv[1])
    print(len(cases), "cases,", sum("reason" in case for case in cases), "not of tensors")
