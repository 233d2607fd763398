"""Files that are no models to read, each wrong in one way, and what the message says of it."""

import json
import os

import make_models as m
from make_models import FLOAT, graph, helper, model, node, value
from onnx import AttributeProto, ModelProto, TensorProto

CASES = {}


def bad(says):
    def add(make):
        CASES[make.__name__] = (make, says)
        return make
    return add


def good(**changes):
    return model(graph([node("Relu", ["x"], ["y"], name="relu")]), **changes)


def with_tensor(**fields):
    tensor = TensorProto(name="w", **fields)
    return model(graph([node("Add", ["x", "w"], ["y"], name="add")], initializers=[tensor]))


def with_nodes(*nodes, **changes):
    return model(graph(list(nodes), **changes))


def external(**entries):
    tensor = TensorProto(name="w", dims=[1], data_type=FLOAT, data_location=TensorProto.EXTERNAL)
    for key, text in entries.items():
        tensor.external_data.add(key=key, value=text)
    return model(graph([node("Add", ["x", "w"], ["y"])], initializers=[tensor]))


def calling(*functions, calls=1):
    nodes = []
    for i in range(calls):
        call = node(functions[0].name, [f"v{i}" if i else "x"], ["y" if i == calls - 1 else f"v{i + 1}"], name=f"call{i}")
        call.domain = "local"
        nodes.append(call)
    return model(graph(nodes), ir=9, functions=functions, imports=m.LOCAL)


def local(op, inputs, outputs):
    made = node(op, inputs, outputs)
    made.domain = "local"
    return made


# ---- damage and versions

@bad("it is empty")
def empty():
    return b""


@bad("damaged, or not an ONNX model, at byte")
def text():
    return b"PNG or whatever\n" * 4


@bad("bytes should follow where there are")
def truncated():
    return good().SerializeToString()[:-9]


@bad("no field is of wire type 3")
def group():
    return b"\x08\x08\x3b\x3c"


@bad("a number of more than 10 bytes")
def long_number():
    return b"\x08" + b"\xff" * 11 + b"\x01"


@bad("messages nested more than")
def nested_messages():
    message = b""
    for _ in range(120):  # graph { node { attribute { graph …
        message = b"\x32" + size(message) + message
        message = b"\x2a" + size(message) + message
        message = b"\x0a" + size(message) + message
    return b"\x08\x08\x3a" + size(message) + message


def size(message):
    count, out = len(message), b""
    while count >= 128:
        out += bytes([count % 128 + 128])
        count //= 128
    return out + bytes([count])


@bad("it has no graph")
def no_graph():
    return ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 17)])


@bad("version 15 of ONNX's representation; those from 3 to 14")
def ir_too_new():
    return good(ir=15)


@bad("version 2 of ONNX's representation")
def ir_too_old():
    return good(ir=2)


@bad("operator set 6 of ONNX; those from 7 to 28")
def opset_too_old():
    return good(opset=6)


@bad("operator set 29 of ONNX")
def opset_too_new():
    return good(opset=29)


@bad("it names no operator set of ONNX")
def no_opset():
    made = good()
    made.opset_import[0].domain = "com.example"
    return made


@bad("it has two operator sets of ONNX, 17 and 18")
def two_opsets():
    return good(imports=[helper.make_opsetid("ai.onnx", 18)])


@bad("it holds the steps of a training")
def training():
    made = good()
    made.training_info.add()
    return made


# ---- tensors

@bad("initializer 'w': its shape [3] takes 12 bytes; it has 8")
def too_few_values():
    return with_tensor(dims=[3], data_type=FLOAT, float_data=[1, 2])


@bad("initializer 'w': its shape [1] takes 4 bytes; it has 5")
def too_many_bytes():
    return with_tensor(dims=[1], data_type=FLOAT, raw_data=b"12345")


@bad("is larger than memory")
def overflowing_shape():
    return with_tensor(dims=[1 << 40, 1 << 40, 1 << 40], data_type=FLOAT, raw_data=b"1234")


@bad("its shape [-1] has a negative size")
def negative_size():
    return with_tensor(dims=[-1], data_type=FLOAT)


@bad("it has 40 axes; at most 32")
def too_many_axes():
    return with_tensor(dims=[1] * 40, data_type=FLOAT, float_data=[1])


@bad("its elements are of type 77")
def unknown_type():
    return with_tensor(dims=[1], data_type=77, raw_data=b"1")


@bad("its elements are of undefined")
def no_type():
    return with_tensor(dims=[1], raw_data=b"1")


