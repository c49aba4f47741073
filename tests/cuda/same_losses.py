#!/usr/bin/env python3
"""Every kind of layer, objective, optimizer and augmentation on a device and on the CPU: the same losses?

    tests/cuda/same_losses.py TAKD DEVICE [--cache DIR]

Runs wide.toml on both, on 176 images of its own, and compares the losses of each network's first epoch, three steps of it,
by their ratio. Fails where one differs by more than a thousandth: both compute in f32 and add up in another order. Those
whose `precision` is "bf16" may differ by more. Prints JSON.
"""
import argparse
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

WIDE = pathlib.Path(__file__).resolve().parent / "wide.toml"
NEAR = 1e-3
# Of networks whose products a GPU rounds to seven bits.
NEAR_BF16 = 5e-3
# Of the training images 16 are held out: a software adapter would take hours for the thousands that wide.toml has.
LEARNT, HELD_OUT, TESTED, SIDE = 150, 16, 10, 28


def draw(folder):
    """Waves that turn with the class, with noise, as MNIST's files."""
    source = random.Random(7)
    for part, count in (("train", LEARNT + HELD_OUT), ("t10k", TESTED)):
        labels = bytes(n % 10 for n in range(count))
        wave = lambda label, x, y: 127 + 80 * math.sin((x * math.cos(label / 3) + y * math.sin(label / 3)) / 3)
        pixels = bytes(int(wave(label, x, y) + 40 * source.random()) for label in labels for y in range(SIDE) for x in range(SIDE))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, SIDE, SIDE) + pixels)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)


def losses(takd, device, cache, data):
    """The loss of each node's first epoch."""
    own = {"format": '"idx"', "path": json.dumps(str(data)), "validation": HELD_OUT}
    command = [str(takd), "run", str(WIDE), "--device", device, "--cache", str(cache), "--log-format", "json"]
    command += [word for name, value in own.items() for word in ("--set", f"data.few.{name}={value}")]
    run = subprocess.run(command, text=True, capture_output=True)
    if run.returncode != 0:
        raise RuntimeError(f"takd exited with {run.returncode} on {device}: {run.stderr[-2000:]}")
    events = [json.loads(line) for line in run.stderr.splitlines() if line.startswith("{")]
    return {event["node"]: event["loss"] for event in events if event.get("event") == "epoch" and event["epoch"] == 1}


def compare(takd, device, cache):
    cache = pathlib.Path(cache)
    data = cache / "data"
    data.mkdir(parents=True, exist_ok=True)
    draw(data)
    here, there = (losses(takd, where, cache / where.replace(":", ""), data) for where in (device, "cpu"))
    if not here or here.keys() != there.keys():
        raise RuntimeError(f"nodes differ: {sorted(here.keys() ^ there.keys())}")
    apart = {node: abs(here[node] - there[node]) / max(abs(there[node]), 1e-6) for node in there}
    furthest = sorted(apart, key=apart.get, reverse=True)
    near = {node: NEAR_BF16 if node.startswith("bf16-") else NEAR for node in apart}
    return {
        "nodes": len(apart),
        "differ by more": [node for node in furthest if not apart[node] <= near[node]],
        "furthest": {node: [here[node], there[node], apart[node]] for node in furthest[:9]},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("takd", type=pathlib.Path)
    parser.add_argument("device")
    parser.add_argument("--cache", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(options.takd.resolve(), options.device, options.cache or folder)
    print(json.dumps(found, indent=1))
    sys.exit(1 if found["differ by more"] else 0)
