"""Writes ONNX models whose parameters stand in several places, for readers/onnx_parameters_test.cpp.

    python tests/network/make_onnx_parameters.py    # needs onnx

onnx/parameters/: tied.onnx has an embedding whose weight the file has twice more, as exporters write tied weights: as a copy, and as a
transposed copy of a name that says nothing; its two biases are equal and not the same. uses.onnx has a weight that two nodes read, one of them
in a branch, and one behind Transpose and Identity.
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent / "onnx" / "parameters"


def model(nodes, inputs, outputs, tensors):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, [numpy_helper.from_array(value, name) for name, value in tensors.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.checker.check_model(made, full_check=True)
    return made


def weight(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def tied():
    embedding = weight(1, 7, 4)
    nodes = [
        helper.make_node("Gather", ["embeddings.weight", "tokens"], ["embedded"], name="/embeddings/Gather"),
        helper.make_node("MatMul", ["embedded", "onnx::MatMul_9"], ["product"], name="/decoder/MatMul"),
        helper.make_node("Add", ["decoder.bias", "product"], ["scores"], name="/decoder/Add"),
        helper.make_node("MatMul", ["scores", "copy.weight"], ["back"], name="/copy/MatMul"),
        helper.make_node("MatMul", ["back", "own.weight"], ["more"], name="/own/MatMul"),
        helper.make_node("Add", ["own.bias", "more"], ["output"], name="/own/Add"),
    ]
    tensors = {"embeddings.weight": embedding, "decoder.bias": np.zeros(7, np.float32), "onnx::MatMul_9": embedding.T.copy(),
               "copy.weight": embedding.copy(), "own.weight": weight(2, 4, 7), "own.bias": np.zeros(7, np.float32)}
    return model(nodes, [value("tokens", ["samples", 3], TensorProto.INT64)], [value("output", ["samples", 3, 7])], tensors)


def branch(op, name):
    nodes = [helper.make_node(op, ["x", "shared"], [f"{name}.result"], name=f"{name}_{op}")]
    return helper.make_graph(nodes, name, [], [value(f"{name}.result", ["samples", 4])])


def uses():
    nodes = [
        helper.make_node("MatMul", ["x", "shared"], ["a"], name="first"),
        helper.make_node("Transpose", ["behind"], ["turned"], name="turn", perm=[1, 0]),
        helper.make_node("Identity", ["turned"], ["same"]),
        helper.make_node("MatMul", ["a", "same"], ["b"], name=""),
        helper.make_node("ReduceSum", ["b"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["c"], name="choice", then_branch=branch("MatMul", "yes"), else_branch=branch("MatMul", "no")),
        helper.make_node("Add", ["b", "c"], ["output"], name="last"),
    ]
    tensors = {"shared": weight(3, 4, 4), "behind": weight(4, 4, 4), "zero": np.array(0, np.float32)}
    return model(nodes, [value("x", ["samples", 4])], [value("output", ["samples", 4])], tensors)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, made in (("tied", tied()), ("uses", uses())):
        (FOLDER / f"{name}.onnx").write_bytes(made.SerializeToString())
