"""Writes tests/data/fixtures/: small data files of every supported kind, and expected.json with what they hold.

Run with a Python that has numpy 2.4 and torch 2.13: python tests/data/make_fixtures.py
The tests compare what bitplan decodes with expected.json, so no code is shared between the two.
"""

import collections
import gzip
import io
import json
import pathlib
import struct
import zipfile

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parent / "fixtures"
RANDOM = np.random.default_rng(2024)
expected = {}


def values_of(array):
    """Flat list in row-major order; numbers as Python holds them."""
    return np.ascontiguousarray(array).reshape(-1).tolist()


def describe(array, **more):
    return {"dtype": array.dtype.newbyteorder("=").name, "shape": list(array.shape), "values": values_of(array), **more}


def write(name, data, description):
    (FOLDER / name).write_bytes(data)
    expected[name] = description


# CIFAR ----------------------------------------------------------------------------------------------------------------
def cifar(name, heads):
    pixels = RANDOM.integers(0, 256, (len(heads), 3072), dtype=np.uint8)
    data = b"".join(bytes(head) + row.tobytes() for head, row in zip(heads, pixels))
    weights = np.arange(1, pixels.size + 1, dtype=np.int64)
    write(name, data, {
        "shape": [len(heads), 3, 32, 32],
        "labels": [head[-1] for head in heads],
        "weighted_sum": int((pixels.reshape(-1) * weights).sum()),  # of i * pixel i, counted from 1
    })


cifar("cifar10.bin", [(9,), (0,)])
cifar("cifar100.bin", [(19, 99), (0, 10)])


# IDX ------------------------------------------------------------------------------------------------------------------
IDX_TYPES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    kind = array.dtype.newbyteorder("=").str[1:]
    header = bytes([0, 0, IDX_TYPES[kind], array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return header + array.astype(">" + kind).tobytes()


images = RANDOM.integers(0, 256, (4, 5, 3), dtype=np.uint8)
labels = np.array([3, 0, 9, 1], dtype=np.uint8)
write("images-idx3-ubyte", idx_bytes(images), describe(images))
write("labels-idx1-ubyte", idx_bytes(labels), describe(labels))
write("images-idx3-ubyte.gz", gzip.compress(idx_bytes(images), mtime=0), describe(images))
write("labels.idx.gz", gzip.compress(idx_bytes(labels)[:5], mtime=0) + gzip.compress(idx_bytes(labels)[5:], mtime=0),
      describe(labels))  # two gzip members
for kind, numbers in {
    "i1": [-128, -1, 0, 1, 127, 5],
    "i2": [-32768, -2, 0, 258, 32767, 5],
    "i4": [-2**31, -3, 0, 16909060, 2**31 - 1, 5],
    "f4": [-1.5, 0.1, 0.0, 3e38, 1e-45, 2.0],
    "f8": [-1.5, 0.1, 0.0, 1e300, 5e-324, 2.0],
}.items():
    array = np.array(numbers, dtype=kind).reshape(2, 3)
    write(f"{kind}.idx", idx_bytes(array), describe(array))


# NumPy .npy -----------------------------------------------------------------------------------------------------------
def npy_bytes(array, version=(1, 0)):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


NUMBERS = {
    "?": [0, 1, 1, 0, 0, 1],
    "u1": [0, 1, 127, 128, 254, 255],
    "i1": [-128, -1, 0, 1, 2, 127],
    "u2": [0, 1, 258, 32768, 65534, 65535],
    "i2": [-32768, -258, 0, 1, 258, 32767],
    "u4": [0, 1, 16909060, 2**31, 2**32 - 2, 2**32 - 1],
    "i4": [-2**31, -16909060, 0, 1, 16909060, 2**31 - 1],
    "i8": [-2**53, -72623859790382856, 0, 1, 72623859790382856, 2**53],
    "f2": [-65504, -0.5, 0, 0.333251953125, 2.0**-24, 65504],
    "f4": [-3e38, -0.5, 0, 0.1, 1e-45, 3e38],
    "f8": [-1e300, -0.5, 0, 0.1, 5e-324, 1e300],
}
for kind, numbers in NUMBERS.items():
    for order, order_name in (("<", "little"), (">", "big")):
        if kind in ("?", "u1", "i1") and order == ">":
            continue  # one byte has no byte order
        array = np.array(numbers, dtype=kind if kind == "?" else order + kind).reshape(2, 3)
        name = {"?": "bool"}.get(kind, kind)
        write(f"{name}-{order_name}.npy", npy_bytes(array), describe(array))

cube = np.arange(24, dtype=">i2").reshape(2, 3, 4)
write("fortran-big.npy", npy_bytes(np.asfortranarray(cube)), describe(cube))
write("fortran.npy", npy_bytes(np.asfortranarray(cube.astype("<f4"))), describe(cube.astype("<f4")))
write("fortran-vector.npy", npy_bytes(np.arange(5, dtype="u1")).replace(b"False, ", b"True,  "),
      describe(np.arange(5, dtype="u1")))
write("version2.npy", npy_bytes(cube, (2, 0)), describe(cube))
write("version3.npy", npy_bytes(cube, (3, 0)), describe(cube))
write("scalar.npy", npy_bytes(np.float32(2.5)), describe(np.array(2.5, dtype="f4")))
write("no-rows.npy", npy_bytes(np.zeros((0, 3), dtype="f4")), describe(np.zeros((0, 3), dtype="f4")))
write("seven-axes.npy", npy_bytes(np.asfortranarray(np.arange(48, dtype="u1").reshape(2, 1, 3, 1, 2, 2, 2))),
      describe(np.arange(48, dtype="u1").reshape(2, 1, 3, 1, 2, 2, 2)))

# Arrays that are no plain numbers: each must be refused.
for name, array in {
    "complex": np.array([1 + 2j]),
    "text": np.array(["a", "b"]),
    "objects": np.array([{}, None], dtype=object),
    "records": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]),
    "times": np.array(["2020-01-01"], dtype="M8[D]"),
    "uint64": np.array([1], dtype="u8"),
}.items():
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    (FOLDER / f"refused-{name}.npy").write_bytes(stream.getvalue())


