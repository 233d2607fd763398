"""usage: interop.py TOOL SCRATCH [NAME …]; see interop.sh."""

import json
import pathlib
import sys
import traceback
import types
import warnings

import torch

from models import Case, Convolutions, Linears

warnings.filterwarnings("ignore")
MIXED = {"conv1": 8, "conv2": 3, "fc": 4}
# Quantizers at the inputs of layers, where plans have them; AIMET's own configuration has them at outputs.
AIMET_CONFIG = {"defaults": {"ops": {}, "params": {"is_quantized": "True", "is_symmetric": "True"}, "per_channel_quantization": "True"},
                "params": {"bias": {"is_quantized": "False"}},
                "op_type": {each: {"is_input_quantized": "True"} for each in ("Conv", "Gemm", "MatMul")},
                "supergroups": [], "model_input": {"is_input_quantized": "True"}, "model_output": {}}
GROUPS = {"fc1": 4, "fc2": 8, "fc3": 2}


def module_of(file):
    module = types.ModuleType("recipe")
    exec(compile(file.read_text(), str(file), "exec"), module.__dict__)
    return module


def difference(a, b):
    """Largest difference, relative to the largest value."""
    return ((a - b).abs().max() / b.abs().max()).item()


def outputs(network, case, quantized):
    with torch.no_grad():
        return difference(network(case.samples), quantized(case.samples))


def aimet_torch(case):
    from aimet_torch.quantsim import QuantizationSimModel

    file, quantized = case.export("aimet", MIXED, activation={"bits": 8}, flavor="torch")
    config = case.folder / "aimet.json"
    config.write_text(json.dumps(AIMET_CONFIG))
    sim = QuantizationSimModel(case.network, case.samples[:1], config_file=str(config))
    sim.load_encodings(str(file), strict=True, partial=False)
    for name in MIXED:
        scale = sim.model.get_submodule(name).param_quantizers["weight"].get_scale()
        yield f"scales of {name}", difference(scale.flatten(), case.scales(quantized, name).flatten())
    yield "output", outputs(sim.model, case, quantized)


def aimet_onnx(case):
    import onnx
    from aimet_onnx.quantsim import QuantizationSimModel, load_encodings_to_sim

    model = case.folder / "model.onnx"
    torch.onnx.export(case.network, (case.samples,), model, dynamo=False, input_names=["x"], opset_version=13)
    for version, activation in (("1.0.0", {"bits": 32}), ("2.0.0", {"bits": 32}), ("1.0.0", {"bits": 8})):
        file, quantized = case.export("aimet", MIXED, activation=activation, flavor=version, model=model.name)
        sim = QuantizationSimModel(onnx.load(model), config_file="default")
        load_encodings_to_sim(sim, json.loads(file.read_text()), strict=False)
        for name in MIXED:
            encodings = sim.qc_quantize_op_dict[f"{name}.weight"].get_encodings()
            scale = torch.tensor([each.delta for each in encodings])
            yield f"{version}: scales of {name}", difference(scale, case.scales(quantized, name).flatten())
        result = torch.tensor(sim.session.run(None, {"x": case.samples.numpy()})[0])
        yield f"{version}: output, inputs of {activation['bits']} bits", difference(result, quantized(case.samples))


def modelopt(case):
    import modelopt.torch.quantization as mtq

    for activation in ({"bits": 32}, {"bits": 8, "scheme": "symmetric"}):
        file, quantized = case.export("modelopt", MIXED, activation=activation)
        recipe = json.loads(file.read_text())
        amax = recipe.pop("amax")
        network = Convolutions().eval()
        network.load_state_dict(case.network.state_dict())
        network = mtq.quantize(network, recipe, lambda each: each(case.samples))
        for name, numbers in amax.items():
            quantizer = network.get_submodule(name)
            quantizer.amax = torch.tensor(numbers).view(quantizer.amax.shape)
        yield f"output, inputs of {activation['bits']} bits", outputs(network, case, quantized)
        for name, bits in MIXED.items():
            scale = network.get_submodule(name).weight_quantizer.amax.flatten() / (2 ** (bits - 1) - 1)
            yield f"scales of {name}", difference(scale, case.scales(quantized, name).flatten())


def torchao(case):
    from torchao.core.config import config_from_dict
    from torchao.quantization import quantize_

    for weight in ({"granularity": "channel"}, {"granularity": "group", "group_size": 32}):
        file, _ = case.export("torchao", GROUPS, weight=weight)
        network = Linears().eval()
        quantize_(network, config_from_dict(json.loads(file.read_text())), filter_fn=None)
        for name, bits in GROUPS.items():
            made = network.get_submodule(name).weight
            assert str(made.target_dtype) == f"torch.int{bits}", made.target_dtype
            assert made.block_size[1] == weight.get("group_size", made.shape[1])
            yield f"{weight['granularity']}: width of {name}, as the plan has it", 0


