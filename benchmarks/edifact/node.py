"""Readers of other languages, where node and npm are there: reading 1 MB, without validation, beside ours.

    python -m tidewaiter.benchmarks.edifact.node

installs the packages into benchmarks/out/node, prints the table and writes benchmarks/out/edifact-peers.json.
Each peer runs in a process of its own and times itself, so neither its start nor its compilation counts.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from tidewaiter.benchmarks.edifact import material, ours
from tidewaiter.benchmarks.results import OUT, Result, beside_peer, console, table_of, write
from tidewaiter.benchmarks.rounds import in_turns
from tidewaiter.gateway import resources

PACKAGES = {"edifact": "1.2.12", "ts-edifact": "0.0.14"}
FOLDER = OUT / "node"
# Ours and the peer take turns so often, and a process of the peer reads so often: its compiler needs some.
TURNS, READINGS = 3, 8
_SCRIPT = """
const fs = require("fs");
const [name, file, readings] = process.argv.slice(2);
const text = fs.readFileSync(file, "latin1");
function made(listen) {
  if (name === "edifact") {
    const parser = new (require("edifact/parser.js"))();
    parser.encoding("UNOC");
    for (const event in listen) parser.on(event, listen[event]);
    return parser;
  }
  const { Configuration } = require("ts-edifact/lib/configuration.js");
  const { NullValidator } = require("ts-edifact/lib/validator.js");
  const { Parser } = require("ts-edifact/lib/parser.js");
  const parser = new Parser(new Configuration({ charset: "UNOC", validator: new NullValidator() }));
  parser.onOpenSegment = listen.opensegment;
  parser.onCloseSegment = listen.closesegment;
  parser.onElement = listen.element;
  parser.onComponent = listen.component;
  return parser;
}
function read() {
  const segments = [];
  let elements, components, total = 0;
  const parser = made({
    opensegment: (tag) => segments.push({ tag, elements: (elements = []) }),
    element: () => elements.push((components = [])),
    component: (data) => components.push(data),
    closesegment: () => {},
  });
  parser.write(text);
  parser.end();
  for (const segment of segments)
    if (!["UNA", "UNB", "UNZ"].includes(segment.tag))
      for (const element of segment.elements)
        for (const component of element) total += component.length;
  return total;
}
let best = Infinity, total = 0;
for (let reading = 0; reading < Number(readings); reading++) {
  const began = process.hrtime.bigint();
  total = read();
  best = Math.min(best, Number(process.hrtime.bigint() - began) / 1e9);
}
console.log(JSON.stringify([best, total]));
"""


class MissingError(Exception):
    """Something this needs is not there."""


def compare() -> list[Result]:
    """Ours beside each package. Raises MissingError without node or npm, or where npm cannot install."""
    _install()
    data = material.interchange(material.MEGABYTE)
    FOLDER.joinpath("1.edi").write_bytes(data)
    directory = resources.directory()
    ways = {"read": lambda: ours.whole(data), "read + validated": lambda: ours.validated(data, directory)}
    best: dict[str, float] = {}
    for _ in range(TURNS):
        timed = in_turns(ways, 1, dict.fromkeys(ways, READINGS), time.perf_counter)
        taken = {name: each.best for name, each in timed.items()}
        for package in PACKAGES:
            taken[package], total = _read(package)
            if total != ours.whole(data):
                raise ValueError(f"{package} does not see the same characters: {total}")
        best = {name: min(seconds, best.get(name, seconds)) for name, seconds in taken.items()}
    return [
        beside_peer(f"1 MB: {way}", best[way], f"npm {package} reading", best[package])
        for package in PACKAGES
        for way in ways
    ]


def _read(package: str) -> tuple[float, int]:
    """The seconds of its best reading, and the characters it saw."""
    told = _run(["node", "read.cjs", package, "1.edi", str(READINGS)])
    seconds, total = json.loads(told)
    return float(seconds), int(total)


def _install() -> None:
    lacking = [program for program in ("node", "npm") if shutil.which(program) is None]
    if lacking:
        raise MissingError(f"{' and '.join(lacking)} not found: the peers on npm cannot be run")
    FOLDER.mkdir(parents=True, exist_ok=True)
    FOLDER.joinpath("package.json").write_text(json.dumps({"private": True, "dependencies": PACKAGES}))
    FOLDER.joinpath("read.cjs").write_text(_SCRIPT)
    _run(["npm", "install", "--silent", "--no-audit", "--no-fund"])


def _run(command: Sequence[str], folder: pathlib.Path = FOLDER) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingError(f"{' '.join(command)}: {done.stderr.strip()[-400:]}")
    return done.stdout


def _main() -> None:
    out = console()
    try:
        results = compare()
    except MissingError as error:
        out.print(str(error), markup=False)
        sys.exit(1)
    out.print(table_of(results, "EDIFACT beside readers of other languages: seconds"))
    out.print(f"Written to {write(results, 'edifact-peers.json')}")


if __name__ == "__main__":
    _main()