@bad("it holds strings")
def string_tensor():
    return with_tensor(dims=[1], data_type=TensorProto.STRING, string_data=[b"a"])


@bad("its value 300 is out of its type's range")
def value_out_of_range():
    return with_tensor(dims=[1], data_type=TensorProto.UINT8, int32_data=[300])


@bad("its value 2 is no bool")
def no_bool():
    return with_tensor(dims=[1], data_type=TensorProto.BOOL, int32_data=[2])


@bad("values both raw and typed")
def raw_and_typed():
    return with_tensor(dims=[1], data_type=FLOAT, float_data=[1], raw_data=b"1234")


@bad("it is one segment of a tensor")
def segment():
    return with_tensor(dims=[1], data_type=FLOAT, float_data=[1], segment=TensorProto.Segment(begin=0, end=1))


@bad("initializer 'v' is sparse")
def sparse():
    made = good()
    made.graph.sparse_initializer.add().values.name = "v"
    return made


# ---- external data

@bad("its external data have no location")
def external_without_location():
    return external(offset="0")


@bad("are at '/etc/passwd'; expected a file in the model's folder")
def external_absolute():
    return external(location="/etc/passwd")


@bad("are at 'data/../../secret'; expected a file in the model's folder")
def external_above():
    return external(location="data/../../secret")


@bad("'nowhere': No such file or directory")
def external_missing():
    return external(location="nowhere")


@bad("are a link out of the model's folder")
def external_link():
    return external(location="link.data")


@bad("not a regular file")
def external_folder():
    return external(location=".")


@bad("4 bytes at 61, end beyond 'short.data', of 64 bytes")
def external_beyond():
    return external(location="short.data", offset="61")


@bad("4 bytes at 18446744073709551615, end beyond")
def external_offset_overflow():
    return external(location="short.data", offset="18446744073709551615")


@bad("its external data are 8 bytes; its shape takes 4")
def external_length():
    return external(location="short.data", length="8")


@bad("the offset of its external data is '-4', not a number of bytes")
def external_negative():
    return external(location="short.data", offset="-4")


# ---- graphs

