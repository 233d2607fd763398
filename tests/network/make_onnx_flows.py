"""Writes ONNX models with branches, loops and what follows a detector, and what ONNX Runtime makes of them.

    python tests/network/make_onnx_flows.py    # needs onnx and onnxruntime

onnx/flows/NAME.onnx, and flows.json: by name the samples that it is given, the outputs of ONNX Runtime, the layers, and what the model is cut
before, where it is. Of those the outputs are the values that the cut operator reads.
"""

import json
import pathlib

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent / "onnx" / "flows"
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
RANDOM = numpy.random.default_rng(7)


def weight(name, *shape):
    return numpy_helper.from_array((RANDOM.normal(size=shape) / max(1, numpy.prod(shape[1:])) ** 0.5).astype(numpy.float32), name)


def integers(name, values):
    return numpy_helper.from_array(numpy.array(values, numpy.int64), name)


def value(name, shape=None, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def graph(name, nodes, inputs, outputs, tensors=()):
    return helper.make_graph(nodes, name, list(inputs), list(outputs), list(tensors))


def node(op, inputs, outputs, name="", **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name=name, **attributes)


def model(nodes, tensors, shape, outputs, opset=17):
    body = graph("main", nodes, [value("x", shape)], [value(name) for name in outputs.split()], tensors)
    made = helper.make_model(body, opset_imports=[helper.make_opsetid("", opset)], producer_name="bitplan tests")
    made.ir_version = 8
    return made


def conv(inputs, outputs, name, **attributes):
    return node("Conv", f"{inputs} {name}.weight {name}.bias", outputs, f"/{name}/Conv", **attributes)


def conv_tensors(name, outputs, inputs, size):
    return [weight(f"{name}.weight", outputs, inputs, size, size), weight(f"{name}.bias", outputs)]


def backbone():
    """A map [N, 8, 4, 4] of an image [N, 3, 8, 8]."""
    nodes = [conv("x", "stem", "backbone.stem", pads=[1] * 4, strides=[2, 2]), node("Relu", "stem", "stem_relu"),
             conv("stem_relu", "body", "backbone.body", pads=[1] * 4), node("Relu", "body", "map")]
    return nodes, conv_tensors("backbone.stem", 8, 3, 3) + conv_tensors("backbone.body", 8, 8, 3)


LAYERS = ["backbone.stem", "backbone.body"]
PICTURE = ("samples", 3, 8, 8)


def single_shot():
    """Heads of boxes and scores, as SSD and RetinaNet have them, up to the NonMaxSuppression that torchvision's exports end with."""
    nodes, tensors = backbone()
    nodes += [conv("map", "box_map", "head.boxes", pads=[1] * 4), conv("map", "score_map", "head.scores", pads=[1] * 4),
              node("Transpose", "box_map", "box_last", perm=[0, 2, 3, 1]), node("Reshape", "box_last box_shape", "deltas"),
              node("Mul", "deltas box_scale", "scaled"), node("Add", "scaled anchors", "boxes"),
              node("Transpose", "score_map", "score_last", perm=[0, 2, 3, 1]), node("Reshape", "score_last score_shape", "logits"),
              node("Softmax", "logits", "probabilities", axis=2), node("Transpose", "probabilities", "scores", perm=[0, 2, 1]),
              node("NonMaxSuppression", "boxes scores most overlap least", "chosen", "/nms/NonMaxSuppression"),
              node("Gather", "chosen two", "at", axis=1), node("Squeeze", "at one", "flat"), node("Gather", "boxes flat", "kept", axis=1)]
    tensors += conv_tensors("head.boxes", 8, 8, 3) + conv_tensors("head.scores", 6, 8, 3)
    tensors += [integers("box_shape", [0, -1, 4]), integers("score_shape", [0, -1, 3]), weight("anchors", 1, 32, 4),
                numpy_helper.from_array(numpy.array(0.1, numpy.float32), "box_scale"), integers("most", [5]), integers("two", [2]),
                integers("one", [1])]
    tensors += [numpy_helper.from_array(numpy.array([x], numpy.float32), name) for name, x in (("overlap", 0.5), ("least", 0.1))]
    return model(nodes, tensors, PICTURE, "kept chosen"), LAYERS + ["head.boxes", "head.scores"], "boxes scores", "NonMaxSuppression '/nms/NonMaxSuppression'"


def two_stages():
    """A map, its proposals, and RoiAlign, behind which boxes are classified."""
    nodes, tensors = backbone()
    nodes += [conv("map", "objectness", "rpn.objectness"), conv("map", "offsets", "rpn.offsets"),
              node("Transpose", "offsets", "last", perm=[0, 2, 3, 1]), node("Reshape", "last rows", "proposals"),
              node("Reshape", "objectness minus", "confidence"), node("Shape", "proposals", "sizes"), node("Gather", "sizes zero", "count"),
              node("ConstantOfShape", "count", "of_image", value=numpy_helper.from_array(numpy.array([0], numpy.int64))),
              node("RoiAlign", "map proposals of_image", "pooled", "/roi/RoiAlign", output_height=2, output_width=2),
              node("Flatten", "pooled", "flat"), node("Gemm", "flat box.weight box.bias", "classes", "/box/Gemm", transB=1)]
    tensors += conv_tensors("rpn.objectness", 1, 8, 1) + conv_tensors("rpn.offsets", 4, 8, 1) + [
        weight("box.weight", 3, 32), weight("box.bias", 3), integers("rows", [-1, 4]), integers("minus", [0, -1]), integers("zero", [0])]
    return (model(nodes, tensors, PICTURE, "classes confidence"), LAYERS + ["rpn.objectness", "rpn.offsets"], "confidence map proposals",
            "RoiAlign '/roi/RoiAlign'")


def yolo():
    """Three scales whose boxes stand one after the other; grids are constants, as exporters write them."""
    nodes, tensors = backbone()
    nodes += [node("MaxPool", "map", "half", kernel_shape=[2, 2], strides=[2, 2]),
              helper.make_node("Resize", ["map", "", "scales"], ["twice"], name="/up/Resize", mode="nearest",
                               coordinate_transformation_mode="asymmetric", nearest_mode="floor")]
    tensors += [numpy_helper.from_array(numpy.array([1, 1, 2, 2], numpy.float32), "scales"), integers("flat", [0, 7, -1]),
                integers("parts", [2, 2, 3]), numpy_helper.from_array(numpy.array(2, numpy.float32), "two")]
    for name, size in (("map", 4), ("half", 2), ("twice", 8)):
        stride = numpy.float32(8 / size)
        tensors += conv_tensors(f"detect.{name}", 7, 8, 1) + [weight(f"{name}_grid", 1, 2, size * size),
                                                              numpy_helper.from_array(numpy.array(stride), f"{name}_stride")]
        nodes += [conv(name, f"{name}_out", f"detect.{name}"), node("Reshape", f"{name}_out flat", f"{name}_rows"),
                  node("Sigmoid", f"{name}_rows", f"{name}_sigmoid"), node("Split", f"{name}_sigmoid parts", f"{name}_xy {name}_wh {name}_rest", axis=1),
                  node("Add", f"{name}_xy {name}_grid", f"{name}_moved"), node("Mul", f"{name}_moved {name}_stride", f"{name}_center"),
                  node("Mul", f"{name}_wh two", f"{name}_twice"), node("Pow", f"{name}_twice two", f"{name}_size"),
                  node("Concat", f"{name}_center {name}_size {name}_rest", f"{name}_boxes", axis=1)]
    nodes += [node("Concat", "map_boxes half_boxes twice_boxes", "y", axis=-1)]
    return model(nodes, tensors, PICTURE, "y"), LAYERS + ["detect.map", "detect.half", "detect.twice"], "y", ""


def step_body(collects=False, condition=()):
    """h' = tanh(h W + x[:, t] U) with what is outside: W, U, x."""
    nodes = [node("Gather", "x t", "now", axis=1), node("MatMul", "now cell.input.weight", "from_input", "/cell/input/MatMul"),
             node("MatMul", "h cell.state.weight", "from_state", "/cell/state/MatMul"), node("Add", "from_input from_state", "sum"),
             node("Tanh", "sum", "h_next"), *(condition or [node("Identity", "go", "go_on")])]
    outputs = [value("go_on", [], BOOL), value("h_next")]
    if collects:
        nodes.append(node("Identity", "h_next", "each"))
        outputs.append(value("each"))
    return graph("step", nodes, [value("t", [], INT64), value("go", [], BOOL), value("h", ["samples", 4])], outputs)


def recurrent(collects=False, limit=None, fixed=None):
    """Over all steps of [N, steps, 3], or while their number is below a limit."""
    condition = [node("Add", "t one", "count"), node("Less", "count limit", "go_on")] if limit else ()
    nodes = [node("Shape", "x", "sizes"), node("Gather", "sizes one", "steps"), node("Gather", "sizes first", "samples"),
             node("Concat", "samples four", "state_sizes", axis=0), node("ConstantOfShape", "state_sizes", "start"),
             helper.make_node("Loop", ["" if limit else "steps", "yes" if limit else "", "start"], ["last"] + ["all"] * collects, name="/cell/Loop",
                              body=step_body(collects, condition)),
             node("Gemm", "last head.weight head.bias", "y", "/head/Gemm", transB=1)]
    tensors = [integers("one", 1), integers("first", [0]), integers("four", [4]), weight("cell.input.weight", 3, 4), weight("cell.state.weight", 4, 4),
               weight("head.weight", 2, 4), weight("head.bias", 2), numpy_helper.from_array(numpy.array(True), "yes")]
    if limit:
        tensors.append(integers("limit", limit))
    if collects:
        nodes.append(node("Transpose", "all", "outputs", perm=[1, 0, 2]))
    layers = ["cell.input", "cell.state", "head"]
    outputs = "y outputs" if collects else "y"
    return model(nodes, tensors, ("samples", fixed or "steps", 3), outputs), layers, outputs, ""


def branch(name, activation, scale=None):
    """A branch with a layer of its own weights."""
    nodes = [node("Gemm", f"flat {name}.weight {name}.bias", f"{name}_sum", f"/{name}/Gemm", transB=1), node(activation, f"{name}_sum", f"{name}_y")]
    return graph(name, nodes, [], [value(f"{name}_y")], [weight(f"{name}.weight", 4, 8), weight(f"{name}.bias", 4)])


def branches():
    """By a size that is open: small pictures go through one layer, large ones through another; both read what is outside."""
    nodes, tensors = backbone()
    nodes += [node("GlobalAveragePool", "map", "pooled"), node("Flatten", "pooled", "flat"), node("Shape", "x", "sizes"),
              node("Gather", "sizes axis", "height"), node("Greater", "height limit", "is_large"),
              node("If", "is_large", "chosen", "/If", then_branch=branch("large", "Relu"), else_branch=branch("small", "Sigmoid")),
              node("Gemm", "chosen head.weight head.bias", "y", "/head/Gemm", transB=1)]
    tensors += [integers("axis", 2), integers("limit", 6), weight("head.weight", 2, 4), weight("head.bias", 2)]
    return model(nodes, tensors, ("samples", 3, "height", "width"), "y"), LAYERS + ["large", "small", "head"], "y", ""


def nested():
    """A loop in a branch and a branch in the loop: each reads values of all graphs around it, and has weights of its own."""
    deep = [graph(name, [node(op, "outer h_layer", f"{name}_y")], [], [value(f"{name}_y")]) for name, op in (("even", "Add"), ("odd", "Sub"))]
    body = graph("body", [node("Gemm", "h loop.layer.weight loop.layer.bias", "h_layer", "/loop/layer/Gemm", transB=1),
                          node("Mod", "t two", "rest"), node("Equal", "rest zero", "is_even"),
                          node("If", "is_even", "mixed", "/loop/If", then_branch=deep[0], else_branch=deep[1]), node("Tanh", "mixed", "h_next"),
                          node("Identity", "go", "go_on")],
                 [value("t", [], INT64), value("go", [], BOOL), value("h", ["samples", 4])], [value("go_on", [], BOOL), value("h_next")],
                 [weight("loop.layer.weight", 4, 4), weight("loop.layer.bias", 4)])
    looped = graph("looped", [helper.make_node("Loop", ["width", "", "outer"], ["looped_y"], name="/loop/Loop", body=body)], [], [value("looped_y")])
    plain = graph("plain", [node("Relu", "outer", "plain_y")], [], [value("plain_y")])
    nodes = [node("ReduceMean", "x", "rows", axes=[2], keepdims=0), node("Gemm", "rows first.weight first.bias", "outer", "/first/Gemm", transB=1),
             node("Shape", "x", "sizes"), node("Gather", "sizes two", "width"), node("Greater", "width limit", "is_wide"),
             node("If", "is_wide", "y", "/If", then_branch=looped, else_branch=plain)]
    tensors = [weight("first.weight", 4, 3), weight("first.bias", 4), integers("two", 2), integers("zero", 0), integers("limit", 2)]
    return model(nodes, tensors, ("samples", 3, "width"), "y"), ["first", "loop.layer"], "y", ""


def cases():
    """Name to (model, layers, names of the outputs, what it is cut before) and the sizes of samples that it is given."""
    picture, steps = [3, 8, 8], [5, 3]
    yield "single_shot", single_shot(), [picture]
    yield "two_stages", two_stages(), [picture]
    yield "yolo", yolo(), [picture]
    yield "loop_of_open_steps", recurrent(), [steps, [2, 3]]
    yield "loop_that_collects", recurrent(collects=True), [steps, [2, 3]]
    yield "loop_of_known_steps", recurrent(collects=True, fixed=5), [steps]
    yield "loop_while", recurrent(limit=4), [steps]
    yield "loop_while_collecting", recurrent(collects=True, limit=4), [steps]
    yield "branches", branches(), [picture, [3, 4, 6]]
    yield "nested", nested(), [[3, 5], [3, 2]]


def run(made, outputs, samples):
    """Of ONNX Runtime, of values that need not be outputs of the model."""
    copy = onnx.ModelProto()
    copy.CopyFrom(made)
    del copy.graph.output[:]
    copy.graph.output.extend(value(name) for name in outputs)
    session = onnxruntime.InferenceSession(copy.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": samples})


def listed(array):
    return {"dtype": "float32", "shape": list(array.shape), "values": [float(f"{x:.8g}") for x in array.flatten().tolist()]}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    flows = {}
    for name, (made, layers, outputs, cut), shapes in cases():
        (FOLDER / f"{name}.onnx").write_bytes(made.SerializeToString())
        runs = []
        for shape in shapes:
            samples = RANDOM.normal(size=(2, *shape)).round(1).astype(numpy.float32)
            made_all = run(made, outputs.split(), samples)
            sums = {output: listed(array) for output, array in zip(outputs.split(), made_all)}
            runs.append({"samples": listed(samples), "outputs": list(sums.values())})
        flows[name] = {"layers": layers, "cut": cut, "runs": runs}
    (FOLDER / "flows.json").write_text(json.dumps(flows, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
