"""Draws fashion-mini from Debian's dataset-fashion-mnist (MIT licence, Zalando SE).

    apt-get install dataset-fashion-mnist
    python3 make.py FOLDER_OF_THE_PACKAGE

Writes four gzipped IDX files beside this script: 500 training and 100 test images of each class,
chosen and ordered by random.Random(1902).
"""

import gzip
import pathlib
import random
import struct
import sys

SIZES = {"train": 500, "t10k": 100}
HERE = pathlib.Path(__file__).parent


def pack(name, magic, extents, body):
    header = struct.pack(f">{1 + len(extents)}I", magic, *extents)
    # mtime 0: the same images give the same bytes.
    (HERE / name).write_bytes(gzip.compress(header + body, 9, mtime=0))


def main(folder):
    for part, per_class in SIZES.items():
        images = gzip.open(folder / f"{part}-images-idx3-ubyte.gz").read()[16:]
        labels = gzip.open(folder / f"{part}-labels-idx1-ubyte.gz").read()[8:]
        draw = random.Random(1902)
        chosen = []
        for label in range(10):
            of_class = [i for i, found in enumerate(labels) if found == label]
            chosen += draw.sample(of_class, per_class)
        draw.shuffle(chosen)
        size = 28 * 28
        body = b"".join(images[i * size : (i + 1) * size] for i in chosen)
        pack(f"{part}-images-idx3-ubyte.gz", 0x803, (len(chosen), 28, 28), body)
        pack(f"{part}-labels-idx1-ubyte.gz", 0x801, (len(chosen),), bytes(labels[i] for i in chosen))


main(pathlib.Path(sys.argv[1]))
