"""Writes the models and the numbers that the Gauss-Newton tests compare with.

    python tests/hessian/make_gauss_newton_reference.py

Everything is computed densely by torch.func in float64 on eager modules; nothing of bitplan takes part. The
Gauss-Newton block of a weight is G = mean_n J_nᵀ H_n J_n, where z_n is the whole output of sample n, J_n its Jacobian in
the weight and H_n the Hessian of the sample's loss ℓ_n in z_n. The loss of the data is the mean of ℓ_n over samples.

Losses, P counting predictions (positions that have a row of C classes each) and E elements of one sample's output, z⁰
the float output itself:

    cross-entropy           1/P Σ −log softmax(z)[label]
    divergence              1/P Σ T² KL(softmax(z⁰/T) ‖ softmax(z/T))
    logit-shift             1/P Σ ½ ‖(I − 11ᵀ/C)(z − z⁰)‖²
    binary-cross-entropy    1/E Σ −y log σ(z) − (1 − y) log σ(−z)
    mean-squared-error      1/E Σ (z − z⁰)²

Files: models/gauss_newton/NAME.pt, TorchScript in float32, and gauss_newton.json. In the JSON every tensor is a flat
list in row-major order; inputs and deltas are exact float32 numbers, all others are rounded to 9 digits:

    {NAME: {
      "input": {"shape": [N, …], "dtype": "float32" | "int64", "values": […]},
      "class_labels": {"shape": [N] | [N, T] | [N, H, W], "values": […]},        of cross-entropy
      "binary_labels": {"shape": output_shape, "values": […]},                   only with binary-cross-entropy
      "output_shape": [N, C] | [N, T, C] | [N, C, H, W],
      "class_axis": 1 | 2,                                                       in output_shape
      "float_output": […],                                                       z⁰, [output_shape]
      "weights": {WEIGHT: shape},                     in the order of the module; the embedding and all LSTM weights too
      "perturbations": [{
        "kind": "weight" | "input",
        "layer": WEIGHT,
        "call": 0,                                    input: which of the layer's uses reads x + δ, from 0
        "batch_axis": 0 | 1,                          input: of delta; weight: 0, without meaning
        "shape": […], "delta": […],                   weight: its shape; input: what the layer reads at that use
        "linear_shift": […],                          δz = J δ, [output_shape]
        "measured_shift": […]                         z(W + δ) − z(W), [output_shape]
      }],                                             p of them; only the named layer sees x + δ
      "losses": [{
        "loss": …, "temperature": 1 | 4,              1 where the loss has none
        "value": …, "sample_values": [N],             of the loss at z⁰
        "weights": {WEIGHT: {
          "trace": …, "sample_traces": [N],           tr(J_nᵀ H_n J_n), of which trace is the mean
          "diagonal": [elements],
          "eigenvalues": [rank],                      descending, those above 1e-9 of the largest
          "frobenius_norm": …, "trace_of_square": …   ‖G‖_F and tr(G²) = ‖G‖_F²
        }},
        "joint": {…},                                 the same of one G of all weights, in the order of "weights", each
                                                      flattened; of the models ReluConv and Attention only
        "slopes": [p][N],                             ∇ℓ_nᵀ δz_in
        "quadratic": [p],                             ½ mean_n δz_inᵀ H_n δz_in
        "cross": [p][p],                              Q_ij = mean_n δz_inᵀ H_n δz_jn
        "shifted_increase": …                         mean_n [ℓ_n(z + Σ_i δz_in) − ℓ_n(z)], with linear shifts
      }]
    }}

Of ConvBatchNorm, whose file has the batch norm, "conv.weight" is the folded weight W·γ/σ, its numbers those of the network
with that weight. Layers of TimeFirst read [T, N, F], so that their deltas have their samples on axis 1.
"""

import contextlib
import copy
import dataclasses
import json
import pathlib

import torch
from torch import nn
from torch.func import functional_call, hessian, jacrev
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

