"""Makes the pages that check.py looks at: python3 pages.py TAKD FOLDER.

small.html has every part of a page, labels that HTML could mistake, and nothing missing; busy.html
was written while one of its nodes ran, and after another was stopped; large.html has 1,002 nodes with
a curve for each network.
"""

import json
import pathlib
import random
import struct
import subprocess
import sys
import time

BASE = """
name  = "{name}"
seeds = {seeds}

[data.bars]
format     = "idx"
path       = "bars"
validation = 12

[recipe.short]
epochs     = {epochs}
batch_size = 32
optimizer  = {{ sgd = {{ lr = 0.05, momentum = 0.9 }} }}

[net.large]
layers = ["conv6", "maxpool", "fc8", "fc3"]

[net.middle]
layers = ["conv4", "maxpool", "fc3"]

[net.small]
layers = ["conv2", "maxpool", "fc3"]

[train.teacher]
net    = "large"
data   = "bars"
recipe = "short"
"""

SMALL = BASE.format(name="small", seeds=[20, 31, 55], epochs=12) + """
[train.nokd]
net    = "small"
data   = "bars"
recipe = "short"

[chain.ta]
nets      = ["large", "middle", "small"]
from      = "teacher"
paths     = "all"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }

[eval.test]
of = ["*"]

[table.main]
title = "Does <b>an assistant</b> help & \\"how much\\"?"
rows  = [
  { node = "teacher", label = "T, </script><script>alert(1)</script>", paper = 99.5 },
  { node = "nokd", label = "NoKD", paper = 80.0 },
  { node = "ta/small", label = "BLKD" },
  { node = "ta/middle-small", label = "TAKD" },
  { label = "FitNet & co", paper = 86.0 },
]

[figure.sizes]
title     = "Accuracy by size, <CIFAR> & \\"others\\""
x         = "size"
mean_rule = { teacher = "teacher", student = "nokd" }
series    = [
  { label = "networks", points = [
    { x = 1, node = "nokd", paper = 80.0 },
    { x = 2, node = "ta/middle" },
    { x = 3, node = "teacher", paper = 99.5 },
  ] },
]
"""

AXES = [[round(0.02 * step, 2) for step in range(1, 26)], list(range(1, 21))]
LARGE = BASE.format(name="large", seeds=[0], epochs=4) + f"""
[distill."student{{lambda}}-{{temperature}}"]
matrix    = {{ lambda = {AXES[0]}, temperature = {AXES[1]} }}
net       = "small"
teacher   = "teacher"
objective = {{ kd = {{ temperature = "{{temperature}}", lambda = "{{lambda}}" }} }}

[eval.test]
of = ["*"]
"""


def bars(folder: pathlib.Path) -> None:
    """Three classes of 8×8 images: a bright bar whose row tells the class, and noise."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = random.Random(3)
    for name, count in [("train", 72), ("t10k", 60)]:
        labels = [index % 3 for index in range(count)]
        pixels = bytearray()
        for label in labels:
            for place in range(64):
                bar = 45 if place // 8 == 2 * label + 1 else 0
                pixels.append(min(255, numbers.randrange(170) + bar))
        images = struct.pack(">4I", 0x803, count, 8, 8) + pixels
        (folder / f"{name}-images-idx3-ubyte").write_bytes(images)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + bytes(labels))


def busy(takd: pathlib.Path, folder: pathlib.Path) -> None:
    """A page of small.toml with epochs without end, of which two nodes have begun."""
    command = lambda *words: [takd, *words, "small.toml", "--set", "recipe.short.epochs=1000000"]
    for node in ["teacher@20", "nokd@20"]:
        run = subprocess.Popen([*command("run", "-q"), node], cwd=folder, stdout=subprocess.DEVNULL)
        try:
            reached = None
            while reached is None:
                assert run.poll() is None, "the training goes on"
                time.sleep(0.1)
                status = json.loads(subprocess.check_output(command("status", "--json"), cwd=folder))
                reached = next((n["reached"] for n in status["nodes"] if n["running"]), None)
            report = [*command("report"), "--format", "html", "-o", "busy.html"]
            subprocess.run(report, cwd=folder, check=True)
        finally:
            run.kill()
            run.wait()


def main() -> None:
    takd, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    bars(folder / "bars")
    for name, text in [("small", SMALL), ("large", LARGE)]:
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        subprocess.run([takd, "run", "-q", f"{name}.toml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([takd, "report", f"{name}.toml", "--format", "html", "-o", f"{name}.html"], cwd=folder, check=True)
    busy(takd, folder)


main()
