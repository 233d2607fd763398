"""CONTRIBUTING.md's recipes: the files that they name are there, and are five at the most.

usage: recipes_test.py SOURCE_DIR
"""
import pathlib
import re
import sys


def recipes(page):
    """Title and paths of every recipe; paths are from the top folder."""
    for paragraph in page.split("## Recipes", 1)[1].split("\n\n"):
        title = re.match(r"\*\*(.+?)\.?\*\*", paragraph)
        if title:
            yield title[1], [path for path in re.findall(r"`((?:include|src|search|hessian|tests|docs|targets)/[\w./-]+\.\w+)`", paragraph)]


def main(source):
    found = list(recipes((source / "CONTRIBUTING.md").read_text()))
    assert len(found) >= 10, f"{len(found)} recipes"
    for title, paths in found:
        assert paths and len(paths) <= 5, f"{title}: {len(paths)} files: {paths}"
        for path in paths:
            there = (source / path).parent.is_dir() if "NAME" in path else (source / path).is_file()
            assert there, f"{title}: {path} is not there"
    print(f"{len(found)} recipes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
