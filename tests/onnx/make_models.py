"""Writes the ONNX files that the tests of the room onnx read, and what Python's onnx package finds in them.

    python tests/onnx/make_models.py    # needs onnx, onnxruntime and onnxscript

models/NAME.onnx and models/expected.json: by model its versions, the tensors with their bytes as onnx.numpy_helper has them,
and a line per node with functions inlined by onnx.inliner, names replaced by what defines them. bad/NAME.onnx and
bad/expected.json: files to refuse, and what the message says. Nothing of bitplan takes part.
"""

import json
import pathlib

import ml_dtypes
import numpy as np
import onnx
import onnx.inliner
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent
FLOAT = TensorProto.FLOAT
ONE_BYTE = {"int4": np.int8, "uint4": np.uint8, "int2": np.int8, "uint2": np.uint8}


def value(name, shape=(1,), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def graph(nodes, inputs=("x",), outputs=("y",), initializers=(), name="g"):
    return helper.make_graph(nodes, name, [value(i) if isinstance(i, str) else i for i in inputs],
                             [value(o) if isinstance(o, str) else o for o in outputs], list(initializers))


def model(g, opset=17, ir=8, functions=(), imports=()):
    made = ModelProto(ir_version=ir, producer_name="test", graph=g, functions=list(functions))
    made.opset_import.extend([helper.make_opsetid("", opset), *imports])
    return made


def node(op, inputs, outputs, name="", **attributes):
    return helper.make_node(op, inputs, outputs, name=name, **attributes)


def own_bytes(array):
    """Those of the elements; of types narrower than a byte, a byte each."""
    array = np.asarray(array)
    return array.astype(ONE_BYTE.get(array.dtype.name, array.dtype)).tobytes()


# ---- tensors of every type, raw, typed and external

def values_of(dtype):
    if dtype == np.bool_:
        return np.array([[True, False, True], [False, True, True]])
    if dtype.name in ONE_BYTE:
        info = ml_dtypes.iinfo(dtype)
        return np.array([[0, 1, info.max], [info.min, 1, info.max]]).astype(dtype)
    if np.issubdtype(dtype, np.integer):
        return np.array([[0, 1, np.iinfo(dtype).max], [np.iinfo(dtype).min, 5, 7]], dtype=dtype)
    if np.issubdtype(dtype, np.complexfloating):
        return np.array([[1 + 2j, -3, 0.5j], [0, 1e10, -1j]], dtype=dtype)
    return np.array([[0.5, 1, 2], [4, 1, 0.5]]).astype(dtype)


def all_types():
    for number in range(1, 27):
        if number != TensorProto.STRING:
            yield number, np.dtype(helper.tensor_dtype_to_np_dtype(number))


def type_tensors(raw):
    made = []
    for number, dtype in all_types():
        values = values_of(dtype)
        name = TensorProto.DataType.Name(number).lower()
        if raw:
            made.append(numpy_helper.from_array(values, name))
        else:
            made.append(helper.make_tensor(name, number, values.shape, values.flatten()))
        assert (own_bytes(numpy_helper.to_array(made[-1])) == own_bytes(values)), name
    return made


def types_model(raw):
    empty = helper.make_tensor("empty", FLOAT, (0, 3), [])
    scalar = helper.make_tensor("scalar", TensorProto.INT64, (), [-7])
    return model(graph([node("Identity", ["x"], ["y"])], initializers=[*type_tensors(raw), empty, scalar]), opset=25, ir=13)


def external_model(folder):
    made = types_model(True)
    data = bytearray(b"\0" * 64)
    for tensor in made.graph.initializer:
        if not tensor.HasField("raw_data"):
            continue
        offset = len(data)
        data += tensor.raw_data + b"\xff" * 3
        for key, text in (("location", "external.data"), ("offset", str(offset)), ("length", str(len(tensor.raw_data)))):
            tensor.external_data.add(key=key, value=text)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
    (folder / "external.data").write_bytes(bytes(data))
    return made


# ---- models

def constants_model():
    nodes = [
        node("Constant", [], ["a"], value=helper.make_tensor("t", FLOAT, (2,), [1, 2])),
        node("Constant", [], ["b"], value_float=1.5),
        node("Constant", [], ["raw"], value=numpy_helper.from_array(np.arange(40, dtype=np.float32))),
        node("Constant", [], ["c"], value_floats=[1.0, 2.5]),
        node("Constant", [], ["d"], value_int=-3),
        node("Constant", [], ["e"], value_ints=[4, 5, 6]),
        node("Sum", ["x", "a", "b", "c", "raw"], ["y"]),
        node("Add", ["d", "e"], ["z"]),
    ]
    return model(graph(nodes, outputs=("y", value("z", (3,), TensorProto.INT64))))


def old_model():
    """IR 3: every initializer is an input, too; optional inputs left out; no names of nodes."""
    weight = helper.make_tensor("w", FLOAT, (1,), [2])
    nodes = [node("Mul", ["x", "w"], ["m"]), node("Clip", ["m"], ["y"], min=0.0, max=6.0)]
    return model(graph(nodes, inputs=("x", value("w")), initializers=[weight]), opset=7, ir=3)


def optional_model():
    nodes = [node("Clip", ["x", "", "high"], ["c"], name="clip"), node("Dropout", ["c"], ["y", ""], name="clip")]
    return model(graph(nodes, initializers=[helper.make_tensor("high", FLOAT, (), [6])]), opset=28, ir=14,
                 imports=[helper.make_opsetid("com.microsoft", 1)])


def branch(op, inputs, name="branch"):
    return helper.make_graph([node(op, inputs, ["r"], name="inner")], name, [], [value("r")])


def subgraph_model():
    """If whose branches see outer names, in a Loop that carries a value and scans out another."""
    body = helper.make_graph(
        [node("If", ["cond", ], ["chosen"], name="if", then_branch=branch("Relu", ["carried"]),
              else_branch=helper.make_graph([node("Add", ["carried", "w"], ["r"])], "else", [], [value("r")])),
         node("Identity", ["cond"], ["again"]), node("Mul", ["chosen", "x"], ["scan"])],
        "body", [value("i", (), TensorProto.INT64), value("cond", (), TensorProto.BOOL), value("carried")],
        [value("again", (), TensorProto.BOOL), value("chosen"), value("scan")])
    trip = helper.make_tensor("trip", TensorProto.INT64, (), [3])
    weight = helper.make_tensor("w", FLOAT, (1,), [2])
    return model(graph([node("Loop", ["trip", "", "x"], ["y", "all"], name="loop", body=body)],
                       outputs=("y", value("all", (3, 1))), initializers=[trip, weight]))


def reference(op, inputs, outputs, **references):
    made = node(op, inputs, outputs)
    for name, (other, kind) in references.items():
        made.attribute.append(AttributeProto(name=name, ref_attr_name=other, type=kind))
    return made


def function(name, inputs, outputs, nodes, attributes=(), defaults=(), domain="local", opset=17):
    made = helper.make_function(domain, name, inputs, outputs, nodes,
                                [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)], list(attributes),
                                list(defaults))
    return made