HERE = pathlib.Path(__file__).parent

LOSSES = {
    "cross-entropy": ("cross-entropy", 1),
    "divergence-1": ("divergence", 1),
    "divergence-4": ("divergence", 4),
    "logit-shift": ("logit-shift", 1),
    "binary-cross-entropy": ("binary-cross-entropy", 1),
    "mean-squared-error": ("mean-squared-error", 1),
}


class ReluConv(nn.Module):
    """Stride, padding, dilation, groups, depthwise, 1x1; nothing is square, so that an exchange of H and W shows."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, (3, 2), stride=2, padding=(1, 0))
        self.conv2 = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2)
        self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.pointwise = nn.Conv2d(4, 6, 1)
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = F.relu(self.pointwise(F.relu(self.depthwise(x))))
        return self.head(F.avg_pool2d(x, [2, 3]).flatten(1))


class Conv1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(3, 4, 3, stride=2, padding=1)
        self.conv2 = nn.Conv1d(4, 6, 3, padding=2, dilation=2, groups=2)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        return self.head(torch.tanh(self.conv2(F.relu(self.conv1(x)))).mean(2))


class TransposedConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.up1 = nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1)
        self.up2 = nn.ConvTranspose2d(4, 6, (2, 3), stride=(1, 2), groups=2, dilation=(2, 1))
        self.head = nn.Linear(24, 4)

    def forward(self, x):
        x = torch.tanh(self.up2(F.relu(self.up1(x))))
        return self.head(F.avg_pool2d(x, [4, 4]).flatten(1))


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 6)
        self.norm = nn.LayerNorm(6)
        self.fc2 = nn.Linear(6, 5)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        x = F.gelu(self.norm(self.fc1(x)))
        return self.head(F.gelu(self.fc2(x)).mean(1))


class SharedWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, 5)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(self.fc(x))
        return self.head(x)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 3, 3, padding=1)
        self.conv1 = nn.Conv2d(3, 3, 3, padding=1)
        self.conv2 = nn.Conv2d(3, 3, 3, padding=1)
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = F.relu(x + self.conv2(F.relu(self.conv1(x))))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(4, 4)
        self.key = nn.Linear(4, 4)
        self.value = nn.Linear(4, 4)
        self.head = nn.Linear(4, 4)

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(1, 2) / 2.0
        return self.head((torch.softmax(scores, -1) @ self.value(x)).mean(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 4)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 4)
        self.fc = nn.Linear(4, 5)
        self.head = nn.Linear(5, 4)

    def forward(self, tokens):
        return self.head(torch.tanh(self.fc(self.embed(tokens))).mean(1))


class Project(nn.Module):
    """x W + b with W [in, out]."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / (3 * inputs) ** 0.5)
        self.bias = nn.Parameter(torch.randn(outputs) / 2)

    def forward(self, x):
        return x @ self.weight + self.bias


class MatmulParameter(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = Project(5, 6)
        self.head = Project(6, 4)

    def forward(self, x):
        return self.head(torch.tanh(self.fc(x)))


class TokenClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 5)
        self.mix = nn.Conv1d(5, 5, 3, padding=1)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        x = F.gelu(self.fc1(x)).transpose(1, 2)
        return self.head(torch.tanh(self.mix(x)).transpose(1, 2))


class Segmentation(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.head = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        return self.head(F.relu(self.conv(x)))


class ConvBatchNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.head = nn.Linear(16, 4)
        with torch.no_grad():
            self.bn.weight.uniform_(0.5, 1.5)
            self.bn.bias.uniform_(-0.5, 0.5)
            self.bn.running_mean.uniform_(-0.3, 0.3)
            self.bn.running_var.uniform_(0.5, 2)

    def forward(self, x):
        return self.head(F.avg_pool2d(F.relu(self.bn(self.conv(x))), 2).flatten(1))


class TimeFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 6)
        self.fc2 = nn.Linear(6, 5)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        x = torch.tanh(self.fc1(x.transpose(0, 1)))
        x = x + x.mean(0, keepdim=True)  # positions interact
        return self.head(F.gelu(self.fc2(x))).transpose(0, 1)


