"""Writes a network as both exporters of PyTorch write it, and what its layers are called.

    python tests/onnx/make_exports.py

exports/traced.onnx (dynamo=False) and exports/exported.onnx (dynamo=True), and exports/expected.json: the names of the modules
whose weights layers read, in the order of their calls, by hooks. Nothing of bitplan takes part.
"""

import json
import pathlib
import warnings

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "exports"
LAYERS = (nn.Conv2d, nn.Linear, nn.LSTM, nn.MultiheadAttention)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.bn1(self.conv1(x)) + self.downsample(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(Block(4, 4, 1), Block(4, 8, 2))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
        self.heads = nn.ModuleList([nn.Linear(12, 5), nn.Linear(5, 3, bias=False)])

    def forward(self, x):
        x = self.layer1(torch.relu(self.bn1(self.conv1(x)))).flatten(2).transpose(1, 2)
        x = x + self.attention(x, x, x, need_weights=False)[0]
        x, _ = self.lstm(x)
        for head in self.heads:
            x = head(x)
        return x


def layer_names(model, inputs):
    """Attention calls a function with its projection's weights, and no module: its hooks tell both."""
    names = []

    def note(name, module):
        names.append(name)
        if isinstance(module, nn.MultiheadAttention):
            names.append(name + ".out_proj")

    hooks = [module.register_forward_pre_hook(lambda module, _, name=name: note(name, module))
             for name, module in model.named_modules() if isinstance(module, LAYERS)]
    model(inputs)
    for hook in hooks:
        hook.remove()
    return names


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    FOLDER.mkdir(exist_ok=True)
    network, inputs = Network().eval(), torch.randn(1, 3, 10, 10)
    (FOLDER / "expected.json").write_text(json.dumps({"layers": layer_names(network, inputs)}, indent=1) + "\n")
    torch.onnx.export(network, (inputs,), FOLDER / "traced.onnx", dynamo=False)
    import onnx
    torch.onnx.export(network, (inputs,), FOLDER / "exported.onnx", dynamo=True, external_data=False)
    exported = onnx.load(FOLDER / "exported.onnx")
    for node in exported.graph.node:  # paths of the machine
        for entry in [e for e in node.metadata_props if e.key != "pkg.torch.onnx.name_scopes"]:
            node.metadata_props.remove(entry)
    onnx.save(exported, FOLDER / "exported.onnx")
