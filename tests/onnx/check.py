"""Exported networks say in onnxruntime what `takd predict` says: logits within 1e-4, classes equal."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from PIL import Image

APART = 1e-4
work = pathlib.Path(sys.argv[1])
draws = np.random.default_rng(5)
files = []
for number in range(100):
    # Smooth shapes, as clothes are: noise of few pixels, enlarged.
    small = Image.fromarray(draws.integers(0, 256, (5, 5), np.uint8))
    path = work / f"{number}.png"
    small.resize((28, 28), Image.Resampling.BICUBIC).save(path)
    files.append(path)
pixels = np.stack([np.asarray(Image.open(file), np.float32) for file in files])[:, None] / 255
checked = 0
for node in ["takd", "teacher"]:
    command = [os.environ["TAKD"], "predict", "pipelines/quickstart.toml", f"{node}@20", *map(str, files)]
    told = json.loads(subprocess.check_output([*command, "--top", "10", "--format", "json"]))
    want = np.array([[c["logit"] for c in sorted(i["classes"], key=lambda c: c["class"])] for i in told])
    for path in sorted(work.glob(f"{node}-[rn]*.onnx")):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert model.ir_version == 8 and model.opset_import[0].version == 17
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        mean, std = (np.array(json.loads(metadata[key]), np.float32) for key in ["mean", "std"])
        raw = metadata["pixels"] == "raw"
        images = pixels if raw else (pixels - mean[:, None, None]) / std[:, None, None]
        session = onnxruntime.InferenceSession(path)
        [found] = session.run(None, {"images": images})
        [alone] = session.run(None, {"images": images[:1]})
        apart = np.abs(found - want).max()
        assert found.shape == (100, 10) and apart < APART, (path.name, apart)
        assert (found.argmax(1) == want.argmax(1)).all() and np.abs(alone[0] - found[0]).max() < APART
        print(f"onnx: {path.name}: {apart:.1e} apart on 100 images, {metadata['net']}, key {metadata['key'][:12]}")
        checked += 1
    # In 8 bits: what onnxruntime's integer kernels say is what the graph says, and close to 32 bits.
    path = work / f"{node}.int8"
    session = onnxruntime.InferenceSession(path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    [found] = session.run(None, {"images": pixels})
    told = json.loads(subprocess.check_output(
        [os.environ["TAKD"], "predict", "--model", work / f"{node}-8.onnx", *files, "--top", "10", "--format", "json"]))
    said = np.array([[c["logit"] for c in sorted(i["classes"], key=lambda c: c["class"])] for i in told])
    same, kept = (found.argmax(1) == said.argmax(1)).mean(), (found.argmax(1) == want.argmax(1)).mean()
    assert same >= 0.98 and kept >= 0.9, (same, kept)
    print(f"onnx: {node} in 8 bits: {path.stat().st_size} bytes, {same:.0%} as tract, {kept:.0%} as 32 bits")
assert checked == 6, checked
