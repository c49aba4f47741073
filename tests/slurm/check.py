#!/usr/bin/env python3
"""Checks `takd run --executor slurm` on a running Slurm of two nodes; `.ci/slurm` starts one.

    tests/slurm/check.py TAKD FOLDER [SCENARIO …]

SLURM_CONF names the cluster, FOLDER is for caches. Needs Python 3.9 and nothing else.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TAKD, FOLDER = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
# 128 training images: an epoch takes milliseconds.
SMALL = ["--set", "data.fashion.validation=4872", "--set", "recipe.short.epochs=1"]


def takd(*words, cache, env=None, wait=True):
    """takd in FOLDER; its exit code and stderr, or the process itself."""
    command = [str(TAKD), *words, "--cache", str(FOLDER / cache)]
    process = subprocess.Popen(
        command, cwd=FOLDER, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if not wait:
        return process
    out, err = process.communicate(timeout=400)
    return process.returncode, out, err


def run(*words, cache, code=0, env=None):
    """A run by Slurm that ends with `code`; its stderr."""
    got, out, err = takd("run", "quickstart.toml", *words, "--executor", "slurm", cache=cache, env=env)
    assert got == code, f"exit code {got}, not {code}:\n{out}{err}"
    return err


def slurm(*words):
    return subprocess.run(words, check=True, text=True, capture_output=True).stdout


def jobs(cache):
    """State, node list and reason of each job or task of a cache, by its number."""
    tokens = {"takd:" + path.stem for path in (FOLDER / cache / "slurm" / "jobs").glob("*.json")}
    lines = slurm("squeue", "--noheader", "--array", "--states=all", "--format=%i|%T|%N|%r|%k").splitlines()
    parts = [line.strip().split("|") for line in lines]
    return {job: (state, node, reason) for job, state, node, reason, token in parts if token in tokens}


def wait_for(what, seconds=120):
    """The first true value of a function."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing after {seconds} s")


def weights(cache):
    """Every file of every entry but manifests, which hold times."""
    entries = (FOLDER / cache / "entries").iterdir()
    files = [file for entry in entries if "." not in entry.name for file in entry.iterdir()]
    return {
        f"{file.parent.name}/{file.name}": file.read_bytes()
        for file in files
        if not file.name.startswith("manifest")
    }


def same_as_local(*words, cache, of=None):
    """A run without Slurm gives the same bits."""
    of = of or f"{cache}-local"
    code, _, err = takd("run", "quickstart.toml", *words, cache=of)
    assert code == 0, err
    ours, local = weights(cache), weights(of)
    assert ours == local and ours, sorted(set(ours) ^ set(local)) or "other bits"


def logs(cache):
    return "".join(path.read_text() for path in sorted((FOLDER / cache / "slurm" / "logs").iterdir()))


def running(cache):
    """A job that has trained for some epochs."""
    progress = FOLDER / cache / "progress"

    def found():
        for path in progress.glob("?" * 64):
            try:
                reached = json.loads(path.read_text())["reached"]
            except (OSError, ValueError):
                continue
            if reached and reached["epoch"] > 3:
                return True
        return False

    wait_for(found)


# One training of about 10 s on two idle cores.
LONG = ["nokd@20", "--set", "data.fashion.validation=3000", "--set", "recipe.short.epochs=30"]


def chain():
    """The quickstart's chains with two seeds, over both nodes; a second run submits nothing."""
    words = ["--set", "seeds=[20,31]", *SMALL]
    began = time.monotonic()
    process = takd("run", "quickstart.toml", *words, "--executor", "slurm", cache="chain", wait=False)
    wait_for(lambda: any(state != "PENDING" for state, _, _ in jobs("chain").values()))
    print(f"  first job runs {time.monotonic() - began:.1f} s after takd was started")
    _, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    assert "trained 10, measured 10, reused 0" in err, err
    found = jobs("chain")
    assert len(found) == 20 and len({job.split("_")[0] for job in found}) == 10, found
    assert {node for _, node, _ in found.values()} == {"n1", "n2"}, found
    assert "reused 20" in run(*words, cache="chain")
    assert len(jobs("chain")) == 20
    same_as_local(*words, cache="chain")


