"""Writes fisher.json, the squared gradients at layers' inputs that the tests of Measure::Fisher compare with.

    python tests/hessian/make_fisher_reference.py

Computed densely by torch.func in float64 on the models and inputs of make_gauss_newton_reference.py; nothing of bitplan
takes part. Of a tensor x that one or more layers read, and of sample n, the diagonal of J_nᵀ H_n J_n: z_n is the sample's
whole output, J_n its Jacobian in what is added to x for these layers alone, H_n the Hessian of the sample's loss in z_n.

    {MODEL: {"loss": …, "groups": [{
       "layers": [WEIGHT, …],                     that read the same tensors
       "batch_axis": 0 | 1,                       of what they read
       "diagonals": [calls][N, elements]          one for each tensor they read, in order of execution
    }]}}
"""

import contextlib
import json
import pathlib

import torch
from torch.func import hessian, jacrev

import make_gauss_newton_reference as models

HERE = pathlib.Path(__file__).parent

GROUPS = {
    "ReluConv": [["conv1"], ["conv2"], ["depthwise"], ["pointwise"], ["head"]],
    "Residual": [["stem"], ["conv1"], ["conv2"], ["head"]],
    "SharedWeight": [["fc"], ["head"]],
    "Attention": [["query", "key", "value"], ["head"]],
    "TimeFirst": [["fc1"], ["fc2"], ["head"]],
}
LOSSES = {"ReluConv": "cross-entropy", "Residual": "logit-shift", "SharedWeight": "cross-entropy",
          "Attention": "cross-entropy", "TimeFirst": "cross-entropy"}


def diagonals_of(model, layers, calls, x, output_hessian):
    """For each call the diagonal of one sample's J^T H J."""
    result = []
    for call in range(calls):
        shape = models.input_shapes(model, layers[0] + ".weight", x)[call]

        def output(shift):
            with contextlib.ExitStack() as stack:
                for layer in layers:
                    change = lambda i, read: read + shift if i == call else read
                    stack.enter_context(models.before_each_call(model.get_submodule(layer), change))
                return model(x).flatten()

        jacobian = jacrev(output)(torch.zeros(shape, dtype=torch.float64)).flatten(1)
        result.append(torch.einsum("oi,op,pi->i", jacobian, output_hessian, jacobian))
    return result


def of_model(name, reference):
    case = next(case for case in models.CASES if case.model.__name__ == name)
    model = case.model().eval()
    model.load_state_dict(torch.jit.load(str(HERE / "models" / "gauss_newton" / f"{name}.pt")).state_dict())
    model = model.double().requires_grad_(False)
    x = torch.tensor(reference["input"]["values"], dtype=torch.float64).view(reference["input"]["shape"])
    labels = reference["class_labels"]
    classes = torch.tensor(labels["values"]).view(labels["shape"])
    float_z = model(x)
    assert (float_z.flatten() - torch.tensor(reference["float_output"])).abs().max() < 1e-6
    loss = models.sample_loss(LOSSES[name], 1, case.class_axis)
    groups = []
    for layers in GROUPS[name]:
        calls = len(models.input_shapes(model, layers[0] + ".weight", x))
        of_samples = []
        for n in range(len(x)):
            z = float_z[n]
            of = lambda flat: loss(flat.view_as(z), z, classes[n], None)
            curvature = hessian(of)(z.flatten())
            of_samples.append(diagonals_of(model, layers, calls, x[n : n + 1], curvature))
        groups.append({"layers": [layer + ".weight" for layer in layers], "batch_axis": case.batch_axis,
                       "diagonals": [models.numbers(torch.stack([each[call] for each in of_samples])) for call in range(calls)]})
    return {"loss": LOSSES[name], "groups": groups}


def main():
    torch.set_num_threads(1)
    reference = json.loads((HERE / "gauss_newton.json").read_text())
    result = {name: of_model(name, reference[name]) for name in GROUPS}
    (HERE / "fisher.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