@dataclasses.dataclass
class Case:
    model: type
    input_shape: list
    losses: list
    class_axis: int = 1
    tokens: int = 0  # above 0: inputs are token numbers below this
    batch_axis: int = 0  # of what the layers read
    joint: bool = False
    gain: float = 2  # the weights that PyTorch initializes are multiplied by this


CASES = [
    Case(ReluConv, [4, 2, 7, 6], list(LOSSES), joint=True, gain=3.5),
    Case(Conv1d, [4, 3, 8], ["cross-entropy", "divergence-1", "mean-squared-error"]),
    Case(TransposedConv, [3, 3, 3, 2], ["cross-entropy", "divergence-4", "logit-shift"], gain=3.5),
    Case(Positions, [4, 3, 4], ["cross-entropy", "divergence-1", "binary-cross-entropy"]),
    Case(SharedWeight, [4, 5], ["cross-entropy", "logit-shift", "mean-squared-error"]),
    Case(Residual, [3, 2, 5, 4], ["cross-entropy", "divergence-1", "logit-shift"]),
    Case(Attention, [4, 5, 4], ["cross-entropy", "divergence-1", "binary-cross-entropy"], joint=True),
    Case(Recurrent, [4, 5, 3], ["cross-entropy", "divergence-4", "mean-squared-error"]),
    Case(Tokens, [4, 6], ["cross-entropy", "divergence-1", "logit-shift"], tokens=9),
    Case(MatmulParameter, [4, 5], ["cross-entropy", "divergence-4", "binary-cross-entropy"]),
    Case(TokenClassifier, [3, 5, 4], list(LOSSES), class_axis=2),
    Case(Segmentation, [3, 2, 4, 3], list(LOSSES)),
    Case(ConvBatchNorm, [4, 2, 4, 4], ["cross-entropy", "divergence-1", "mean-squared-error"]),
    Case(TimeFirst, [3, 5, 4], ["cross-entropy", "divergence-1", "logit-shift"], class_axis=2, batch_axis=1),
]


def make_model(case):
    """With weights large enough that the outputs differ from sample to sample."""
    model = case.model().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(case.gain)
    return model


def weight_names(model):
    return [name for name, parameter in model.named_parameters() if parameter.dim() > 1]


def module_of(model, weight):
    return model.get_submodule(weight.rpartition(".")[0])


def reads_an_activation(model, weight):
    return not weight.endswith("weight_hh_l0") and not isinstance(module_of(model, weight), nn.Embedding)


@contextlib.contextmanager
def before_each_call(module, change):
    """`change(call, input)` takes the place of what the module reads."""
    calls = []

    def hook(_, args):
        calls.append(None)
        return (change(len(calls) - 1, args[0]), *args[1:])

    handle = module.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def input_shapes(model, weight, x):
    """One for each use of the layer."""
    shapes = []

    def record(_, read):
        shapes.append(list(read.shape))
        return read

    with before_each_call(module_of(model, weight), record):
        model(x)
    return shapes


def output_with_weight(model, weight, value, x):
    return functional_call(model, {weight: value}, (x,))


def output_with_input_shift(model, weight, call, shift, x):
    with before_each_call(module_of(model, weight), lambda i, read: read + shift if i == call else read):
        return model(x)


def weight_jacobian(model, weight, x):
    """[outputs, elements] for one sample."""
    value = model.get_parameter(weight).detach()
    return jacrev(lambda w: output_with_weight(model, weight, w, x).flatten())(value).flatten(1)


def input_jacobian(model, weight, call, shape, x):
    zero = torch.zeros(shape, dtype=torch.float64)
    return jacrev(lambda s: output_with_input_shift(model, weight, call, s, x).flatten())(zero).flatten(1)