LOCAL = [helper.make_opsetid("local", 1)]


def default_model():
    """An attribute that the first call leaves to the function, which onnx.inliner (1.23) does not take up."""
    leaky = function("Leaky", ["x"], ["y"], [reference("LeakyRelu", ["x"], ["y"], alpha=("slope", AttributeProto.FLOAT))], [],
                     [helper.make_attribute("slope", 0.25)])
    first, second = node("Leaky", ["x"], ["t"]), node("Leaky", ["t"], ["y"], slope=0.5)
    first.domain = second.domain = "local"
    return model(graph([first, second]), ir=9, functions=[leaky], imports=LOCAL)


def passing_model():
    """A function whose outputs are its input and one value twice."""
    passing = function("Passing", ["x"], ["x", "r", "r"], [node("Relu", ["x"], ["r"])])
    call = node("Passing", ["x"], ["a", "b", "c"])
    call.domain = "local"
    return model(graph([call, node("Sum", ["a", "b", "c"], ["y"])]), ir=9, functions=[passing], imports=LOCAL)


def function_model():
    """Nested functions with a name in common with the graph, attributes by reference, one of them left out, a Constant by
    reference, a branch that sees the function's values, and a call with an input left out."""
    inner = function("Inner", ["x", "w"], ["y"],
                     [reference("Constant", [], ["k"], value_float=("scale", AttributeProto.FLOAT)),
                      node("Mul", ["x", "k"], ["t"]), node("Clip", ["t", "w"], ["u"], name="n"),
                      reference("LeakyRelu", ["u"], ["y"], alpha=("slope", AttributeProto.FLOAT))],
                     ["scale", "slope"])
    outer = function("Outer", ["a", "flag"], ["b"],
                     [reference("Inner", ["a", ""], ["t"], scale=("factor", AttributeProto.FLOAT)),
                      node("Inner", ["t", "t"], ["s"], scale=3.0, slope=0.5),
                      node("If", ["flag"], ["b"], then_branch=branch("Relu", ["s"]), else_branch=branch("Abs", ["t"]))],
                     ["factor"])
    for each in outer.node[:2]:
        each.domain = "local"
    first = node("Outer", ["x", "flag"], ["t"], name="call", factor=2.0)
    second = node("Outer", ["t", "flag"], ["y"], factor=7.0)
    first.domain = second.domain = "local"
    return model(graph([first, second], inputs=("x", value("flag", (), TensorProto.BOOL))), ir=9, functions=[inner, outer],
                 imports=LOCAL)