def array():
    """Twenty seeds are one job array, and their measurements another, of which each waits for its own seed."""
    seeds = ",".join(str(seed) for seed in range(20))
    words = ["test/nokd", "--set", f"seeds=[{seeds}]", *SMALL]
    err = run(*words, cache="array")
    assert re.search(r"submitted 40 nodes as 2 jobs, \d+ to \d+", err), err
    assert len({job.split("_")[0] for job in jobs("array")}) == 2
    assert "trained 20, measured 20" in err, err


def detach():
    """Jobs are found by a status and a run that know the cache alone; of two runs at a time one submits."""
    words = ["--set", "seeds=[20]", *SMALL]
    err = run(*words, "--detach", cache="detach")
    assert "submitted 10 nodes" in err, err
    status = takd("status", "quickstart.toml", *words, cache="detach")[1]
    assert "of them in Slurm's queue" in status, status
    both = [
        takd("run", "quickstart.toml", *words, "--executor", "slurm", cache="detach", wait=False) for _ in "ab"
    ]
    errs = [process.communicate(timeout=400)[1] for process in both]
    assert all(process.returncode == 0 for process in both), errs
    assert len(jobs("detach")) == 10 and not any("submitted" in err for err in errs), errs


def two():
    """Two runs that begin at a time submit each node once."""
    words = ["--set", "seeds=[20]", *SMALL]
    both = [takd("run", "quickstart.toml", *words, "--executor", "slurm", cache="two", wait=False) for _ in "ab"]
    errs = [process.communicate(timeout=400)[1] for process in both]
    assert all(process.returncode == 0 for process in both), errs
    assert len(jobs("two")) == 10, (jobs("two"), errs)


def login():
    """The machine that submitted dies; its jobs end, and the next run has nothing to do."""
    words = ["--set", "seeds=[20]", *SMALL]
    process = takd("run", "quickstart.toml", *words, "--executor", "slurm", cache="login", wait=False)
    wait_for(lambda: len(jobs("login")) == 10)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_for(lambda: all(state == "COMPLETED" for state, _, _ in jobs("login").values()))
    assert "reused 10" in run(*words, cache="login")


def cancel():
    """`scancel` in the middle of a training: it is said, and a second run resumes to the same bits."""
    process = takd("run", "quickstart.toml", *LONG, "--executor", "slurm", cache="cancel", wait=False)
    running("cancel")
    slurm("scancel", next(iter(jobs("cancel"))))
    _, err = process.communicate(timeout=200)
    assert process.returncode == 130 and "was cancelled; run again" in err, (process.returncode, err)
    assert "checkpoint" in logs("cancel"), logs("cancel")
    assert "trained 1" in run(*LONG, cache="cancel")
    assert "resum" in logs("cancel"), logs("cancel")
    same_as_local(*LONG, cache="cancel", of="long-local")