def torchao_codes(case):
    from safetensors import safe_open
    from torchao.prototype.safetensors.safetensors_support import unflatten_tensor_state_dict

    for weight in ({"granularity": "channel"}, {"granularity": "group", "group_size": 32},
                   {"granularity": "group", "group_size": 32, "scheme": "asymmetric"}):
        file, quantized = case.export("torchao-safetensors", GROUPS, weight=weight)
        with safe_open(file, "pt") as opened:
            state, _ = unflatten_tensor_state_dict({key: opened.get_tensor(key) for key in opened.keys()}, opened.metadata())
        network = Linears().eval()
        network.load_state_dict(state, assign=True)
        yield f"{weight}: output", outputs(network, case, quantized)


def brevitas(case):
    file, quantized = case.export("brevitas", MIXED)
    network = module_of(file).quantize(Convolutions())
    network.load_state_dict(case.network.state_dict(), strict=False)
    for name in MIXED:
        yield f"weight of {name}", difference(network.get_submodule(name).quant_weight().value, case.weight(quantized, name))
    yield "output", outputs(network, case, quantized)


def mct(case):
    import model_compression_toolkit as toolkit

    bits = {"conv1": 8, "conv2": 4, "fc": 2}
    file, _ = case.export("mct", bits)
    config = toolkit.core.CoreConfig(bit_width_config=module_of(file).bit_width_config())
    network, _ = toolkit.ptq.pytorch_post_training_quantization(
        case.network, lambda: iter([[case.samples[:4].numpy()]]), target_platform_capabilities=toolkit.get_target_platform_capabilities("4.0"),
        core_config=config)
    for name, width in bits.items():
        quantizer = network.get_submodule(name).weights_quantizers["weight"]
        assert quantizer.num_bits == width, (name, quantizer.num_bits)
        yield f"width of {name}, as the plan has it", 0


def ort_overrides(case):
    import onnx
    from onnx import numpy_helper
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    bits = {"conv1": 8, "conv2": 8, "fc": 4}
    file, quantized = case.export("ort-overrides", bits)
    model, made = case.folder / "model.onnx", case.folder / "made.onnx"
    torch.onnx.export(case.network, (case.samples[:1],), model, dynamo=False, input_names=["x"], opset_version=21)

    class Samples(CalibrationDataReader):
        def __init__(self):
            self.left = [{"x": case.samples[:1].numpy()}]

        def get_next(self):
            return self.left.pop() if self.left else None

    quantize_static(str(model), str(made), Samples(), quant_format=QuantFormat.QDQ, per_channel=True,
                    extra_options={"TensorQuantOverrides": module_of(file).tensor_quant_overrides()})
    tensors = {each.name: numpy_helper.to_array(each) for each in onnx.load(made).graph.initializer}
    for name in bits:
        scale = torch.tensor(tensors[f"{name}.weight_scale"])
        yield f"scales of {name}", difference(scale, case.scales(quantized, name).flatten())


def coreml(case):
    import coremltools

    file, quantized = case.export("coreml", {"conv1": 8, "conv2": 4, "fc": 4})
    model = coremltools.convert(torch.jit.load(file), inputs=[coremltools.TensorType(name="x", shape=case.samples[:1].shape)],
                                minimum_deployment_target=coremltools.target.iOS18, convert_to="mlprogram",
                                compute_precision=coremltools.precision.FLOAT32, skip_model_load=True)
    scales = {}
    for op in model._mil_program.functions["main"].find_ops(op_type="constexpr_blockwise_shift_scale"):
        scales[tuple(op.data.val.shape)] = torch.tensor(op.scale.val).flatten()
    assert len(scales) == 3, scales.keys()
    for name in ("conv1", "conv2", "fc"):
        shape = tuple(case.network.get_submodule(name).weight.shape)
        yield f"scales of {name}", difference(scales[shape], case.scales(quantized, name).flatten())


CHECKS = {"aimet-torch": (aimet_torch, Convolutions), "aimet-onnx": (aimet_onnx, Convolutions), "modelopt": (modelopt, Convolutions),
          "torchao": (torchao, Linears), "torchao-safetensors": (torchao_codes, Linears), "brevitas": (brevitas, Convolutions),
          "mct": (mct, Convolutions), "ort-overrides": (ort_overrides, Convolutions), "coreml": (coreml, Convolutions)}
SHAPES = {Convolutions: (3, 8, 8), Linears: (64,)}


def main(tool, scratch, *names):
    failed = False
    for name in names or CHECKS:
        check, network = CHECKS[name]
        case = Case(pathlib.Path(tool).resolve(), pathlib.Path(scratch), network, SHAPES[network])
        try:
            for what, figure in check(case):
                good = figure < 1e-5
                failed |= not good
                print(f"{name:20} {what:60} {figure:.1e}{'' if good else '  differs'}", flush=True)
        except ImportError as error:
            print(f"{name:20} not installed: {error}")
        except Exception as error:  # of any tool: the others are checked all the same
            failed = True
            print(f"{name:20} failed: {type(error).__name__}: {str(error)[:300]}")
            traceback.print_exc(limit=-3)
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
