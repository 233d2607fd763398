"""ONNX files of networks that people have, against ONNX Runtime: largest difference of the output, relative to its largest value, and
the names of the layers. usage: onnx_files.py BITPLAN FOLDER [NAME ... | zoo], with torchvision, transformers, onnx, onnxruntime, onnxscript.

Every network of networks.py by both exporters (dynamo=False with operator set 17, dynamo=True with 20), with a free batch where the exporter
can, run on three samples; some by each operator set that the exporters write. The zoo networks of the onnx package (light_*, whose weights are
all the same and made by nodes) with weights of their shapes from normal distributions, without the softmax at their end. Files that are in the folder
already are not made again."""

import contextlib
import json
import logging
import os
import pathlib
import subprocess
import sys
import warnings

import numpy
import onnx
import onnxruntime
import torch
import torchvision
import transformers

from networks import layer_names, make, networks

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.backends.mha.set_fastpath_enabled(False)  # the older exporter has no operator for it
ZOO = """bvlc_alexnet densenet121 inception_v1 inception_v2 resnet50 shufflenet squeezenet vgg19 zfnet512""".split()
FORMS = {"traced": (False, 17), "exported": (True, 20)}
OPSETS = {False: (7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20), True: (18, 19, 21, 22, 23, 24, 25, 26, 27, 28)}
OF_EVERY_OPSET = "resnet18 mobilenet_v3_small bert lstm gru speech".split()


@contextlib.contextmanager
def silence():
    """The older exporter prints the graphs that it cannot export, from C++."""
    sys.stdout.flush()
    kept, nothing = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    try:
        yield
    finally:
        for stream, old in zip((1, 2), kept):
            os.dup2(old, stream)
            os.close(old)
        os.close(nothing)


def export(network, samples, path, dynamo, opset):
    """With a free batch, else with one of the samples' number, which is said."""
    free = dict(dynamic_shapes=({0: torch.export.Dim("samples")},)) if dynamo else dict(dynamic_axes={"x": {0: "samples"}})
    for options in (free, {}):
        with contextlib.suppress(Exception), silence():
            torch.onnx.export(network, (samples,), str(path), input_names=["x"], opset_version=opset, dynamo=dynamo, external_data=False,
                              verbose=False, **options)
            return
    path.with_suffix(".none").touch()


def samples_of(model, samples):
    """As many as the model takes."""
    size = model.get_inputs()[0].shape[0]
    return samples[:size] if isinstance(size, int) else samples


def check(tool, path, samples):
    """The largest relative difference, and the layers' names."""
    runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    samples = samples_of(runtime, samples)
    expected = runtime.run(None, {runtime.get_inputs()[0].name: samples.numpy()})[0]
    quantized, inspected = path.with_suffix(".pt"), path.with_suffix(".json")
    options = ["--memory", "8GiB", "--output", "0"] if len(runtime.get_outputs()) > 1 else ["--memory", "8GiB"]
    subprocess.run([tool, "quantize", path, "--weight-bits", "32", "--activation-bits", "32", "--output-correction", "none", "--out", quantized,
                    *options], check=True, capture_output=True, text=True)
    shape = ",".join(str(size) for size in samples.shape[1:])
    subprocess.run([tool, "inspect", path, "--input", shape if samples.is_floating_point() else shape + ":int64", "--json", inspected, *options],
                   check=True, capture_output=True, text=True)
    given = torch.jit.load(quantized)(samples)
    given = (given if torch.is_tensor(given) else given[0]).numpy()
    names = {layer["name"] for layer in json.loads(inspected.read_text())["layers"]}
    quantized.unlink()
    if given.shape != expected.shape:
        return f"shape {given.shape} and not {expected.shape}", names
    return float(numpy.abs(given - expected).max() / numpy.abs(expected).max()), names


