"""Writes the models of make_models.py as archives of torch.export.

    python tests/network/make_exported.py

Per case of the folder cases/: exported/CASE.KIND.pt2, what is expected of which stands in models/CASE.json, as of the TorchScript
files of the case. Kinds: plain (export alone), dynamic (any number of samples), core (run_decompositions), training (exported in
training mode). exported/archives.json lists them. Cases that torch.export cannot follow have none.

exported/layouts/: one of them in the containers of earlier PyTorch versions (LAYOUTS). exported/refused/: one of them, damaged or with
what has no meaning outside of Python, and in refused.json what the message about each must hold.
"""

import collections
import copy
import io
import json
import os
import pathlib
import sys
import warnings
import zipfile
import zlib

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from cases.case import Case
from make_models import GROUPS, MODELS, run, tensor_json

EXPORTED = pathlib.Path(__file__).parent / "exported"
LARGEST = 60_000
LAYOUTS = "small_resnet"
DROPPED = ("data/sample_inputs/", "extra/", ".data/serialization_id")


def without_traces(node) -> None:
    """Stack traces hold the paths of the machine that the archive was made on."""
    if isinstance(node, dict):
        node.pop("stack_trace", None)
        for value in node.values():
            without_traces(value)
    elif isinstance(node, list):
        for value in node:
            without_traces(value)


def save(program: torch.export.ExportedProgram, path: pathlib.Path) -> None:
    """Saves as torch.export does, but for stack traces and example inputs, and compressed."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    with zipfile.ZipFile(buffer) as full, zipfile.ZipFile(path, "w") as small:
        root = os.path.commonprefix(full.namelist())
        for record in full.infolist():
            name = record.filename.removeprefix(root)
            if name.startswith(DROPPED):
                continue
            content = full.read(record)
            if name.startswith("models/"):
                document = json.loads(content)
                without_traces(document)
                content = json.dumps(document, separators=(",", ":")).encode()
            small.writestr(zipfile.ZipInfo(f"{path.stem}/{name}"), content, zipfile.ZIP_DEFLATED, 9)


def parts_of(path: pathlib.Path) -> dict[str, bytes]:
    """Contents of an archive by name, without its root."""
    with zipfile.ZipFile(path) as archive:
        return {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}


def write_archive(path: pathlib.Path, parts: dict[str, bytes], root: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(root + name), content, zipfile.ZIP_DEFLATED, 9)


def saved(tensors: dict) -> bytes:
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


def write_layouts(path: pathlib.Path, program: torch.export.ExportedProgram) -> None:
    """As PyTorch 2.6 and 2.7 (flat), and 2.8 (weights by torch.save in a folder) wrote them."""
    parts = parts_of(path)
    state = collections.OrderedDict((name, nn.Parameter(value) if isinstance(value, nn.Parameter) else value)
                                    for name, value in program.state_dict.items())
    weights, constants = saved(state), saved(dict(program.constants))
    flat = {"serialized_exported_program.json": parts["models/model.json"], "serialized_state_dict.pt": weights,
            "serialized_constants.pt": constants, "version": b"8.2"}
    write_archive(EXPORTED / "layouts" / "flat.pt2", flat, "")
    pickled = {name: content for name, content in parts.items() if not name.startswith(("data/weights", "data/constants"))}
    pickled |= {"data/weights/model.pt": weights, "data/constants/model.pt": constants}
    write_archive(EXPORTED / "layouts" / "pickled.pt2", pickled, "model/")


def damaged_programs():
    """Name, what is done to the program's JSON, and what the message must hold."""
    nodes = lambda program: program["graph_module"]["graph"]["nodes"]

    def add_node(target: str):
        return lambda program: nodes(program)[0].update({"target": target})

    def nest(program) -> None:
        value = {"as_int": 1}
        for _ in range(400):
            value = {"as_expr": value}
        program["deep"] = value

    def input_kind(kind: str):
        return lambda program: program["graph_module"]["signature"]["input_specs"].insert(0, {kind: {"arg": {}}})

    yield "schema_7", lambda p: p["schema_version"].update(major=7, minor=3), ["7.3", "PyTorch 2.6 or later"]
    yield "schema_9", lambda p: p["schema_version"].update(major=9), ["9.", "newer bitplan"]
    yield "no_nodes", lambda p: p["graph_module"]["graph"].pop("nodes"), ["nodes"]
    yield "no_signature", lambda p: p["graph_module"].pop("signature"), ["signature"]
    yield "deep", nest, ["nested deeper"]
    yield "of_a_library", add_node("torch.ops.mine.blur.default"), ["torch.ops.mine.blur", "no operator of this name"]
    yield "python", add_node("my_module.my_function"), ["my_module.my_function", "not one of PyTorch's operators"]
    yield "scan", add_node("torch.ops.higher_order.scan"), ["higher_order.scan", "higher order"]
    yield "autocast", add_node("torch.ops.higher_order.wrap_with_autocast"), ["autocast", "float32"]
    yield "before_made", lambda p: nodes(p).reverse(), ["before anything makes it"]
    yield "made_twice", lambda p: nodes(p).append(nodes(p)[0]), ["made twice"]
    yield "argument_missing", lambda p: nodes(p)[0].update(inputs=[]), ["missing"]
    yield "argument_unknown", lambda p: nodes(p)[0]["inputs"].append(dict(nodes(p)[0]["inputs"][0], name="nothing")), ["argument 'nothing'"]
    yield "argument_kind", lambda p: nodes(p)[0]["inputs"][0].update(arg={"as_dream": 1}), ["as_dream"]
    yield "argument_no_union", lambda p: nodes(p)[0]["inputs"][0].update(arg=3), ["one member"]
    yield "custom_object", input_kind("custom_obj"), ["custom_obj"]
    yield "no_outputs", lambda p: p["graph_module"]["signature"].update(output_specs=[]), ["returns nothing"]