def sample_loss(loss, temperature, class_axis):
    """(z, float z, class labels, binary labels) of one sample to its loss."""

    def rows(z):
        return z.movedim(class_axis - 1, -1).reshape(-1, z.shape[class_axis - 1])

    def cross_entropy(z, float_z, classes, binary):
        return -rows(z).log_softmax(-1).gather(1, classes.reshape(-1, 1)).mean()

    def divergence(z, float_z, classes, binary):
        expected, actual = ((rows(v) / temperature).log_softmax(-1) for v in (float_z, z))
        return temperature**2 * (expected.exp() * (expected - actual)).sum(-1).mean()

    def logit_shift(z, float_z, classes, binary):
        shift = rows(z - float_z)
        return ((shift - shift.mean(-1, keepdim=True)) ** 2).sum(-1).mean() / 2

    def binary_cross_entropy(z, float_z, classes, binary):
        return -(binary * F.logsigmoid(z) + (1 - binary) * F.logsigmoid(-z)).mean()

    def mean_squared_error(z, float_z, classes, binary):
        return ((z - float_z) ** 2).mean()

    return {"cross-entropy": cross_entropy, "divergence": divergence, "logit-shift": logit_shift,
            "binary-cross-entropy": binary_cross_entropy, "mean-squared-error": mean_squared_error}[loss]


def library_loss(loss, temperature, class_axis, z, float_z, classes, binary):
    """The loss of the data by PyTorch's own loss functions where there is one."""
    z, float_z = z.movedim(class_axis, 1), float_z.movedim(class_axis, 1)
    predictions = z.numel() / z.shape[1]
    if loss == "cross-entropy":
        return F.cross_entropy(z, classes)
    if loss == "divergence":
        actual, expected = F.log_softmax(z / temperature, 1), F.softmax(float_z / temperature, 1)
        return temperature**2 * F.kl_div(actual, expected, reduction="sum") / predictions
    if loss == "logit-shift":
        centering = torch.eye(z.shape[1], dtype=z.dtype) - 1 / z.shape[1]
        return torch.einsum("ij,nj...->ni...", centering, z - float_z).square().sum() / (2 * predictions)
    if loss == "binary-cross-entropy":
        return F.binary_cross_entropy_with_logits(z, binary.movedim(class_axis, 1).double())
    return F.mse_loss(z, float_z)


def numbers(tensor):
    if not tensor.is_floating_point():
        return tensor.flatten().tolist()
    return [float(f"{x:.9g}") for x in tensor.double().flatten().tolist()]


def number(scalar):
    return float(f"{float(scalar):.9g}")


def assert_close(actual, expected, tolerance, what, absolute=1e-12):
    error, scale = (actual - expected).abs().max().item(), expected.abs().max().item()
    assert error <= tolerance * scale + absolute, f"{what}: off by {error:.3g} of {scale:.3g}"


def make_perturbations(model, case, x, at_least=6):
    """One of every weight and of every input that can be reached, then more of the first ones."""
    sites = [("weight", name, 0) for name in weight_names(model)]
    for name in weight_names(model):
        if reads_an_activation(model, name):
            sites += [("input", name, call) for call in range(len(input_shapes(model, name, x)))]
    sites += sites[: max(0, at_least - len(sites))]
    return [make_perturbation(model, case, x, *site) for site in sites]


