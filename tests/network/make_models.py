"""Writes the models that the network tests load, and what PyTorch makes of them.

    python tests/network/make_models.py

Per case of the folder cases/: models/CASE.KIND.pt, the model as a TorchScript file, one for each kind (scripted, traced,
frozen, …), and models/CASE.json, what is expected of all of them: output of the eager module, layers, multiply-accumulates,
what each layer reads and makes. Nothing of bitplan takes part. The numbers are the same each time; freezing may order the
statements of a file differently. Multiply-accumulates are counted by hooks or stated by
formula, and their sum is compared with PyTorch's own FlopCounterMode.
"""

import copy
import hashlib
import io
import json
import os
import pathlib
import pickle
import sys
import warnings
import zipfile
import zlib

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from cases import attention, batch_norms, computed_weights, control_flow, convolutions, in_place, inputs_outputs, numbers
from cases import products, recurrent, state
from cases.case import Case, HookCounter

MODELS = pathlib.Path(__file__).parent / "models"
GROUPS = (convolutions, batch_norms, products, recurrent, attention, control_flow, inputs_outputs, state, numbers, in_place,
          computed_weights)


def save(module: torch.jit.ScriptModule, path: pathlib.Path) -> None:
    """Saves without the debug records, which hold the paths of the machine that the file was made on."""
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    with zipfile.ZipFile(buffer) as full, zipfile.ZipFile(path, "w") as small:
        for record in full.infolist():
            if not record.filename.endswith(".debug_pkl"):
                name = record.filename.replace("archive/", path.stem + "/", 1)
                small.writestr(zipfile.ZipInfo(name), full.read(record), zipfile.ZIP_DEFLATED, 9)
    assert path.stat().st_size < 60_000, path


def sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def export(case: Case, kind: str) -> torch.jit.ScriptModule:
    model = copy.deepcopy(case.model)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    inputs = tuple(x.clone() for x in case.inputs)
    if kind == "training":
        return torch.jit.script(model.train())
    if kind == "plain":
        return torch.jit.script(case.plain)
    if kind in ("scripted", "frozen"):
        module = torch.jit.script(model.eval())
    else:
        with torch.set_grad_enabled(kind == "traced_grad"):
            module = torch.jit.trace(model.eval(), inputs, check_trace=False, strict=False)
        module.load_state_dict(copy.deepcopy(case.model).state_dict())  # tracing has run it, which may have written to buffers
    return torch.jit.freeze(module) if kind.startswith("frozen") else module


def run(case: Case):
    """Output of a fresh copy, so that state is that of the file."""
    with torch.no_grad():
        return copy.deepcopy(case.model)(*(x.clone() for x in case.inputs), *case.arguments)


def tensor_json(tensor: torch.Tensor) -> dict:
    dtype = str(tensor.dtype).removeprefix("torch.")
    values = tensor.detach().flatten()
    values = values.double() if tensor.is_floating_point() else values.to(torch.int64)
    numbers_ = [float(f"{v:.9g}") if isinstance(v, float) else v for v in values.tolist()]
    return {"dtype": dtype, "shape": list(tensor.shape), "values": numbers_}


def sample_of(case: Case) -> list[torch.Tensor]:
    return [x[:1].clone() if case.batch_first else x.clone() for x in case.inputs]


def check_total(case: Case, layers) -> None:
    """PyTorch's counter sees the plain operators only where autograd keeps the fused ones away."""
    model = copy.deepcopy(case.model)
    with FlopCounterMode(display=False) as counter, torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
        model(*sample_of(case), *case.arguments)
    expected = sum(layer.macs for layer in layers) + case.activation_macs
    assert counter.get_total_flops() == 2 * expected, (case.name, counter.get_total_flops() / 2, expected)


