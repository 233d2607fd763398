"""The files of bitplan and the schemas of docs/schemas/: each of the samples, which stand for every version that is read,
files that the tool writes now, and those that come with the library (targets/, devices/).

usage: samples_test.py schemas SOURCE_DIR | fresh SOURCE_DIR TOOL | read SOURCE_DIR TOOL
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings
import zlib

import jsonschema

warnings.filterwarnings("ignore", category=DeprecationWarning)  # RefResolver is all that Debian 12 has

# Objects whose keys are names of the user's own, with texts as values.
OPEN = {"choices", "cheapest", "input_values", "reference", "of", "__metadata__"}


class Schemas:
    def __init__(self, folder):
        self.folder = folder
        self.by_file = {file.name: json.loads(file.read_text()) for file in sorted(folder.glob("*.schema.json"))}

    def validator(self, name, version):
        schema = self.by_file[f"{name}-{version}.schema.json"]
        store = {f"{self.folder.as_uri()}/{file}": each for file, each in self.by_file.items()}
        resolver = jsonschema.RefResolver(f"{self.folder.as_uri()}/", schema, store)
        return jsonschema.Draft202012Validator(schema, resolver=resolver)

    def check(self, file):
        """Fails unless the file is what the schema says that it names."""
        value = read(file)
        name, version = schema_of(value)
        found = sorted(self.validator(name, version).iter_errors(value), key=str)
        assert not found, f"{file.name}: {found[0].json_path}: {found[0].message}"
        return value


def read(file):
    if file.suffix == ".safetensors":
        data = file.read_bytes()
        return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    if file.suffix == ".checkpoint":
        return checkpoint(file.read_bytes())
    return json.loads(file.read_text())


def checkpoint(data):
    schema, header, checksum, records = data.split(b"\n", 3)
    assert int(checksum, 16) == zlib.crc32(header)
    steps = []
    while records:
        name, payload = (int.from_bytes(records[at : at + 8], "little") for at in (0, 8))
        end = 17 + name + payload
        assert int.from_bytes(records[end : end + 4], "little") == zlib.crc32(records[:end])
        steps.append({"name": records[17 : 17 + name].decode(), "type": chr(records[16])})
        records = records[end + 4 :]
    return {"schema": schema.decode(), **json.loads(header), "steps": steps}


def schema_of(value):
    text = value["schema"] if "schema" in value else value["__metadata__"]["format"]
    return re.fullmatch(r"bitplan\.([a-z]+)/(\d+)", text).groups()


def objects(value, path=()):
    """Every object in a value: (path, object)."""
    if isinstance(value, dict):
        yield path, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from objects(item, (*path, key))


def samples(source):
    folder = source / "tests" / "samples"
    return [file for each in ("by_hand", "by_tool") for file in sorted((folder / each).iterdir()) if file.suffix != ".npy"]


def schemas_and_samples(source):
    schemas = Schemas(source / "docs" / "schemas")
    for schema in schemas.by_file.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    sources = [file for room in ("src", "hessian", "search") for file in (source / room).rglob("*") if file.suffix in (".cpp", ".h")]
    named = {match for file in sources for match in re.findall(r'"bitplan\.([a-z]+)/(\d+)"', file.read_text())}
    named |= {match for file in sources for match in re.findall(r'"format":"bitplan\.([a-z]+)/(\d+)"', file.read_text())}
    missing = {f"{name}-{version}.schema.json" for name, version in named} - set(schemas.by_file)
    assert not missing, f"the code has files that docs/schemas does not: {missing}"

    page = (source / "docs" / "architecture.md").read_text()
    untold = [file for file in schemas.by_file if file != "parts.schema.json" and f"](schemas/{file})" not in page]
    assert not untold, f"docs/architecture.md does not have {untold}"

    sampled = set()
    for file in samples(source):
        value = schemas.check(file)
        name, version = schema_of(value)
        assert file.name.startswith(f"{name}-{version}"), f"{file.name} is of {name}/{version}"
        sampled.add(f"{name}-{version}.schema.json")
        refuses_what_is_wrong(schemas.validator(name, version), value, file.name)
    alone = set(schemas.by_file) - sampled - {"parts.schema.json"}
    assert not alone, f"schemas without a sample in tests/samples: {alone}"
    shipped = [file for folder in ("targets", "devices") for file in sorted((source / folder).glob("*.json"))]
    for file in shipped:
        schemas.check(file)
    print(f"{len(sampled)} schemas, {len(samples(source))} samples, {len(shipped)} targets and devices")


def refuses_what_is_wrong(validator, value, name):
    """A key too many anywhere, one that is missing, another version."""
    for path, _ in objects(value):
        if len(path) > 4 or any(isinstance(key, int) and key > 0 for key in path):
            continue  # the first of every list tells
        if path and (path[0] == "of" or path[-1] in OPEN and path[-1] != "__metadata__"):
            continue
        wrong = copy.deepcopy(value)
        changed = wrong
        for key in path:
            changed = changed[key]
        changed["no_such_key"] = {"nor": "this"}
        assert path and path[0] == "reference" or not validator.is_valid(wrong), f"{name}: {path} takes any key"
    for key in validator.schema["required"]:
        assert not validator.is_valid({other: item for other, item in value.items() if other != key}), f"{name} without {key}"
    if "schema" in value:
        assert not validator.is_valid({**value, "schema": "bitplan.other/1"})


def fresh(source, tool):
    schemas = Schemas(source / "docs" / "schemas")
    with tempfile.TemporaryDirectory() as folder:
        told = pathlib.Path(folder) / "told"
        made = pathlib.Path(folder) / "made"
        subprocess.run([source / "tests/samples/make_samples.sh", tool, source, made, told], check=True)
        help_text = subprocess.run([tool, "--help"], capture_output=True, text=True, check=True).stdout
        for command in re.findall(r"^  ([a-z]+) ", help_text, re.MULTILINE):
            assert (told / f"{command}.json").is_file(), f"{command} --json leaves no file"
            schemas.check(told / f"{command}.json")
        made = sorted(made.iterdir())
        for file in made:
            if file.suffix != ".npy":
                schemas.check(file)
        kept = {file.name for file in (source / "tests/samples/by_tool").iterdir()}
        new = {file.name for file in made} - kept
        assert not new, f"not kept in tests/samples/by_tool: {new}"


def read_by_the_tool(source, tool):
    """Commands that take a sample, beside what tests/plan/sample_files_test.cpp reads."""
    example = source / "examples" / "cifar10"
    sample = {file.name: file for file in samples(source)}
    few = ["--calibration", f"cifar10:{example}/train.bin", "--calibration-samples", "4"]
    with tempfile.TemporaryDirectory() as folder:
        for command in (
            ["inspect", example / "resnet20.pt", "--input", "3,32,32", "--target", sample["target-1.json"]],
            ["search", "--problem", sample["problem-1.json"]],
            ["search", "--problem", sample["problem-1-logit.json"], "--joint"],
            ["search", sample["sensitivity-1.json"], "--costs", sample["costs-1.json"], "--budget", "latency=90%", "--out", "plan.json"],
            ["search", sample["sensitivity-1.json"], "--joint", "--budget", "weight_size=20%", "--out", "joint.json"],
            ["quantize", example / "resnet20.pt", "--layer-config", sample["configuration-1.json"], "--output-correction", "none",
             "--rounding", "nearest", "--statistics", sample["statistics-1.json"], *few, "--out", "by_hand.pt"],
            ["search", sample["sensitivity-1-before-weights.json"], "--budget", "weight_size=20%", "--out", "early.json"],
            *(["eval", example / "resnet20.pt", "--plan", sample[plan], *few, "--data", f"cifar10:{example}/test.bin", "--samples", "4"]
              for plan in ("plan-1.json", "plan-1-before-weights.json")),
        ):
            done = subprocess.run([tool, *command], cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr}"


if __name__ == "__main__":
    what, source, *rest = sys.argv[1:]
    {"schemas": schemas_and_samples, "fresh": fresh, "read": read_by_the_tool}[what](pathlib.Path(source).resolve(), *rest)