def damaged_weights():
    """The same of what is said of the tensors, by the description of the first one."""
    fixed = lambda numbers: [{"as_int": n} for n in numbers]
    meta = lambda t: t["tensor_meta"]
    yield "too_small", lambda t: meta(t).update(sizes=fixed([4096, 4096]), strides=fixed([4096, 1])), ["elements", "bytes"]
    yield "overflow", lambda t: meta(t).update(sizes=fixed([1 << 40, 1 << 40]), strides=fixed([1 << 40, 1])), ["too large"]
    yield "negative_stride", lambda t: meta(t).update(strides=fixed([-1] * len(meta(t)["strides"]))), ["stride"]
    yield "negative_offset", lambda t: meta(t).update(storage_offset={"as_int": -8}), ["begins at"]
    yield "few_strides", lambda t: meta(t).update(strides=[]), ["strides"]
    yield "type_unknown", lambda t: meta(t).update(dtype=77), ["77"]
    yield "sparse", lambda t: meta(t).update(layout=2), ["sparse"]
    yield "subclass", lambda t: t.update(use_pickle=True), ["subclass"]
    yield "outside", lambda t: t.update(path_name="../../weight_0"), ["no entry"]


def write_refused(path: pathlib.Path) -> None:
    folder, messages = EXPORTED / "refused", {}

    def write(name: str, parts: dict[str, bytes], message: list[str]) -> None:
        write_archive(folder / f"{name}.pt2", parts, "model/")
        messages[f"{name}.pt2"] = message

    for cases, entry in ((damaged_programs, "models/model.json"), (damaged_weights, "data/weights/model_weights_config.json")):
        for name, change, message in cases():
            parts = parts_of(path)
            document = json.loads(parts[entry])
            change(document if cases is damaged_programs else next(iter(document["config"].values())))
            write(name, parts | {entry: json.dumps(document).encode()}, message)
    parts = parts_of(path)
    write("no_json", parts | {"models/model.json": parts["models/model.json"][:-100]}, ["parse error"])
    write("no_weight", {n: c for n, c in parts.items() if n != "data/weights/weight_0"}, ["no entry", "weight_0"])
    write("two_programs", parts | {"models/other.json": b"{}"}, ["2 programs"])
    write("compiled", {n: c for n, c in parts.items() if not n.startswith("models/")}, ["no exported program", "AOTInductor"])
    (folder / "refused.json").write_text(json.dumps(messages, indent=1) + "\n")


def first_of(output) -> torch.Tensor:
    """The first tensor of an output, in float64."""
    return next(x for x in tree_leaves(output) if isinstance(x, torch.Tensor)).double()