@bad("value 'y' is defined twice")
def defined_twice():
    return with_nodes(node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"], name="abs"))


@bad("input 'x': value 'x' is defined twice")
def twice_by_inputs():
    made = good()
    made.graph.initializer.add(name="z", dims=[1], data_type=FLOAT, float_data=[1])
    made.graph.node.insert(0, node("Relu", ["z"], ["q"]))
    made.graph.initializer.add(name="x2", dims=[1], data_type=FLOAT, float_data=[1])
    made.graph.node.append(loop_with_outer_name())
    return made


def loop_with_outer_name():
    body = helper.make_graph([node("Identity", ["c"], ["d"])], "body",
                             [value("x", (), TensorProto.INT64), value("c", (), TensorProto.BOOL)],
                             [value("d", (), TensorProto.BOOL)])
    return node("Loop", ["", ""], [], name="loop", body=body)


@bad("two inputs 'x'")
def two_inputs():
    made = good()
    made.graph.input.append(made.graph.input[0])
    return made


@bad("value 'w' is defined twice")
def two_initializers():
    made = with_tensor(dims=[1], data_type=FLOAT, float_data=[1])
    made.graph.initializer.append(made.graph.initializer[0])
    return made


@bad("node 'first' (Relu): its input 'a' is defined later, by node 'second'")
def out_of_order():
    return with_nodes(node("Relu", ["a"], ["y"], name="first"), node("Abs", ["x"], ["a"], name="second"))


@bad("node 'relu' (Relu): nothing defines its input 'missing'")
def undefined_input():
    return with_nodes(node("Relu", ["missing"], ["y"], name="relu"))


@bad("its input 'y' is defined later, by node 'self'")
def of_itself():
    return with_nodes(node("Add", ["x", "y"], ["y"], name="self"))


@bad("nothing computes output 'y'")
def undefined_output():
    return with_nodes(node("Relu", ["x"], ["z"]))


@bad("has no outputs")
def no_outputs():
    return with_nodes(node("Relu", ["x"], ["y"]), outputs=())


@bad("node 'Foo_0' (Foo): operator 'Foo' of domain 'com.microsoft'")
def other_domain():
    made = node("Foo", ["x"], ["y"])
    made.domain = "com.microsoft"
    return with_nodes(made)


@bad("node 'q' (QuantizeLinear): QuantizeLinear: the model is already quantized")
def quantized():
    return with_nodes(node("QuantizeLinear", ["x", "x"], ["y"], name="q"))


@bad("node 's' (SequenceConstruct): SequenceConstruct: sequences")
def sequence():
    return with_nodes(node("SequenceConstruct", ["x"], ["y"], name="s"))


@bad("value 'x': a sequence, optional, map or sparse tensor")
def sequence_input():
    info = helper.make_tensor_sequence_value_info("x", FLOAT, (1,))
    return with_nodes(node("Identity", ["x"], ["y"]), inputs=(info,))


@bad("value 'x': it holds strings")
def string_input():
    return with_nodes(node("Identity", ["x"], ["y"]), inputs=(value("x", (1,), TensorProto.STRING),))


@bad("value 'x': a size of -5")
def negative_dimension():
    return with_nodes(node("Identity", ["x"], ["y"]), inputs=(value("x", (-5,)),))


@bad("node 'n' (Relu): two attributes 'a'")
def two_attributes():
    made = node("Relu", ["x"], ["y"], name="n", a=1)
    made.attribute.append(made.attribute[0])
    return with_nodes(made)


@bad("attribute 'a': it has no type")
def untyped_attribute():
    made = node("Relu", ["x"], ["y"])
    made.attribute.add(name="a", i=3)
    return with_nodes(made)


@bad("node 'c' (Constant): attribute 'value_string'")
def string_constant():
    return with_nodes(node("Constant", [], ["c"], name="c", value_string="a"), node("Relu", ["x"], ["y"]))


@bad("attribute 'sparse_value': sparse tensors are not read")
def sparse_constant():
    made = node("Constant", [], ["c"])
    made.attribute.add(name="sparse_value", type=AttributeProto.SPARSE_TENSOR)
    return with_nodes(made, node("Relu", ["x"], ["y"]))


@bad("is not UTF-8 text")
def control_characters():
    return with_nodes(node("Relu", ["x"], ["y"], name="a\nb"))


@bad("graphs nested more than 24 deep")
def nested_graphs():
    inner = m.branch("Relu", ["x"])
    for i in range(26):
        inner = helper.make_graph([node("If", ["f"], [f"r{i}"], then_branch=inner, else_branch=inner)] if i < 1 else
                                  [node("If", ["f"], [f"r{i}"], then_branch=inner)], "g", [], [value(f"r{i}")])
    return with_nodes(node("If", ["f"], ["y"], then_branch=inner), inputs=("x", value("f", (), TensorProto.BOOL)))


# ---- functions

@bad("function 'F' calls itself")
def recursion():
    return calling(m.function("F", ["a"], ["b"], [local("G", ["a"], ["b"])]),
                   m.function("G", ["a"], ["b"], [local("F", ["a"], ["b"])]))


@bad("its functions take more than 4 MiB once they are inlined")
def exponential_functions():
    functions = [m.function(f"F{i}", ["a"], ["b"], [local(f"F{i + 1}", ["a"], ["c"]), local(f"F{i + 1}", ["c"], ["b"])])
                 for i in range(20)]
    functions.append(m.function("F20", ["a"], ["b"], [node("Relu", ["a"], ["c"]), node("Abs", ["c"], ["b"])]))
    return calling(*functions)


@bad("two functions 'F' of domain 'local'")
def two_functions():
    each = m.function("F", ["a"], ["b"], [node("Relu", ["a"], ["b"])])
    return calling(each, each)


@bad("function 'F' does not compute its output 'y'")
def function_without_output():
    return calling(m.function("F", ["a"], ["b"], [node("Relu", ["a"], ["c"])]))


@bad("function 'F' has 0 inputs and 1 outputs; the call has 1 and 1")
def too_many_arguments():
    return calling(m.function("F", [], ["b"], [node("Relu", ["a"], ["b"])]))


@bad("nothing defines its input 'x'")
def function_sees_no_outer_name():
    return calling(m.function("F", ["a"], ["b"], [node("Relu", ["x"], ["b"])]))


def write(folder):
    folder.mkdir(exist_ok=True)
    (folder / "short.data").write_bytes(bytes(64))
    for name, (make, _) in CASES.items():
        made = make()
        (folder / f"{name}.onnx").write_bytes(made if isinstance(made, bytes) else made.SerializeToString(deterministic=True))
    if not os.path.lexists(folder / "link.data"):
        os.symlink("../make_models.py", folder / "link.data")
    (folder / "expected.json").write_text(json.dumps({name: says for name, (_, says) in CASES.items()}, indent=1) + "\n")
