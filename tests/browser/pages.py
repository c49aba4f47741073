"""Makes the pages that check.py looks at: python3 pages.py TAKD FOLDER.

small.html has every part of a page, labels that HTML could mistake, and nothing missing; large.html
has 1,002 nodes with a curve for each network.
"""

import pathlib
import random
import struct
import subprocess
import sys

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


def main() -> None:
    takd, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    bars(folder / "bars")
    for name, text in [("small", SMALL), ("large", LARGE)]:
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        subprocess.run([takd, "run", "-q", f"{name}.toml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([takd, "report", f"{name}.toml", "--format", "html", "-o", f"{name}.html"], cwd=folder, check=True)


main()