def export(case: Case, kind: str) -> torch.export.ExportedProgram:
    model = copy.deepcopy(case.model).train(kind == "training")
    inputs = tuple(x.clone() for x in case.inputs) + tuple(case.arguments)
    shapes = None
    if kind == "training" and case.name == "weight_norm_hooks":
        raise ValueError("its copy makes another weight in training mode")  # spectral norm's vectors are drawn anew
    if kind == "dynamic":
        if not case.batch_first or any(x.shape[0] < 2 for x in case.inputs):
            raise ValueError("no samples")
        samples = torch.export.Dim("samples")
        shapes = tuple({0: samples} if isinstance(x, torch.Tensor) and x.dim() else None for x in inputs)
    with torch.no_grad():
        program = torch.export.export(model, inputs, dynamic_shapes=shapes, strict=False)
        if kind == "core":
            program = program.run_decompositions()
        if kind != "training" and not torch.allclose(first_of(copy.deepcopy(program).module()(*copy.deepcopy(inputs))), first_of(run(case)), atol=1e-4):
            raise ValueError("the program computes something else than its model")
        return program


def write_case(case: Case) -> list[str]:
    case.model.eval()
    kinds = []
    has_modes = any(isinstance(m, (nn.modules.batchnorm._BatchNorm, nn.Dropout, nn.RNNBase, nn.MultiheadAttention))
                    for m in case.model.modules())
    for kind in ("plain", "dynamic", "core") + (("training",) if has_modes else ()):
        path = EXPORTED / f"{case.name}.{kind}.pt2"
        try:
            save(export(case, kind), path)
        except Exception as error:  # whatever torch.export does not take
            print(f"{case.name}.{kind}: {type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}")
            path.unlink(missing_ok=True)
            continue
        if path.stat().st_size > LARGEST:
            print(f"{case.name}.{kind}: {path.stat().st_size} bytes")
            path.unlink()
            continue
        kinds.append(kind)
    return kinds


def take_as_written(case: Case) -> None:
    """Takes the inputs and weights that make_models.py has written: how many random numbers were drawn before is not known."""
    case.model.eval()
    written = json.loads((MODELS / f"{case.name}.json").read_text())["inputs"]
    case.inputs = [torch.tensor(x["values"], dtype=getattr(torch, x["dtype"])).reshape(x["shape"]) for x in written]
    for kind in case.kinds:
        if kind.startswith("frozen"):
            continue
        state = torch.jit.load(MODELS / f"{case.name}.{kind}.pt").state_dict()
        for name, tensor in case.model.state_dict(keep_vars=True).items():
            if name in state and isinstance(tensor, torch.Tensor) and tensor.shape == state[name].shape:
                tensor.data.copy_(state[name])
        return


def is_as_written(case: Case) -> bool:
    """Whether the case gives what make_models.py has written of it."""
    written = json.loads((MODELS / f"{case.name}.json").read_text())["outputs"]
    output = run(case)
    outputs = case.outputs(output) if case.outputs else {"": output}
    numbers = lambda values: torch.tensor([float(v) for v in values], dtype=torch.double)
    return all(torch.allclose(numbers(tensor_json(value)["values"]), numbers(written[name]["values"]), rtol=1e-4, atol=1e-5, equal_nan=True)
               for name, value in outputs.items())


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    EXPORTED.mkdir(exist_ok=True)
    for old in EXPORTED.rglob("*.*"):
        old.unlink()
    archives = {}
    for group in GROUPS:
        torch.manual_seed(zlib.crc32(group.__name__.encode()))
        for case in group.cases():
            if case.name.endswith("_traced"):  # what tracing makes of cells
                continue
            take_as_written(case)
            if not is_as_written(case):
                print(f"{case.name}: its tensors that are no state are others than when it was written")
            elif kinds := write_case(case):
                archives[case.name] = kinds
            if case.name == LAYOUTS:
                write_layouts(EXPORTED / f"{LAYOUTS}.plain.pt2", export(case, "plain"))
                write_refused(EXPORTED / f"{LAYOUTS}.plain.pt2")
    (EXPORTED / "archives.json").write_text(json.dumps(archives, indent=1) + "\n")
    size = sum(file.stat().st_size for file in EXPORTED.rglob("*.*"))
    print(f"{sum(map(len, archives.values()))} archives, {size} bytes")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # as in make_models.py
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    main()
