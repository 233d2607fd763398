"""Networks and plans that recipes are written of, and what bitplan makes of them."""

import json
import subprocess

import numpy
import torch


class Convolutions(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = torch.nn.Conv2d(8, 16, 3, stride=2)
        self.fc = torch.nn.Linear(16 * 3 * 3, 10)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        return self.fc(torch.flatten(x, 1))


class Linears(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(64, 128)
        self.fc2 = torch.nn.Linear(128, 64)
        self.fc3 = torch.nn.Linear(64, 10)

    def forward(self, x):
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


class Case:
    """A network, and its quantized form by a configuration by layer."""

    def __init__(self, tool, folder, network, shape):
        torch.manual_seed(1)
        self.tool, self.folder = tool, folder
        self.network = network().eval()
        self.name = network.__name__
        self.samples = torch.randn(64, *shape)
        torch.jit.script(self.network).save(folder / f"{self.name}.pt")
        numpy.save(folder / f"{self.name}.npy", self.samples.numpy())

    def export(self, exporter, layers, weight=None, activation=None, flavor=None, model=None):
        """The file that an exporter writes, and the quantized network as TorchScript."""
        rules = [{"match": name, "weight": {"bits": bits}} for name, bits in layers.items()]
        configuration = {"schema": "bitplan.configuration/1", "weight": weight or {}, "activation": activation or {"bits": 32},
                         "corrections": {"output": "none"}, "layers": rules}
        (self.folder / "configuration.json").write_text(json.dumps(configuration))
        written, quantized = self.folder / f"{self.name}.{exporter}", self.folder / f"{self.name}.quantized.pt"
        command = [self.tool, "quantize", model or f"{self.name}.pt", "--layer-config", "configuration.json", "--calibration", f"npy:{self.name}.npy",
                   "--out", quantized, "--export", f"{exporter}={written}", *(["--for", flavor] if flavor else [])]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{exporter}: {done.stderr}")
        return written, torch.jit.load(quantized)

    def weight(self, quantized, layer):
        """A layer's weight on its grid."""
        buffers = dict(quantized.named_buffers())
        key = f"{layer}_weight".replace(".", "_")
        value = buffers[key].float()
        if f"{key}_zero_point" in buffers:
            value = value - buffers[f"{key}_zero_point"]
        return value * self.scales(quantized, layer, value.shape)

    @staticmethod
    def scales(quantized, layer, shape=None):
        scale = dict(quantized.named_buffers())[f"{layer}_weight_scale".replace(".", "_")]
        if shape is not None and scale.dim() == 2 and scale.dim() == len(shape) and scale.shape[1] not in (1, shape[1]):
            scale = scale.repeat_interleave(shape[1] // scale.shape[1], 1)  # of groups
        return scale
