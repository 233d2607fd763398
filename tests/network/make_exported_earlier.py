"""Writes some models of make_models.py as archives of torch.export by the PyTorch that runs it, an earlier one (2.6 or later).

    python tests/network/make_exported_earlier.py            # the committed ones
    python tests/network/make_exported_earlier.py FOLDER     # all, as torch.export.save leaves them

exported_earlier/VERSION/CASE.KIND.pt2: the container of that version, without the paths of stack traces and the example inputs, and
compressed. Kinds: those of make_exported.py, and strict (plain, as TorchDynamo traces it).
"""

import io
import json
import os
import pathlib
import sys
import warnings
import zipfile

import torch

import make_exported
from make_models import GROUPS

COMMITTED = {
    "small_resnet": ("plain", "core"),
    "token_classifier": ("dynamic", "strict"),
    "own_attention": ("core",),
    "attention": ("core",),  # numbers that are not finite
    "addmm": ("strict",),  # parameters with attributes
    "lstm": ("plain",),
    "tied_embedding": ("dynamic", "strict"),
    "dict_output": ("strict",),
    "writes_buffers": ("plain",),
}
KINDS = ("plain", "dynamic", "core", "strict")


def is_example(entry: str) -> bool:
    return "sample_inputs" in entry or "example_inputs" in entry


def save(program: torch.export.ExportedProgram, path: pathlib.Path) -> None:
    """As torch.export does, its container kept."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    with zipfile.ZipFile(buffer) as full, zipfile.ZipFile(path, "w") as small:
        for record in full.infolist():
            content = full.read(record)
            if is_example(record.filename):
                continue
            if record.filename.endswith(".json"):
                document = json.loads(content)
                make_exported.without_traces(document)
                content = json.dumps(document, separators=(",", ":")).encode()
            small.writestr(zipfile.ZipInfo(record.filename), content, zipfile.ZIP_DEFLATED, 9)


def export(case, kind: str) -> torch.export.ExportedProgram:
    if kind != "strict":
        return make_exported.export(case, kind)
    with torch.no_grad():
        return torch.export.export(case.model, tuple(x.clone() for x in case.inputs) + tuple(case.arguments), strict=True)


def write_all(folder: pathlib.Path) -> dict[str, list[str]]:
    written = {}
    for case in (case for group in GROUPS for case in group.cases()):
        try:
            make_exported.take_as_written(case)
            if not make_exported.is_as_written(case):
                continue
        except Exception as error:  # a file that this version cannot read
            print(f"{case.name}: {str(error).splitlines()[0][:100]}")
            continue
        for kind in KINDS:
            path = folder / f"{case.name}.{kind}.pt2"
            try:
                torch.export.save(export(case, kind), path)
                written.setdefault(case.name, []).append(kind)
            except Exception as error:  # whatever this version does not take
                path.unlink(missing_ok=True)
                print(f"{case.name}.{kind}: {type(error).__name__}: {str(error).splitlines()[0][:100] if str(error) else ''}")
    return written


def write_committed(folder: pathlib.Path) -> None:
    for case in (case for group in GROUPS for case in group.cases()):
        if case.name not in COMMITTED:
            continue
        make_exported.take_as_written(case)
        assert make_exported.is_as_written(case), case.name
        for kind in COMMITTED[case.name]:
            save(export(case, kind), folder / f"{case.name}.{kind}.pt2")


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if len(sys.argv) > 1:
        folder = pathlib.Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "archives.json").write_text(json.dumps(write_all(folder), indent=1) + "\n")
        return
    folder = make_exported.EXPORTED.parent / "exported_earlier" / ".".join(torch.__version__.split(".")[:2])
    folder.mkdir(parents=True, exist_ok=True)
    write_committed(folder)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # as in make_models.py
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    main()
