"""Writes the models and the numbers that the Hessian tests compare with.

    python tests/hessian/make_reference.py

Everything is computed by PyTorch's Python autograd in float64 on eager modules; nothing of bitplan takes part. Per small
model: dense Hessians of the mean loss in weights and in layer inputs. For examples/cifar10/resnet20.pt: quadratic forms,
top eigenvalues and exact traces of some layers, with and without batch norm folded.
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils.fusion import fuse_conv_bn_eval

HERE = pathlib.Path(__file__).parent
CIFAR = HERE.parent.parent / "examples" / "cifar10"


class TanhMlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


class ReluMlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 6)
        self.fc2 = nn.Linear(6, 5)
        self.fc3 = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class ConvBatchNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(3)
        self.fc = nn.Linear(12, 4)
        with torch.no_grad():
            self.bn.weight.uniform_(0.5, 1.5)
            self.bn.bias.uniform_(-0.5, 0.5)
            self.bn.running_mean.uniform_(-0.3, 0.3)
            self.bn.running_var.uniform_(0.5, 2)

    def forward(self, x):
        return self.fc(F.avg_pool2d(F.relu(self.bn(self.conv(x))), 2).flatten(1))


class SharedWeight(nn.Module):
    """One weight that three operators read."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(self.fc(x))
        return self.head(x)