# NumPy .npz -----------------------------------------------------------------------------------------------------------
def write_npz(name, save, arrays):
    save(FOLDER / name, **arrays)
    expected[name] = {"arrays": [describe(array, name=key) for key, array in arrays.items()]}


pair = {
    "second": np.arange(6, dtype="<f4").reshape(3, 2) / 4,
    "first": np.arange(12, dtype="u1").reshape(3, 4),
    "labels": np.array([[2], [0], [1]], dtype="i4"),
}
write_npz("stored.npz", np.savez, pair)
write_npz("deflated.npz", np.savez_compressed, pair)
with zipfile.ZipFile(FOLDER / "refused-text.npz", "w") as archive:
    archive.writestr(zipfile.ZipInfo("readme.txt"), "hello")
with zipfile.ZipFile(FOLDER / "refused-empty.npz", "w"):
    pass


# torch.save -----------------------------------------------------------------------------------------------------------
def tensor_entry(tensor, **more):
    tensor = tensor.detach()
    name = str(tensor.dtype).removeprefix("torch.")
    values = tensor.to(torch.float64) if tensor.is_floating_point() else tensor.to(torch.int64)
    return {"dtype": name, "shape": list(tensor.shape), "values": values.reshape(-1).tolist(), **more}


def write_pt(name, value, entries):
    torch.save(value, FOLDER / name)
    expected[name] = {"tensors": entries}


generator = torch.Generator().manual_seed(5)
first = torch.randn(3, 2, 2, generator=generator)
second = torch.arange(6).reshape(3, 2)
target = torch.tensor([1, 0, 4])
write_pt("tensor.pt", first, [tensor_entry(first)])
write_pt("view.pt", first[:, 1].t(), [tensor_entry(first[:, 1].t())])
write_pt("list.pt", [first, second], [tensor_entry(first), tensor_entry(second)])
write_pt("tuple.pt", (second, first), [tensor_entry(second), tensor_entry(first)])
write_pt("list-of-one-type.pt", [first, first + 1], [tensor_entry(first), tensor_entry(first + 1)])
named = {"z": first, "target": target, "a": second}
write_pt("dict.pt", named, [tensor_entry(tensor, name=key) for key, tensor in named.items()])
write_pt("parameter.pt", torch.nn.Parameter(first), [tensor_entry(first)])
write_pt("expanded.pt", torch.tensor([[1.0, 2.0]]).expand(3, 2), [tensor_entry(torch.tensor([[1.0, 2.0]] * 3))])
for dtype in (torch.uint8, torch.int16, torch.int32, torch.bool, torch.float16, torch.bfloat16, torch.float64):
    tensor = torch.tensor([[0, 1], [1, 0], [1, 1]]).to(dtype)
    name = str(dtype).removeprefix("torch.")
    write_pt(f"{name}.pt", tensor, [tensor_entry(tensor)])
torch.save(first, FOLDER / "legacy.pt", _use_new_zipfile_serialization=False)
torch.save({"model": {"weight": first}}, FOLDER / "refused-nested.pt")
torch.save([first, 3], FOLDER / "refused-number.pt")
torch.save({1: first}, FOLDER / "refused-keys.pt")
torch.save(collections.OrderedDict(named), FOLDER / "refused-ordered-dict.pt")  # LibTorch reads it as None
torch.save([], FOLDER / "refused-empty.pt")
torch.save(torch.eye(3).to_sparse(), FOLDER / "refused-sparse.pt")
torch.save(torch.tensor([1 + 2j]), FOLDER / "refused-complex.pt")
torch.save(np.arange(3), FOLDER / "refused-numpy.pt")
torch.save(torch.utils.data.TensorDataset(first), FOLDER / "refused-dataset.pt")