# ---- what is expected

BY_HAND = {
    "defaults": ["LeakyRelu(i0.0) alpha=0.25", "LeakyRelu(n0.0.0) alpha=0.5", "return n0.1.0"],
    "passing": ["Relu(i0.0)", "Identity(i0.0)", "Identity(n0.0.0)", "Sum(n0.1.0 n0.0.0 n0.2.0)", "return n0.3.0"],
}

def attribute_text(attribute, names, depth):
    got = helper.get_attribute_value(attribute)
    if attribute.type == AttributeProto.GRAPH:
        return "{" + "; ".join(graph_lines(got, dict(names), depth + 1)) + "}"
    if attribute.type == AttributeProto.TENSOR:
        return own_bytes(numpy_helper.to_array(got)).hex()
    if attribute.type in (AttributeProto.FLOAT, AttributeProto.FLOATS):
        return " ".join(f"{x:g}" for x in ([got] if attribute.type == AttributeProto.FLOAT else got))
    if attribute.type in (AttributeProto.INT, AttributeProto.INTS):
        return " ".join(str(x) for x in ([got] if attribute.type == AttributeProto.INT else got))
    return got.decode() if isinstance(got, bytes) else " ".join(x.decode() for x in got)


def constant_value(attribute):
    if attribute.name == "value":
        return numpy_helper.to_array(attribute.t)
    kind = np.float32 if "float" in attribute.name else np.int64
    return np.array(helper.get_attribute_value(attribute), dtype=kind)


def graph_lines(g, names, depth=0):
    """A line per node; every value is called by what defines it: an input's or initializer's place, a node's, a constant's
    bytes."""
    for i, initializer in enumerate(g.initializer):
        names[initializer.name] = f"t{depth}.{i}"
    initializers = {i.name for i in g.initializer}
    for i, given in enumerate(v for v in g.input if v.name not in initializers):
        names[given.name] = f"i{depth}.{i}"
    lines = []
    for each in g.node:
        if each.op_type == "Constant":
            names[each.output[0]] = own_bytes(constant_value(each.attribute[0])).hex()
            continue
        attributes = ", ".join(f"{a.name}={attribute_text(a, names, depth)}" for a in sorted(each.attribute, key=lambda a: a.name))
        inputs = " ".join(names[i] if i else "-" for i in each.input)
        for k, output in enumerate(each.output):
            if output:
                names[output] = f"n{depth}.{len(lines)}.{k}"
        lines.append(f"{each.op_type}({inputs}) {attributes}".rstrip())
    return [*lines, "return " + " ".join(names[o.name] for o in g.output)]


def expected(made, name):
    inlined = onnx.inliner.inline_local_functions(made) if made.functions else made
    opset = next(o.version for o in made.opset_import if o.domain in ("", "ai.onnx"))
    tensors = [{"name": t.name, "type": TensorProto.DataType.Name(t.data_type).lower(), "shape": list(t.dims),
                "bytes": own_bytes(numpy_helper.to_array(t, str(FOLDER / "models"))).hex()} for t in made.graph.initializer]
    if name in BY_HAND:
        return {"opset": opset, "ir_version": made.ir_version, "tensors": [], "nodes": BY_HAND[name]}
    return {"opset": opset, "ir_version": made.ir_version, "tensors": tensors, "nodes": graph_lines(inlined.graph, {})}


def write_models():
    folder = FOLDER / "models"
    folder.mkdir(exist_ok=True)
    made = {"types_raw": types_model(True), "types_typed": types_model(False), "types_external": external_model(folder),
            "constants": constants_model(), "old": old_model(), "optional": optional_model(), "subgraphs": subgraph_model(),
            "functions": function_model(), "defaults": default_model(), "passing": passing_model()}
    found = {}
    for name, each in made.items():
        (folder / f"{name}.onnx").write_bytes(each.SerializeToString(deterministic=True))
        found[name] = expected(each, name)
    (folder / "expected.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    import make_bad_models

    write_models()
    make_bad_models.write(FOLDER / "bad")
