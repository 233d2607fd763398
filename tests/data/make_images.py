"""Writes tests/data/images/: small images of every color model, and beside each NAME, as NAME.ppm, its pixels as Pillow's
convert("RGB") has them; of two of them NAME.INTERPOLATION.RESIZE.CROP.ppm, as torchvision resizes and crops the tensor.

Run with Pillow 13.0 and torchvision 0.29: python tests/data/make_images.py
The tests compare what bitplan decodes with these, so no code is shared between the two.
"""

import itertools
import pathlib
import struct
import zlib

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2

FOLDER = pathlib.Path(__file__).parent / "images"
WIDTH, HEIGHT = 37, 26


def picture(width=WIDTH, height=HEIGHT):
    """Smooth waves, an edge and a little noise: [height, width, 3], uint8."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(7).integers(0, 25, (height, width, 3))
    channels = [127 + 100 * np.sin(x / 5 + c) * np.cos(y / (4 + c)) + 60 * (x > 2 * y) for c in range(3)]
    return (np.stack(channels, -1) + noise).clip(0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(name, rows, depth, color, between=b""):
    """PNGs that Pillow does not write: `rows` holds the bytes of each row."""
    height = len(rows)
    header = struct.pack(">IIBBBBB", len(rows[0]) * 8 // depth // {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color], height, depth,
                         color, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + between + chunk(b"IDAT", data)
                                + chunk(b"IEND", b""))


def write_images():
    rgb = picture()
    image = Image.fromarray(rgb)
    alpha = Image.fromarray(np.dstack([rgb, rgb[..., ::-1, 0]]))
    wide = np.random.default_rng(3).integers(0, 65536, (8, 9, 4)).astype(">u2")
    image.save(FOLDER / "plain.jpg", quality=90)
    image.save(FOLDER / "full_chroma.jpg", quality=80, subsampling=0)
    image.save(FOLDER / "half_chroma.jpg", quality=80, subsampling=1)
    image.save(FOLDER / "progressive.jpg", progressive=True)
    image.convert("L").save(FOLDER / "gray.jpg")
    image.convert("CMYK").save(FOLDER / "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    image.save(FOLDER / "turned.jpg", exif=exif)
    image.resize((1, 1)).save(FOLDER / "one_pixel.JPEG")
    image.save(FOLDER / "rgb.png")
    alpha.save(FOLDER / "alpha.png")
    image.convert("LA").save(FOLDER / "gray_alpha.png")
    image.convert("L").save(FOLDER / "gray.png")
    image.convert("1").save(FOLDER / "black_white.png")
    image.quantize(200).save(FOLDER / "palette.png")
    image.quantize(11).save(FOLDER / "palette4.png", bits=4)
    image.quantize(16).save(FOLDER / "palette_transparent.png", transparency=3)
    image.save(FOLDER / "rgb_transparent.png", transparency=tuple(int(value) for value in rgb[0, 0]))
    write_png("gray2.png", [np.random.default_rng(row).bytes(5) for row in range(7)], 2, 0)
    write_png("gray4.png", [np.random.default_rng(row).bytes(5) for row in range(7)], 4, 0)
    write_png("gray16.png", [np.where(row > 3, row % 400, row % 256).astype(">u2").tobytes() for row in wide[..., 0]], 16, 0)
    write_png("gray_alpha16.png", [row.tobytes() for row in wide[..., :2]], 16, 4)
    write_png("rgb16.png", [row.tobytes() for row in wide[..., :3]], 16, 2, chunk(b"gAMA", struct.pack(">I", 45455)))
    write_png("rgba16.png", [row.tobytes() for row in wide], 16, 6)
    image.save(FOLDER / "lossy.webp", quality=70)
    image.save(FOLDER / "lossless.webp", lossless=True)
    alpha.save(FOLDER / "alpha.webp", lossless=True, exact=True)
    Image.fromarray(picture(21, 40)).save(FOLDER / "tall.png")


def write_transformed(name):
    pixels = torch.from_numpy(np.array(Image.open(FOLDER / name).convert("RGB"))).permute(2, 0, 1)
    for interpolation, (resize, crop) in itertools.product(("bilinear", "bicubic", "nearest"),
                                                           ((16, 12), (50, 33), (9, 20), (0, 13), (17, 0))):
        result = pixels
        if resize:
            result = v2.functional.resize(result, [resize], v2.InterpolationMode(interpolation), antialias=True)
        if crop:
            result = v2.functional.center_crop(result, [crop, crop])
        save = Image.fromarray(result.permute(1, 2, 0).contiguous().numpy())
        save.save(FOLDER / f"{name}.{interpolation}.{resize}.{crop}.ppm")


FOLDER.mkdir(exist_ok=True)
for old in FOLDER.iterdir():
    old.unlink()
write_images()
for file in sorted(FOLDER.iterdir()):
    Image.open(file).convert("RGB").save(f"{file}.ppm")
for name in ("plain.jpg", "tall.png"):
    write_transformed(name)