class SharedInput(nn.Module):
    """Two layers that read one tensor, and a branch that ends without a weight."""

    def __init__(self):
        super().__init__()
        self.left = nn.Linear(4, 3)
        self.right = nn.Linear(4, 3)

    def forward(self, x):
        x = torch.tanh(x)
        return self.left(x) * torch.sigmoid(self.right(x))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Attention(nn.Module):
    """One head, [N, 1, T, E], so that PyTorch takes its fused kernel, which has no second derivative, in float32."""

    def __init__(self):
        super().__init__()
        self.query = nn.Linear(4, 4)
        self.key = nn.Linear(4, 4)
        self.value = nn.Linear(4, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        query, key, value = self.query(x).unsqueeze(1), self.key(x).unsqueeze(1), self.value(x).unsqueeze(1)
        return self.head(F.scaled_dot_product_attention(query, key, value).mean(2).squeeze(1))


class DeadBranch(nn.Module):
    """`never` is read in a branch that is not taken."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.never = nn.Linear(4, 3)

    def forward(self, x):
        if x.size(0) > 1000:
            return self.never(torch.tanh(x))
        return self.fc(x)


class BasicBlock(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.stride, self.pad = stride, (c_out - c_in) // 2
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*[BasicBlock(16, 16, 1) for _ in range(3)])
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2), BasicBlock(32, 32, 1), BasicBlock(32, 32, 1))
        self.layer3 = nn.Sequential(BasicBlock(32, 64, 2), BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


def fold_batch_norm(model):
    for parent in [m for m in model.modules() if hasattr(m, "bn1") or hasattr(m, "bn")]:
        for suffix in ["", "1", "2"]:
            if hasattr(parent, "bn" + suffix):
                setattr(parent, "conv" + suffix, fuse_conv_bn_eval(getattr(parent, "conv" + suffix), getattr(parent, "bn" + suffix)))
                setattr(parent, "bn" + suffix, nn.Identity())


def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels)


def divergence(logits, float_logits):
    return F.kl_div(logits.log_softmax(1), float_logits.log_softmax(1), log_target=True, reduction="batchmean")


def weight_loss(model, names, inputs, target, loss):
    """The loss as a function of one flat vector: the named weights, one after the other."""
    weights = {name: p.detach() for name, p in model.named_parameters() if name in names}
    sizes = [weights[name].numel() for name in names]

    def of(flat):
        parts = [part.view_as(weights[name]) for name, part in zip(names, flat.split(sizes))]
        return loss(functional_call(model, dict(zip(names, parts)), (inputs,)), target)

    return of, torch.cat([weights[name].flatten() for name in names])


def activation_loss(model, modules, inputs, target, loss):
    """The loss as a function of what is added to the inputs of modules, call by call; `modules` names sets of modules that
    read one tensor, which gets one perturbation."""
    shapes = [[] for _ in modules]
    owner = {}
    for site, names in enumerate(modules):
        for name in names:
            owner[model.get_submodule(name)] = (site, name == names[0])

    def run(perturbation):
        calls = {}

        def before(module, args):
            site, first = owner[module]
            calls[module] = calls.get(module, -1) + 1
            if perturbation is None:
                if first:
                    shapes[site].append(args[0].shape)
                return args
            return (args[0] + perturbation[site][calls[module]], *args[1:])

        handles = [module.register_forward_pre_hook(before) for module in owner]
        try:
            return loss(model(inputs), target)
        finally:
            for handle in handles:
                handle.remove()

    run(None)
    flat_shapes = [shape for site in shapes for shape in site]

    def of(flat):
        parts = list(p.view(s) for p, s in zip(flat.split([s.numel() for s in flat_shapes]), flat_shapes))
        nested = []
        for site in shapes:
            nested.append([parts.pop(0) for _ in site])
        return run(nested)

    return of, torch.zeros(sum(s.numel() for s in flat_shapes), dtype=torch.float64)


def dense(of_and_at):
    """The upper triangle of the Hessian, row after row."""
    of, at = of_and_at
    with sdpa_kernel(SDPBackend.MATH):  # the fused kernels have no second derivative
        rows = torch.autograd.functional.hessian(of, at).tolist()
    return [float(f"{x:.8g}") for i, row in enumerate(rows) for x in row[i:]]


def small_model(model, input_shape, classes, weights, activations, has_batch_norm=False, unlabelled=False):
    name = type(model).__name__
    model.eval()
    torch.jit.script(model).save(str(HERE / "models" / f"{name}.pt"))
    inputs = torch.randn(input_shape)
    labels = torch.randint(classes, (input_shape[0],))
    model = model.double()
    case = {"inputs": inputs.flatten().tolist(), "shape": list(input_shape), "labels": labels.tolist(), "hessians": []}

    def add(kind, loss_name, names, upper_triangle, fold=True):
        case["hessians"].append({"kind": kind, "loss": loss_name, "fold_batch_norm": fold, "layers": names,
                                 "upper_triangle": upper_triangle})

    x = inputs.double()
    if has_batch_norm:
        for names in weights:
            add("weights", "cross-entropy", names, dense(weight_loss(model, names, x, labels, cross_entropy)), fold=False)
        fold_batch_norm(model)
    case["loss"] = cross_entropy(model(x), labels).item()
    for names in weights:
        add("weights", "cross-entropy", names, dense(weight_loss(model, names, x, labels, cross_entropy)))
        if unlabelled:
            add("weights", "divergence", names, dense(weight_loss(model, names, x, model(x).detach(), divergence)))
    for modules in activations:
        names = [n + ".weight" for group in modules for n in group]
        add("activations", "cross-entropy", names, dense(activation_loss(model, modules, x, labels, cross_entropy)))
    return case


def cifar_images(count):
    raw = np.fromfile(CIFAR / "train.bin", np.uint8).reshape(-1, 3073)[:count]
    pixels = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).astype(np.float64) / 255)
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).view(3, 1, 1)
    return (pixels - mean) / std, torch.from_numpy(raw[:, 0].astype(np.int64))


def hessian_product(of, at):
    at = at.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(of(at), at, create_graph=True)
    return lambda v: torch.autograd.grad(gradient, at, v, retain_graph=True)[0]


def lanczos_top(product, n, steps=40):
    """Eigenvalue largest in magnitude, by Lanczos with full reorthogonalization."""
    generator = torch.Generator().manual_seed(1)
    q = torch.randn(n, dtype=torch.float64, generator=generator)
    basis, images = [q / q.norm()], []
    for _ in range(min(steps, n)):
        w = product(basis[-1])
        images.append(w)
        for _ in range(2):
            for b in basis:
                w = w - (b @ w) * b
        if w.norm() < 1e-12:
            break
        basis.append(w / w.norm())
    v, av = torch.stack(basis[: len(images)]), torch.stack(images)
    values, vectors = torch.linalg.eigh((v @ av.T + av @ v.T) / 2)
    top = values.abs().argmax()
    u, au = vectors[:, top] @ v, vectors[:, top] @ av
    assert (au - values[top] * u).norm() < 1e-6 * values[top].abs(), "Lanczos has not converged"
    return values[top].item()


def wave(n):
    return torch.sin(torch.arange(1, n + 1, dtype=torch.float64))


def resnet20():
    images, labels = cifar_images(16)
    scripted = torch.jit.load(str(CIFAR / "resnet20.pt")).eval()
    result = {"images": 16, "cases": []}
    for folded in [False, True]:
        model = ResNet20()
        model.load_state_dict(scripted.state_dict())
        model.eval()
        with torch.no_grad():
            assert (model(images.float()) - scripted(images.float())).abs().max() < 1e-3
        model.double()
        if folded:
            fold_batch_norm(model)
        for layer in ["conv1", "layer1.0.conv1", "layer2.0.conv1", "layer3.2.conv2", "linear"]:
            of, at = weight_loss(model, [layer + ".weight"], images, labels, cross_entropy)
            product = hessian_product(of, at)
            n = at.numel()
            v = wave(n)
            case = {"fold_batch_norm": folded, "layer": layer + ".weight", "elements": n, "loss": of(at).item(),
                    "quadratic_form": (v @ product(v)).item(), "eigenvalue": lanczos_top(product, n)}
            if n <= 640:
                case["trace"] = sum(product(e)[i].item() for i, e in enumerate(torch.eye(n, dtype=torch.float64)))
            result["cases"].append(case)
            print(case, flush=True)
        if folded:
            of, at = activation_loss(model, [["layer2.0.conv1"]], images, labels, cross_entropy)
            v = wave(at.numel())
            result["activation"] = {"layer": "layer2.0.conv1.weight", "elements": at.numel(),
                                    "quadratic_form": (v @ hessian_product(of, at)(v)).item()}
    return result


def small_models():
    torch.manual_seed(7)
    return {
        "TanhMlp": small_model(TanhMlp(), (6, 4), 3, [["fc1.weight"], ["fc2.weight"], ["fc1.weight", "fc2.weight"]],
                               [[["fc1"]], [["fc2"]], [["fc1"], ["fc2"]]], unlabelled=True),
        "ReluMlp": small_model(ReluMlp(), (7, 3), 3, [["fc1.weight"], ["fc2.weight", "fc3.weight"]], [[["fc2"]]]),
        "ConvBatchNorm": small_model(ConvBatchNorm(), (5, 2, 4, 4), 4, [["conv.weight"], ["conv.weight", "fc.weight"]],
                                     [[["fc"]]], has_batch_norm=True),
        "SharedWeight": small_model(SharedWeight(), (4, 4), 3, [["fc.weight"], ["fc.weight", "head.weight"]], [[["fc"]]]),
        "SharedInput": small_model(SharedInput(), (5, 4), 3, [["left.weight", "right.weight"]], [[["left", "right"]]]),
        "Recurrent": small_model(Recurrent(), (3, 4, 3), 3, [["lstm.weight_ih_l0"], ["lstm.weight_hh_l0"]],
                                 [[["head"]]]),
        "Attention": small_model(Attention(), (3, 5, 4), 3, [["query.weight", "value.weight"]], [[["head"]]]),
        "DeadBranch": small_model(DeadBranch(), (6, 4), 3, [["fc.weight"]], []),
    }


def main():
    reference = small_models() | {"ResNet20": resnet20()}
    (HERE / "reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