def down():
    """A node goes down under a training, which Slurm puts on the other one; the bits are the same."""
    process = takd("run", "quickstart.toml", *LONG, "--executor", "slurm", cache="down", wait=False)
    running("down")
    (node,) = {node for _, node, _ in jobs("down").values()}
    slurm("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    try:
        _, err = process.communicate(timeout=400)
    finally:
        # It may be back by itself.
        subprocess.run(["scontrol", "update", f"nodename={node}", "state=resume"], capture_output=True)
    assert process.returncode == 0, err
    (other,) = {node for _, node, _ in jobs("down").values()}
    assert other != node, (node, other)
    same_as_local(*LONG, cache="down", of="long-local")


def limit():
    """A time limit comes: a checkpoint, the same job again, and the bits of a run that was not stopped."""
    # Slurm looks at limits every 30 s, so the notice comes 15 to 45 s after the start: it lasts for longer, on any
    # machine.
    started = time.monotonic()
    assert takd("run", "quickstart.toml", *LONG, cache="pace")[0] == 0
    epochs = max(70, int(30 * 50 / (time.monotonic() - started)))
    longer = [*LONG, "--set", f"recipe.short.epochs={epochs}"]
    words = [*longer, "--set", "executor.slurm.time=1", "--set", "executor.slurm.notice=15"]
    err = run(*words, cache="limit")
    assert "trained 1" in err, err
    assert "SIGUSR1" in logs("limit") and "resum" in logs("limit"), logs("limit")
    (job,) = jobs("limit")
    assert re.search(r"Restarts=[1-9]", slurm("scontrol", "show", "job", job))
    same_as_local(*longer, cache="limit")


def preempt():
    """A job of a higher partition takes the node: SIGTERM, a checkpoint, the queue, and the same bits."""
    words = [*LONG, "--set", "executor.slurm.partition=short", "--set", 'executor.slurm.options=["--exclusive"]']
    process = takd("run", "quickstart.toml", *words, "--executor", "slurm", cache="preempt", wait=False)
    running("preempt")
    slurm("sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 2")
    _, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    assert "stopped by SIGTERM" in logs("preempt") and "resum" in logs("preempt"), logs("preempt")
    same_as_local(*LONG, cache="preempt", of="long-local")


def failing():
    """A node fails: what waits for it is released by Slurm and told by takd; the rest goes on."""
    sets = ["--set", "recipe.short.optimizer.sgd.lr=1e30", "--set", "seeds=[20]", *SMALL]
    err = run("test/takd", "test/nokd", *sets, cache="failing", code=1)
    assert "train teacher@20: failed: " in err and "train nokd@20: failed: " in err, err
    for node in ["distill assistant@20", "distill takd@20", "eval test/takd@20"]:
        assert f"{node}: not run, because train teacher@20 failed" in err, err
    ended = lambda: [state for state, _, _ in jobs("failing").values() if state in ("PENDING", "RUNNING")]
    wait_for(lambda: not ended(), 20)
    reasons = {reason for state, _, reason in jobs("failing").values() if state == "CANCELLED"}
    assert reasons == {"DependencyNeverSatisfied"}, jobs("failing")


def refused():
    """What the cluster does not have is said before anything is submitted."""
    one = ["nokd@20", *SMALL]
    err = run(*one, "--set", "executor.slurm.partition=night", cache="refused", code=2)
    assert "no partition `night`; it has: main, short, urgent" in err, err
    short = ["--set", "executor.slurm.partition=short", "--set", 'executor.slurm.time="2:00:00"']
    err = run(*one, *short, cache="refused", code=2)
    assert "run for 0:10:00 at most" in err, err
    err = run(*one, "--set", 'executor.slurm.options=["--nodelist=n9"]', cache="refused", code=1)
    assert "`sbatch` failed: " in err and "Invalid node name" in err, err
    err = run(*one, cache="refused", code=2, env={**os.environ, "PATH": "/nowhere"})
    assert "needs Slurm's commands on PATH" in err, err
    assert not jobs("refused") and not list((FOLDER / "refused" / "slurm" / "jobs").glob("*.json"))
    err = run(*one, cache="refused", code=1, env={**os.environ, "SLURM_CONF": "/dev/null"})
    assert "`scontrol` failed" in err, err


SCENARIOS = [refused, chain, array, detach, two, login, failing, cancel, limit, down, preempt]


def main():
    chosen = sys.argv[3:] or [scenario.__name__ for scenario in SCENARIOS]
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    shutil.copy(ROOT / "pipelines" / "quickstart.toml", FOLDER)
    for scenario in SCENARIOS:
        if scenario.__name__ in chosen:
            began = time.monotonic()
            print(f"{scenario.__name__}: {scenario.__doc__.splitlines()[0]}", flush=True)
            scenario()
            print(f"  ok, {time.monotonic() - began:.0f} s", flush=True)


main()
