"""Writes ONNX models that are valid files and have no meaning as networks here, and what the message about each must hold.

    python tests/network/make_bad_onnx.py

onnx/refused/NAME.onnx, and refused.json: the parts of the message by file.
"""

import json
import pathlib

import numpy
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent / "onnx" / "refused"
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def floats(name: str, *shape: int):
    return numpy_helper.from_array(numpy.ones(shape, numpy.float32), name)


def integers(name: str, *values: int):
    return numpy_helper.from_array(numpy.array(values, numpy.int64), name)


def model(nodes, tensors=(), shape=("n", 3, 8, 8), opset=17, kind=FLOAT) -> bytes:
    graph = helper.make_graph(nodes, "graph", [helper.make_tensor_value_info("x", kind, shape)],
                              [helper.make_tensor_value_info("y", FLOAT, None)], list(tensors))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="bitplan tests")
    made.ir_version = 8
    return made.SerializeToString()


def node(op: str, inputs=("x",), outputs=("y",), **attributes):
    return helper.make_node(op, list(inputs), list(outputs), name="the_node", **attributes)


def branch(*names: str):
    nodes = [helper.make_node("Identity", ["x"], [name]) for name in names]
    return helper.make_graph(nodes, "branch", [], [helper.make_tensor_value_info(name, FLOAT, None) for name in names])


def cases():
    weight = floats("w", 4, 3, 3, 3)
    channels = [floats(name, 3) for name in "smvb"]
    yield "unknown", model([node("FancyNewOperator")]), ["FancyNewOperator 'the_node'", "not read"]
    yield "scan", model([node("Scan", num_scan_inputs=1, body=branch("z"))]), ["Scan 'the_node'", "inputs"]
    yield "input_missing", model([node("Conv")]), ["Conv 'the_node'", "input 1 is missing"]
    yield "kernel_axes", model([node("Conv", ("x", "w"))], [weight], ("n", 3, 8)), ["Conv 'the_node'", "axes"]
    yield "strides", model([node("Conv", ("x", "w"), strides=[1, 0])], [weight]), ["Conv 'the_node'", "strides"]
    yield "pads", model([node("Conv", ("x", "w"), pads=[1, 1])], [weight]), ["Conv 'the_node'", "pads"]
    yield "attribute_type", model([node("Conv", ("x", "w"), group="three")], [weight]), ["Conv 'the_node'", "'group'", "type"]
    yield "norm_training", model([node("BatchNormalization", ("x", "s", "b", "m", "v"), training_mode=1)], channels), ["the_node", "training mode"]
    yield "pool_kernel", model([node("MaxPool", kernel_shape=[2])]), ["MaxPool 'the_node'", "axes"]
    yield "no_rank", model([node("GlobalAveragePool")], shape=None), ["GlobalAveragePool 'the_node'", "number of axes"]
    yield "resize", model([node("Resize", ("x", "", "", "z"), mode="cubic", coordinate_transformation_mode="asymmetric")],
                          [integers("z", 1, 3, 16, 16)], ("n", 3, "h", "w")), ["Resize 'the_node'", "cubic, asymmetric", "fixed"]
    yield "activation", model([node("GRU", ("x", "w", "r"), ("y",), hidden_size=4, activations=["Sigmoid", "Nonsense"])],
                              [floats("w", 1, 12, 3), floats("r", 1, 12, 4)], (5, "n", 3)), ["GRU 'the_node'", "'Nonsense'"]
    yield "hidden_size", model([node("LSTM", ("x", "w", "r"), ("y",), hidden_size=5)], [floats("w", 1, 16, 3), floats("r", 1, 16, 4)],
                               (5, "n", 3)), ["LSTM 'the_node'", "hidden_size"]
    yield "random", model([node("RandomNormalLike")]), ["RandomNormalLike 'the_node'", "random"]
    yield "huge", model([helper.make_node("ConstantOfShape", ["s"], ["c"], name="the_node"), helper.make_node("Add", ["x", "c"], ["y"])],
                        [integers("s", 1 << 20, 1 << 20)]), ["ConstantOfShape 'the_node'", "elements of constants"]
    yield "branches", model([helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0), helper.make_node("Cast", ["m"], ["c"], to=TensorProto.BOOL),
                             node("If", ("c",), then_branch=branch("a"), else_branch=branch("b", "d"))]), ["If 'the_node'", "different numbers"]
    yield "input_type", model([node("Identity")], kind=TensorProto.UINT64), ["uint64"]
    yield "reduction", model([node("ScatterND", ("x", "i", "u"), reduction="median")], [integers("i", 0), floats("u", 3, 8, 8)], opset=18), ["ScatterND 'the_node'", "'median'"]
    yield "concat_axis", model([node("Concat", ("x", "x"), axis=7)]), ["Concat 'the_node'", "axis 7 of a tensor of 4 axes"]
    yield "no_input", model([node("Identity", ())]), ["Identity 'the_node'", "input 0 is missing"]
    yield "no_number", model([helper.make_node("Shape", ["x"], ["s"], start=4), node("TopK", ("x", "s"), ("y", "i"))]), ["TopK 'the_node'", "0 numbers"]
    yield "one_size", model([helper.make_node("Shape", ["x"], ["s"]), node("Equal", ("s",))]), ["Equal 'the_node'", "input 1 is missing"]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    messages = {}
    for name, content, parts in cases():
        (FOLDER / f"{name}.onnx").write_bytes(content)
        messages[f"{name}.onnx"] = parts
    (FOLDER / "refused.json").write_text(json.dumps(messages, indent=1) + "\n")


if __name__ == "__main__":
    main()
