#!/usr/bin/env python3
"""takd's CUDA build on a stand-in for NVIDIA's driver: what it asks of a GPU, and what of it NVIDIA's assembler takes.

    check.py TAKD CUDA_PATH DRIVER WORK [SCENARIO ...]

TAKD has the feature `cuda`; CUDA_PATH has libdevice and ptxas; DRIVER is the folder of the stand-in
(fakecuda.c). Numbers that the stand-in gives mean nothing; launches, copies and waits are exact.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TRANSLATOR = HERE / "ptx_to_c.py"
TAKD, CUDA, DRIVER, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[1:5])
# Few images of the quickstart's, and one seed.
TINY = ["--set", "recipe.short.epochs=1", "--set", "data.fashion.validation=4872", "--set", "seeds=[20]"]


def check(condition, *what):
    if not condition:
        sys.exit("cuda: " + "\n".join(map(str, what)))


def environment(**own):
    return {**os.environ, "LD_LIBRARY_PATH": str(DRIVER), "CUDA_PATH": str(CUDA),
            "XDG_CACHE_HOME": str(WORK / "cubecl"), "NO_COLOR": "1", **{key: str(value) for key, value in own.items()}}


def takd(*words, code=0, **own):
    """Runs takd: its output and its words. Without a `code` it must fail as takd fails."""
    command = [str(TAKD), *map(str, words)]
    done = subprocess.run(command, env=environment(**own), cwd=ROOT, capture_output=True, text=True, timeout=600)
    good = done.returncode == code if code is not None else done.returncode in range(1, 5)
    check(good, " ".join(command), f"exited with {done.returncode}:", done.stdout, done.stderr)
    return done.stdout, done.stderr


def totals(report):
    entries = map(json.loads, report.read_text().splitlines())
    return next(entry for entry in entries if entry["kind"] == "totals")


def kernels():
    """Kernels of all layers, objectives, optimizers and augmentations assemble, for Ampere and for Hopper."""
    for sm in (80, 90):
        ptx = WORK / f"ptx-{sm}"
        ptx.mkdir()
        takd("run", HERE / "wide.toml", "--device", "cuda:0", "--cache", WORK / f"cache-{sm}",
             FAKECUDA_SM=sm, FAKECUDA_PTX=ptx, FAKECUDA_REPORT=WORK / "wide.jsonl")
        check(totals(WORK / "wide.jsonl")["refused"] == 0, "a driver refuses calls of wide.toml")
        captured = list(ptx.glob("*.ptx"))
        check(len(captured) > 300, "too few kernels were captured")
        rounded = [file.name for file in captured if "mma." in file.read_text()]
        others = [name for name in rounded if not name.startswith(("measured_", "finished_", "gradients_"))]
        check(rounded and not others, "what has no `precision` takes tensor cores, which round f32:", *others)
        done = subprocess.run([HERE / "ptxcheck", "--ptxas", CUDA / "bin/ptxas", "--arch", f"sm_{sm}", ptx], text=True)
        check(done.returncode == 0, "kernels do not assemble")


def steps():
    """What a training step asks of a GPU stays within limits.toml."""
    limits = tomllib.loads((HERE / "limits.toml").read_text())
    nodes = ",".join(limits)
    command = [HERE / "launches", "--takd", TAKD, "--cuda-path", CUDA, "--steps", "8", "--json",
               f"{HERE / 'steps.toml'}:{nodes}"]
    done = subprocess.run(command, text=True, capture_output=True)
    check(done.returncode == 0, done.stdout, done.stderr)
    over = []
    for line in done.stdout.splitlines():
        found = json.loads(line)
        node = found.pop("node")
        print(f"  {node}: " + ", ".join(f"{name} {value:g}" for name, value in found.items()))
        over += [f"{node}: {name} {found[name]:g}, more than {limit}"
                 for name, limit in limits[node].items() if found[name] > limit + 0.05]
    check(not over, "a step asks more of a GPU than tests/cuda/limits.toml allows:", *over)


def memory():
    """What `takd plan` predicts of a GPU's memory is what a run asks a driver for, a fifth less to a half more."""
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "cifar-10-batches-bin"
        data.mkdir()
        record = bytes([1]) + random.Random(0).randbytes(3072)
        for name in [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]:
            (data / f"{name}.bin").write_bytes(record * 512)
        # The student's teacher is trained before it.
        for node, batch in (("plain2", 128), ("plain2", 1024), ("plain10", 128), ("plain10", 512), ("kd", 512),
                            ("resnet8", 512), ("resnet20", 128)):
            words = [HERE / "steps.toml", node, "--data", folder, "--cache", WORK / "cache-memory", "--set",
                     "data.cifar10.validation=0", "--set", f"recipe.plain.batch_size={batch}"]
            takd("run", *words, "--device", "cuda:0", FAKECUDA_REPORT=WORK / "memory.jsonl")
            planned, _ = takd("plan", *words[:1], "--json", *words[2:4], "--cache", WORK / "cache-none", *words[6:])
            steps = json.loads(planned)["steps"]
            predicted = next(step["gpu_memory_bytes"] for step in steps if step["nodes"] == [f"{node}@0"])
            asked = totals(WORK / "memory.jsonl")["peak_bytes"]
            print(f"  {node} at {batch}: {predicted / 2**20:.0f} MiB predicted, {asked / 2**20:.0f} asked for", flush=True)
            check(0.8 * asked < predicted + 32 * 2**20 and predicted < 1.5 * asked + 32 * 2**20,
                  f"{node} at {batch} is predicted badly")