def make_perturbation(model, case, x, kind, weight, call):
    value = model.get_parameter(weight).detach()
    shape = list(value.shape) if kind == "weight" else input_shapes(model, weight, x)[call]
    scale = 0.1 * value.std().item() if kind == "weight" else 0.05
    delta = (scale * torch.randn(shape)).double()  # float32 numbers
    batch_axis = case.batch_axis if kind == "input" else 0

    def output(factor):
        if kind == "weight":
            return output_with_weight(model, weight, value + factor * delta, x)
        return output_with_input_shift(model, weight, call, factor * delta, x)

    def linear_shift(n):
        if kind == "weight":
            return weight_jacobian(model, weight, x[n : n + 1]) @ delta.flatten()
        part = delta.narrow(batch_axis, n, 1)
        return input_jacobian(model, weight, call, part.shape, x[n : n + 1]) @ part.flatten()

    linear = torch.stack([linear_shift(n) for n in range(len(x))])
    with torch.no_grad():
        measured = (output(1) - output(0)).flatten(1)
        difference = (output(1e-5) - output(-1e-5)).flatten(1) / 2e-5
    assert_close(linear, difference, 1e-6, f"linear shift of {kind} {weight}")
    if kind == "weight":
        assert_close(measured, in_place_shift(model, weight, delta, x), 1e-9, f"measured shift of {weight}")
    return {"kind": kind, "layer": weight, "call": call, "batch_axis": batch_axis, "shape": shape,
            "delta": numbers(delta), "linear_shift": numbers(linear), "measured_shift": numbers(measured)}, linear


def in_place_shift(model, weight, delta, x):
    changed = copy.deepcopy(model)
    with torch.no_grad():
        changed.get_parameter(weight).add_(delta)
        return (changed(x) - model(x)).flatten(1)


def describe(sample_matrices):
    """Of G, the mean of the samples' matrices [N, elements, elements]."""
    matrix = sample_matrices.mean(0)
    values = torch.linalg.eigvalsh(matrix).flip(0)
    square = (matrix @ matrix).trace()
    return {"trace": number(matrix.trace()), "sample_traces": numbers(torch.einsum("nii->n", sample_matrices)),
            "diagonal": numbers(matrix.diagonal()), "eigenvalues": numbers(values[values > 1e-9 * values[0]]),
            "frobenius_norm": number(matrix.norm()), "trace_of_square": number(square)}


def check_output_derivatives(of, z, gradient, curvature, what):
    """Central differences in every output of one sample."""
    step = 1e-5
    slopes = torch.zeros_like(gradient)
    rows = torch.zeros_like(curvature)
    for i in range(z.numel()):
        shift = torch.zeros(z.numel(), dtype=z.dtype)
        shift[i] = step
        shift = shift.view_as(z)
        slopes[i] = (of(z + shift) - of(z - shift)) / (2 * step)
        rows[i] = (jacrev(of)(z + shift) - jacrev(of)(z - shift)).flatten() / (2 * step)
    assert_close(gradient, slopes, 1e-6, f"gradient of {what}", absolute=1e-9)  # zero at the float output
    assert_close(curvature, rows, 1e-6, f"curvature of {what}")


def check_head(model, case, x, loss, temperature, float_z, classes, binary, matrix):
    """The output is linear in the head's weight, whose Gauss-Newton block is therefore the Hessian of the loss."""

    def of(w):
        z = output_with_weight(model, "head.weight", w, x)
        return library_loss(loss, temperature, case.class_axis, z, float_z, classes, binary)

    value = model.head.weight.detach()
    exact = torch.autograd.functional.hessian(of, value).reshape(value.numel(), value.numel())
    assert_close(matrix, exact, 1e-9, f"head of {case.model.__name__}, {loss}")


