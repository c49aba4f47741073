#!/usr/bin/env python3
"""Every kind of layer, objective, optimizer and augmentation on a device and on the CPU: the same losses?

    tests/cuda/numbers.py TAKD DEVICE [--cache DIR]

Runs wide.toml on both and compares the losses of each network's first epoch, three steps of it, by their ratio. Fails
where one differs by more than a thousandth: both compute in f32 and add up in another order. Prints JSON.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

WIDE = pathlib.Path(__file__).resolve().parent / "wide.toml"
NEAR = 1e-3


def losses(takd, device, cache):
    """The loss of each node's first epoch."""
    command = [str(takd), "run", str(WIDE), "--device", device, "--cache", str(cache), "--log-format", "json"]
    run = subprocess.run(command, text=True, capture_output=True)
    if run.returncode != 0:
        raise RuntimeError(f"takd exited with {run.returncode} on {device}: {run.stderr[-2000:]}")
    events = [json.loads(line) for line in run.stderr.splitlines() if line.startswith("{")]
    return {event["node"]: event["loss"] for event in events if event.get("event") == "epoch" and event["epoch"] == 1}


def compare(takd, device, cache):
    cache = pathlib.Path(cache)
    here, there = (losses(takd, where, cache / where.replace(":", "")) for where in (device, "cpu"))
    if not here or here.keys() != there.keys():
        raise RuntimeError(f"nodes differ: {sorted(here.keys() ^ there.keys())}")
    apart = {node: abs(here[node] - there[node]) / max(abs(there[node]), 1e-6) for node in there}
    furthest = sorted(apart, key=apart.get, reverse=True)
    return {
        "nodes": len(apart),
        "differ by more than a thousandth": [node for node in furthest if not apart[node] <= NEAR],
        "furthest": {node: [here[node], there[node], apart[node]] for node in furthest[:5]},
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
    sys.exit(1 if found["differ by more than a thousandth"] else 0)
