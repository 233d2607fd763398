"""Files that people take for TorchScript models: writes tests/network/foreign/. Needs PyTorch 2.9 or later."""

import pathlib
import struct

import torch

FOLDER = pathlib.Path(__file__).parent / "foreign"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.fc = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    net = Net().eval()
    x = torch.randn(2, 3, 6, 6)
    batch = torch.export.Dim("batch")
    exported = torch.export.export(net, (x,), dynamic_shapes=({0: batch},))
    for node in exported.graph.nodes:
        node.meta.pop("stack_trace", None)  # holds the paths of the machine that the file was made on
    torch.export.save(exported, FOLDER / "exported.pt2")
    torch.save(net.state_dict(), FOLDER / "state_dict.pth")
    torch.save({"epoch": 3, "model": net.state_dict()}, FOLDER / "training_checkpoint.pth")
    torch.save(net, FOLDER / "module.pt")
    torch.save(x, FOLDER / "tensor.pt")
    torch.save(net.state_dict(), FOLDER / "before_1_6.pth", _use_new_zipfile_serialization=False)
    header = b'{"fc.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  '
    (FOLDER / "weights.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))


if __name__ == "__main__":
    main()