def of_loss(model, case, x, float_z, classes, binary, loss, temperature, jacobians, shifts):
    samples = range(len(x))
    loss_of = sample_loss(loss, temperature, case.class_axis)
    ofs = [lambda z, n=n: loss_of(z, float_z[n], classes[n], binary[n]) for n in samples]
    gradients = torch.stack([jacrev(ofs[n])(float_z[n]).flatten() for n in samples])
    outputs = gradients.shape[1]
    curvatures = torch.stack([hessian(ofs[n])(float_z[n]).reshape(outputs, outputs) for n in samples])
    values = torch.stack([ofs[n](float_z[n]) for n in samples])

    what = f"{case.model.__name__}, {loss}"
    library = library_loss(loss, temperature, case.class_axis, float_z, float_z, classes, binary)
    assert_close(values.mean(), library, 1e-9, f"value of {what}")
    check_output_derivatives(ofs[0], float_z[0], gradients[0], curvatures[0], what)

    def blocks(of_samples):
        return torch.stack([j.T @ h @ j for j, h in zip(of_samples, curvatures)])

    sample_matrices = {name: blocks(of_samples) for name, of_samples in jacobians.items()}
    check_head(model, case, x, loss, temperature, float_z, classes, binary, sample_matrices["head.weight"].mean(0))

    cross = torch.einsum("ino,nop,jnp->ij", shifts, curvatures, shifts) / len(x)
    total = shifts.sum(0).view_as(float_z)
    increase = torch.stack([ofs[n](float_z[n] + total[n]) - ofs[n](float_z[n]) for n in samples]).mean()
    entry = {"loss": loss, "temperature": temperature, "value": number(values.mean()), "sample_values": numbers(values),
             "weights": {name: describe(matrices) for name, matrices in sample_matrices.items()}}
    if case.joint:
        entry["joint"] = describe(blocks([torch.cat(parts, 1) for parts in zip(*jacobians.values())]))
    slopes = torch.einsum("ino,no->in", shifts, gradients)
    return entry | {"slopes": [numbers(row) for row in slopes], "quadratic": numbers(cross.diagonal() / 2),
                    "cross": [numbers(row) for row in cross], "shifted_increase": number(increase)}


def of_case(case):
    torch.manual_seed(11)
    name = case.model.__name__
    model = make_model(case)
    scripted = torch.jit.script(model)
    scripted.save(str(HERE / "models" / "gauss_newton" / f"{name}.pt"))
    x = torch.randint(case.tokens, case.input_shape) if case.tokens else torch.randn(case.input_shape)
    with torch.no_grad():
        scripted_z = scripted(x).double()
    inputs = {"shape": case.input_shape, "dtype": str(x.dtype).removeprefix("torch."), "values": numbers(x)}

    model = model.double()
    if hasattr(model, "bn"):
        model.conv, model.bn = fuse_conv_bn_eval(model.conv, model.bn), nn.Identity()
    model.requires_grad_(False)
    if not case.tokens:
        x = x.double()
    with torch.no_grad():
        float_z = model(x)
        alone = torch.cat([model(x[n : n + 1]) for n in range(len(x))])
    assert_close(float_z, scripted_z, 1e-5, f"file of {name}")
    assert_close(alone, float_z, 1e-12, f"{name}, sample by sample")

    shape = list(float_z.shape)
    class_shape = [size for axis, size in enumerate(shape) if axis != case.class_axis]
    classes, binary = torch.randint(shape[case.class_axis], class_shape), torch.randint(2, shape)
    weights = weight_names(model)
    jacobians = {w: [weight_jacobian(model, w, x[n : n + 1]) for n in range(len(x))] for w in weights}
    perturbations, linear = zip(*make_perturbations(model, case, x))
    shifts = torch.stack(linear)

    result = {"input": inputs, "class_labels": {"shape": class_shape, "values": numbers(classes)}}
    if "binary-cross-entropy" in case.losses:
        result["binary_labels"] = {"shape": shape, "values": numbers(binary)}
    result |= {"output_shape": shape, "class_axis": case.class_axis, "float_output": numbers(float_z),
               "weights": {w: list(model.get_parameter(w).shape) for w in weights},
               "perturbations": list(perturbations),
               "losses": [of_loss(model, case, x, float_z, classes, binary, *LOSSES[key], jacobians, shifts)
                          for key in case.losses]}
    return result


def main():
    torch.set_num_threads(1)
    (HERE / "models" / "gauss_newton").mkdir(parents=True, exist_ok=True)
    reference = {case.model.__name__: of_case(case) for case in CASES}
    (HERE / "gauss_newton.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