def quickstart():
    """The first pipeline, twice: trains, measures, and finds all of it again."""
    words = ["run", "pipelines/quickstart.toml", *TINY, "--device", "cuda:0", "--cache", WORK / "cache-quickstart"]
    _, told = takd(*words)
    check("trained 5, measured 5, reused 0" in told, told)
    _, told = takd(*words)
    check("trained 0, measured 0, reused 10" in told, told)


def resume():
    """A training that is killed goes on from its checkpoint."""
    words = ["run", "pipelines/quickstart.toml", "teacher", "--set", "recipe.short.epochs=4", "--set", "seeds=[20]",
             "--set", 'on_collapse="warn"',
             "--device", "cuda:0", "--cache", WORK / "cache-resume", "--checkpoint-every", "0", "-v"]
    process = subprocess.Popen([str(TAKD), *map(str, words)], env=environment(), cwd=ROOT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    checkpoints = WORK / "cache-resume/checkpoints"
    until = time.monotonic() + 120
    # By its key: what is being written has another name.
    while not (checkpoints.is_dir() and any(len(file.name) == 64 for file in checkpoints.iterdir())):
        check(process.poll() is None and time.monotonic() < until, "no checkpoint was written:", process.stderr)
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, told = takd(*words)
    check("resuming" in told and "trained 1," in told, "a killed training was not resumed:", told)


def devices():
    """Two devices are there by name; each trains alone, and both together share the nodes."""
    out, _ = takd("devices", FAKECUDA_DEVICES=2)
    check("cuda:0" in out and "cuda:1" in out, out)
    for device in ("cuda:1", "cuda:all"):
        cache = WORK / f"cache-{device.replace(':', '-')}"
        takd("run", "pipelines/quickstart.toml", "nokd", "blkd", *TINY, "--device", device, "--cache", cache,
             FAKECUDA_DEVICES=2)
        manifests = [json.loads(file.read_text()) for file in cache.glob("entries/*/*/manifest.json")]
        manifests += [json.loads(file.read_text()) for file in cache.glob("entries/*/manifest.json")]
        used = {manifest["provenance"]["device"] for manifest in manifests}
        check(used == ({"cuda:0", "cuda:1"} if device == "cuda:all" else {device}), f"{device} used {used}")
    _, told = takd("run", "pipelines/quickstart.toml", *TINY, "--device", "cuda:2", "--cache", WORK / "cache-none",
                   code=None, FAKECUDA_DEVICES=2)
    check("the numbers end at 1" in told, told)


def faults():
    """What a machine lacks is said when the device is chosen, and what it runs out of as the node's error."""
    words = ["run", "pipelines/quickstart.toml", "nokd", *TINY, "--device", "cuda:0", "--cache", WORK / "cache-faults"]
    for own, said in (
        ({"FAKECUDA_DEVICES": 0}, "no cuda device or driver was found"),
        ({"FAKECUDA_DRIVER": 11080}, "driver is too old"),
        ({"CUDA_PATH": WORK}, "libdevice.10.bc"),
        ({"FAKECUDA_MEMORY": 16}, "has no more memory of 16 MiB"),
        ({"FAKECUDA_MEMORY": 16}, "This node takes about"),
    ):
        _, told = takd(*words, code=None, **own)
        check(said in told and "panicked" not in told, f"{own} is not told:", told)


def weights(cache):
    """What the trainings of a cache have made by takd's kernels alone: digests of files by key. Which of burn's operations
    become one kernel depends on when the host reads, and with it the last digits of other objectives."""
    made = {}
    for file in cache.glob("entries/**/manifest.json"):
        manifest = json.loads(file.read_text())
        inputs = manifest["inputs"]
        taught = inputs.get("objective", {})
        own = set(taught) <= {"kd"} and not taught.get("kd", {}).get("standardize")
        if inputs["kind"] in ("train", "distill") and own and "mutual" not in inputs:
            made[file.parent.name] = manifest["files"]
    return made


def translate(kernel):
    done = subprocess.run([TRANSLATOR, kernel, kernel.with_suffix(".so")], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)


def numbers():
    """The kernels, translated for the host, give the CPU's losses; takd's own the same bits whichever thread is first."""
    ptx = WORK / "ptx-90"
    ptx.mkdir(exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as cores:
        # What is not captured yet is translated when it is loaded.
        list(cores.map(translate, ptx.glob("*.ptx")))
    own = {"FAKECUDA_COMPUTE": TRANSLATOR, "FAKECUDA_PTX": ptx}
    made = []
    for order in ("", "reversed"):
        cache = WORK / f"cache-numbers{order}"
        done = subprocess.run([sys.executable, HERE / "same_losses.py", TAKD, "cuda:0", "--cache", cache], text=True,
                              capture_output=True, env=environment(FAKECUDA_ORDER=order, **own))
        check(done.returncode == 0, f"losses differ from the CPU's {order}:", done.stdout, done.stderr)
        print(f"  {done.stdout}", flush=True)
        made.append(weights(cache / "cuda0"))
    differ = [key for key in made[0] if made[0][key] != made[1].get(key)]
    check(len(made[0]) > 10 and not differ, "weights depend on the order of threads:", *differ)


SCENARIOS = {"kernels": kernels, "steps": steps, "memory": memory, "quickstart": quickstart, "resume": resume, "devices": devices,
             "faults": faults, "numbers": numbers}


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[5:] or SCENARIOS:
        start = time.monotonic()
        print(f"cuda: {name}: {SCENARIOS[name].__doc__}", flush=True)
        SCENARIOS[name]()
        print(f"cuda: {name}: ok, {time.monotonic() - start:.0f} s", flush=True)


main()
