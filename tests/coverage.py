#!/usr/bin/env python3
"""Which lines of src/server the tests have run, from what the programs of the coverage preset counted.

    tests/coverage.py [--build build/coverage] [--least 90] [--files 25] [--lines PATTERN]

Prints covered and all lines, the same per folder, and the files with most lines that no test reached;
with --lines, instead, these lines of the files whose path contains PATTERN. The status is 1 below --least
percent. `./test coverage` builds, runs and calls this.

A line counts once, in however many objects and instances of a template it was compiled; it is covered if one of
them ran. A program that was killed has counted nothing, nor has a forked child, which leaves by _exit.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

TOP = pathlib.Path(__file__).resolve().parents[1]
MEASURED = "src/server/"
NOTES_AT_ONCE = 16  # objects per gcov: few processes, and none that holds the JSON of all


def counted_lines(notes):
    """{path: {line: times it ran}} of what these objects were compiled from."""
    result = subprocess.run(["gcov", "--json-format", "--stdout", *notes], cwd=TOP, capture_output=True, text=True,
                            check=True)
    files = collections.defaultdict(dict)
    for document in filter(str.strip, result.stdout.splitlines()):
        for file in json.loads(document)["files"]:
            path = os.path.relpath(os.path.join(TOP, file["file"]), TOP)
            if path.startswith(MEASURED):
                lines = files[path]
                for line in file["lines"]:
                    lines[line["line_number"]] = max(lines.get(line["line_number"], 0), line["count"])
    return files


def measure(build):
    notes = [str(path) for path in sorted(build.rglob("*.gcno"))]
    if not notes:
        sys.exit(f"no .gcno in {build}: cmake --preset coverage, and build it")
    groups = [notes[at:at + NOTES_AT_ONCE] for at in range(0, len(notes), NOTES_AT_ONCE)]
    files = collections.defaultdict(dict)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(counted_lines, groups):
            for path, lines in part.items():
                for line, count in lines.items():
                    files[path][line] = max(files[path].get(line, 0), count)
    return files


def ranges(numbers):
    """[3, 4, 5, 9] is "3-5 9"."""
    spans = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def row(name, lines, covered):
    return f"{name:44} {covered:6} of {lines:6} {100 * covered / lines:6.1f} %"


def report(files, most):
    folders = collections.defaultdict(lambda: [0, 0])
    for path, lines in files.items():
        total = folders[os.path.dirname(path)]
        total[0] += len(lines)
        total[1] += sum(count > 0 for count in lines.values())
    missed = {path: sum(count == 0 for count in lines.values()) for path, lines in files.items()}
    print("most lines that no test reached:")
    for path in sorted(missed, key=missed.get, reverse=True)[:most]:
        print(row(path, len(files[path]), len(files[path]) - missed[path]))
    print("\nper folder:")
    for folder, (lines, covered) in sorted(folders.items()):
        print(row(folder, lines, covered))
    lines, covered = (sum(total[i] for total in folders.values()) for i in (0, 1))
    print(row("\nlines of src/server covered", lines, covered))
    return 100 * covered / lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build/coverage")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--files", type=int, default=25)
    parser.add_argument("--lines", metavar="PATTERN")
    options = parser.parse_args()
    files = measure(options.build.resolve())
    if options.lines is not None:
        for path, lines in sorted(files.items()):
            missed = [line for line, count in lines.items() if count == 0]
            if options.lines in path and missed:
                print(f"{path}: {ranges(missed)}")
        return 0
    return 0 if report(files, options.files) >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