def derivatives(case: Case) -> dict:
    """Gradient g of s(w) = Σ cos(i) · y_i² in the weights, and the Hessian's product with v = sin(j), in float64."""
    model = copy.deepcopy(case.plain or case.model).double()
    weights = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()
               if name.endswith("weight") and p.dim() > 1}
    output = functional_call(model, weights, tuple(x.double() for x in case.inputs)).flatten()
    scalar = (torch.cos(torch.arange(output.numel(), dtype=torch.double)) * output**2).sum()
    gradients = torch.autograd.grad(scalar, list(weights.values()), create_graph=True)
    directions = [torch.sin(torch.arange(w.numel(), dtype=torch.double)).view_as(w) for w in weights.values()]
    slope = sum((g * v).sum() for g, v in zip(gradients, directions))
    second = torch.autograd.grad(slope, list(weights.values()))
    return {
        name: {"gradient": tensor_json(g), "hessian_product": tensor_json(h)}
        for name, g, h in zip(weights, gradients, second)
    }


def expectations(case: Case) -> dict:
    hooks = None
    if case.layers is None:
        sample = [x.float() if x.is_floating_point() else x for x in sample_of(case)]
        hooks = HookCounter(copy.deepcopy(case.model).float(), sample + case.arguments)
    layers = list(hooks.layers.values()) if hooks else case.layers
    if case.counted:
        check_total(case, layers)
    output = run(case)
    if case.plain:
        with torch.no_grad():
            assert torch.allclose(case.plain(*(x.clone() for x in case.inputs)), output, atol=1e-6), case.name
    outputs = case.outputs(output) if case.outputs else {"": output}
    expected = {
        "kinds": list(case.kinds),
        "inputs": [tensor_json(x) for x in case.inputs],
        "outputs": {name: tensor_json(value) for name, value in outputs.items()},
        "tolerance": case.tolerance,
        "batch_first": case.batch_first,
        "layers": [vars(layer) for layer in layers],
        "left_in_float": [vars(entry) for entry in case.floats],
        "batch_norms": list(case.batch_norms),
        "foldable": case.foldable,
    }
    if case.tied is not None or hooks:
        expected["tied"] = case.tied if case.tied is not None else hooks.tied()
    if hooks and case.visits:
        expected["visits"] = hooks.visits
    if case.derivatives:
        expected["derivatives"] = derivatives(case)
    return expected


def write_case(case: Case) -> None:
    case.model.eval()
    for kind in case.kinds:
        module = export(case, kind)
        graph = getattr(module, "inlined_graph", "")  # a module with overloads has none
        wanted = case.contains.get(kind, "")
        assert wanted in str(graph), (case.name, kind, wanted)
        save(module, MODELS / f"{case.name}.{kind}.pt")
    expected = expectations(case)
    expected["sha256"] = {kind: sha256(MODELS / f"{case.name}.{kind}.pt") for kind in case.kinds}
    (MODELS / f"{case.name}.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


def write_refused() -> None:
    for name, model in inputs_outputs.refused():
        save(torch.jit.script(model.eval()), MODELS / f"refused_{name}.pt")
    parameters = {}
    for name, model, parameter in numbers.damaged():
        save(torch.jit.script(model.eval()), MODELS / f"refused_{name}.pt")
        parameters[f"refused_{name}.pt"] = parameter
    (MODELS / "refused.json").write_text(json.dumps(parameters, indent=1) + "\n")
    torch.save(products.Mlp().state_dict(), MODELS / "refused_state_dict.pt")
    torch.save(nn.Linear(2, 2), MODELS / "refused_pickled_module.pt")
    (MODELS / "refused_pickle.pt").write_bytes(pickle.dumps({"weight": [1.0, 2.0]}))
    with zipfile.ZipFile(MODELS / "refused_zip.pt", "w") as archive:
        archive.writestr(zipfile.ZipInfo("hello.txt"), "hello")


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    MODELS.mkdir(exist_ok=True)
    for old in MODELS.iterdir():
        old.unlink()
    names = set()
    for group in GROUPS:
        torch.manual_seed(zlib.crc32(group.__name__.encode()))
        for case in group.cases():
            assert case.name not in names, case.name
            names.add(case.name)
            write_case(case)
    write_refused()
    print(f"{len(names)} cases, {sum(f.stat().st_size for f in MODELS.iterdir())} bytes")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # scripting goes through sets of names; their order is to be the same each time
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    main()