class Double(torch.nn.Module):
    def forward(self, x):
        return 2 * x


torch.jit.save(torch.jit.script(Double()), FOLDER / "refused-torchscript.pt")


# safetensors ----------------------------------------------------------------------------------------------------------
def write_safetensors(name, tensors):
    """By the format's description, with nothing of the package that writes such files. `tensors`: name, type, array."""
    header, data, described = {"__metadata__": {"made by": "hand"}}, b"", []
    for key, kind, array in tensors:
        own = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[key] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(own)]}
        data += own
        described.append(describe(array, name=key))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write(name, struct.pack("<Q", len(text)) + text + data, {"arrays": described})


write_safetensors("named.safetensors", [
    ("mask", "U8", np.array([[1, 0], [255, 1], [7, 0]], dtype=np.uint8)),
    ("ids", "I64", np.array([[5, 2**40, 0], [1, 2, 3], [9, 8, 7]], dtype=np.int64)),
    ("label", "I32", np.array([2, 0, 1], dtype=np.int32)),
])
write_safetensors("types.safetensors", [(kind, kind, np.array(numbers).astype(dtype)) for kind, dtype, numbers in [
    ("F64", "f8", [[0.1, -3e200]]), ("F32", "f4", [0.5, -1.25]), ("F16", "f2", [[0.5], [65504.0]]),
    ("I64", "i8", [-(2**62), 3]), ("I32", "i4", [-5, 2**30]), ("I16", "i2", [-300, 300]), ("I8", "i1", [-128, 127]),
    ("U32", "u4", [2**32 - 1, 0]), ("U16", "u2", [[[65535, 1]]]), ("U8", "u1", [255]), ("BOOL", "?", [True, False]),
]] + [("none", "F32", np.zeros((0, 3), "f4"))])


# Tokens ---------------------------------------------------------------------------------------------------------------
def windows(array, context, padding=()):
    """Of each row the windows one behind the other, and the token after each of theirs."""
    rows, inputs, labels = array.reshape(-1, array.shape[-1]).tolist(), [], []
    for row in rows:
        first = 0
        while first + context < len(row):
            inputs.append([max(token, 0) for token in row[first:first + context]])
            labels.append([-100 if token in padding else token for token in row[first + 1:first + context + 1]])
            first += context
    return {"context": context, "inputs": inputs, "labels": labels}


stream = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 35897, 9, 3, 2], dtype=np.uint16)
rows = np.array([[[1, 2, 3, 4, 5], [6, 7, 0, -100, -100]], [[8, 9, 10, 0, -100], [11, 0, 12, 13, 14]]], dtype=np.int16)
(FOLDER / "stream.tokens").write_bytes(stream.astype("<u2").tobytes())
np.save(FOLDER / "stream-tokens.npy", stream.astype(">i4"))
np.save(FOLDER / "rows-tokens.npy", rows)
expected["stream.tokens"] = [windows(stream, context) for context in (1, 3, 4, 12)]
expected["stream-tokens.npy"] = describe(stream.astype("i4"))
expected["rows-tokens.npy"] = {**describe(rows), "windows": [windows(rows, c, (-100, 0)) for c in (4, 2, 3)]}


# The draw of samples ------------------------------------------------------------------------------------------------
class MersenneTwister64:
    """mt19937_64, from Matsumoto and Nishimura's mt19937-64.c (2004)."""

    def __init__(self, seed):
        mask = 2**64 - 1
        self.state = [seed & mask]
        for i in range(1, 312):
            last = self.state[-1]
            self.state.append((6364136223846793005 * (last ^ (last >> 62)) + i) & mask)
        self.at = 312

    def __call__(self):
        if self.at == 312:
            for i in range(312):
                x = (self.state[i] & 0xFFFFFFFF80000000) | (self.state[(i + 1) % 312] & 0x7FFFFFFF)
                self.state[i] = self.state[(i + 156) % 312] ^ (x >> 1) ^ (0xB5026F5AA96619E9 if x & 1 else 0)
            self.at = 0
        x = self.state[self.at]
        self.at += 1
        x ^= (x >> 29) & 0x5555555555555555
        x ^= (x << 17) & 0x71D67FFFEDA60000
        x ^= (x << 37) & 0xFFF7EEE000000000
        return x ^ (x >> 43)


def draw(total, count, seed):
    """The first `count` of a Fisher-Yates shuffle; numbers below a bound by rejection of the incomplete last run."""
    twister, order = MersenneTwister64(seed), list(range(total))
    for i in range(count):
        bound = total - i
        while (x := twister()) >= 2**64 - 2**64 % bound:
            pass
        j = i + x % bound
        order[i], order[j] = order[j], order[i]
    return order[:count]


expected["draws"] = [
    {"total": total, "count": count, "seed": seed, "order": draw(total, count, seed)}
    for total, count, seed in [(10, 10, 0), (10, 4, 1), (1000, 12, 42), (1, 1, 7), (100, 30, 2**64 - 1)]
]

(FOLDER / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