class Report:
    def __init__(self, tool):
        self.tool, self.worst, self.files, self.failed = tool, 0.0, 0, []

    def check(self, name, path, samples, modules=frozenset()):
        """A column: the difference, and how many modules' names are layers' names."""
        if path.with_suffix(".none").exists():
            return "not exported"
        try:
            difference, names = check(self.tool, path, samples)
        except subprocess.CalledProcessError as error:
            self.failed.append(f"{name}: {error.stderr.strip()}")
            return "failed"
        except Exception as error:
            self.failed.append(f"{name}: ONNX Runtime or PyTorch: {str(error).splitlines()[0]}")
            return "not run"
        self.files += 1
        if isinstance(difference, str):
            self.failed.append(f"{name}: {difference}")
            return "shape"
        self.worst = max(self.worst, difference)
        if not difference <= 1e-5:
            self.failed.append(f"{name}: differs by {difference:.1e}")
        missing = sorted(module for module in modules - names if "aux" not in module)  # heads for training alone
        if missing:
            print(f"  {name}: no layers {missing[:3]}, but {sorted(names - modules)[:3]}")
        return f"{difference:.1e} {len(modules & names)}/{len(modules)}" if modules else f"{difference:.1e}"


def check_networks(report, folder, wanted):
    for name, (maker, samples) in networks().items():
        if wanted and name not in wanted:
            continue
        network = make(maker)
        opsets = [(dynamo, opset) for dynamo in OPSETS for opset in OPSETS[dynamo]] if name in OF_EVERY_OPSET else []
        columns = []
        for dynamo, opset in [*FORMS.values(), *opsets]:
            path = folder / f"{name.replace(' ', '_')}.{'exported' if dynamo else 'traced'}{opset}.onnx"
            torch.manual_seed(2)
            if not path.exists() and not path.with_suffix(".none").exists():
                export(network, samples(2), path, dynamo, opset)
            columns.append(f"{opset}: " + report.check(path.stem, path, samples(3), layer_names(network)))
        print(f"{name:30} {'; '.join(columns)}", flush=True)


def with_weights(model):
    """In the place of the nodes that make the weights: of the variance that keeps that of what they are applied to."""
    generator = numpy.random.default_rng(1)
    shapes = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    scales = {node.input[i] for node in model.graph.node if node.op_type == "BatchNormalization" for i in (1, 4)}
    made = [node for node in model.graph.node if node.op_type == "ConstantOfShape"]
    for node in made:
        shape = tuple(shapes[node.input[0]])
        values = generator.normal(size=shape) * (2 / max(1, numpy.prod(shape[1:]))) ** 0.5 if len(shape) > 1 else (
            generator.uniform(0.5, 1.5, shape) if node.output[0] in scales else generator.normal(0, 0.1, shape))
        model.graph.initializer.append(onnx.numpy_helper.from_array(values.astype(numpy.float32), node.output[0]))
        model.graph.node.remove(node)
    if model.graph.node[-1].op_type == "Softmax":  # of such weights, one class has it all
        model.graph.output[0].name = model.graph.node[-1].input[0]
        del model.graph.node[-1]
    return model


def check_zoo(report, folder, wanted):
    light = pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    for name in ZOO:
        if wanted and "zoo" not in wanted:
            continue
        model = onnx.load(light / f"light_{name}.onnx")
        fed = {tensor.name for tensor in model.graph.initializer}
        entry = next(value for value in model.graph.input if value.name not in fed)
        sizes = [size.dim_value for size in entry.type.tensor_type.shape.dim]
        path = folder / f"zoo_{name}.onnx"
        onnx.save(with_weights(model), path)
        torch.manual_seed(2)
        print(f"zoo {name:26} {report.check(path.stem, path, torch.rand(sizes))}", flush=True)


@torch.no_grad()
def main():
    report, folder, wanted = Report(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, transformers {transformers.__version__}, "
          f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    check_zoo(report, folder, wanted)
    check_networks(report, folder, wanted)
    print(f"{report.files} files, largest difference {report.worst:.1e}")
    print("\n".join(report.failed))
    sys.exit(bool(report.failed))


main()
