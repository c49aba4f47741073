#!/usr/bin/env python3
"""Checks takd's remotes against moto's S3 server; `.ci/remote` installs that.

    tests/remote/check.py TAKD FOLDER [SCENARIO …]

Runs in moto's Python. FOLDER is for caches. Every scenario has a bucket of its own, reached through a proxy that can
refuse, slow down and cut off.
"""

import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import boto3
from proxy import Proxy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TAKD, FOLDER = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
PIPELINE = "small.toml"


def small():
    """The quickstart with 128 training images, of which an epoch takes milliseconds."""
    text = (ROOT / "pipelines" / "quickstart.toml").read_text()
    for field, value in [("validation", 4872), ("epochs", 1)]:
        text, count = re.subn(rf"^{field}( *)= \d+", rf"{field}\1= {value}", text, flags=re.M)
        assert count == 1, field
    return text


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Bucket:
    """A bucket of its own, and a way to it."""

    def __init__(self, name, s3, port):
        self.name, self.s3, self.proxy = name, s3, Proxy(port)
        s3.create_bucket(Bucket=name)
        self.url = f"s3://{name}/takd"

    def env(self, **more):
        names = ["PATH", "HOME", "CARGO_TARGET_DIR"]
        env = {name: os.environ[name] for name in names if name in os.environ}
        endpoint = f"http://127.0.0.1:{self.proxy.own}"
        keys = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "us-east-1"}
        return {**env, **keys, "AWS_ENDPOINT": endpoint, "AWS_ALLOW_HTTP": "true", "NO_COLOR": "1", **more}

    def start(self, *words, cache, **env):
        command = [str(TAKD), *words, "--cache", str(FOLDER / self.name / cache)]
        command += ["--remote", self.url]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=FOLDER, env=self.env(**env), **pipes)

    def takd(self, *words, cache, code=0, **env):
        """takd to its end with `code`; its stdout and stderr."""
        process = self.start(*words, cache=cache, **env)
        out, err = process.communicate(timeout=150)
        assert process.returncode == code, f"exit code {process.returncode}, not {code}:\n{out}{err}"
        assert "hush" not in out + err, "a secret is told"
        return out, err

    def keys(self, folder):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=f"takd/{folder}/")
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def entries(self, cache):
        """Every file of every entry but manifests, which hold times."""
        found = (FOLDER / self.name / cache / "entries").glob("?" * 64 + "/*")
        return {
            f"{file.parent.name}/{file.name}": file.read_bytes()
            for file in found
            if not file.name.startswith("manifest")
        }


def wait_for(what, seconds=60):
    """The first true value of a function."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing after {seconds} s")


def counts(err):
    """What a run made and reused."""
    return [int(n) for n in re.search(r"trained (\d+), measured (\d+), reused (\d+)", err).groups()]


def share(bucket):
    """Two machines share one pipeline at the same time: each key is trained once, and both have all tables."""
    words = ["run", PIPELINE]
    both = [bucket.start(*words, cache=cache) for cache in ("one", "two")]
    ends = [process.communicate(timeout=150) for process in both]
    assert all(process.returncode == 0 for process in both), ends
    made = [counts(err) for _, err in ends]
    assert sum(trained for trained, _, _ in made) == 10, made
    assert sum(measured for _, measured, _ in made) == 10, made
    assert all(trained > 0 for trained, _, _ in made), f"one machine did all: {made}"
    assert not bucket.keys("leases")
    print(f"  trained {made[0][0]} and {made[1][0]}")
    assert ends[0][0] == ends[1][0], ends
    # A third one trains nothing, and one without the remote gives the same bits.
    _, err = bucket.takd(*words, cache="three")
    assert counts(err) == [0, 0, 20], err
    bucket.takd("cache", "pull", PIPELINE, cache="three")
    alone = [str(TAKD), *words, "--cache", str(FOLDER / bucket.name / "alone")]
    subprocess.run(alone, cwd=FOLDER, env=bucket.env(), check=True, capture_output=True)
    assert bucket.entries("three") == bucket.entries("alone")


def killed(bucket):
    """kill -9 in the middle of an upload: nobody sees half an entry, and the next run brings it to its end."""
    words = ["run", PIPELINE, "nokd@20"]
    bucket.proxy.slow = 1
    process = bucket.start(*words, cache="one")
    wait_for(lambda: bucket.proxy.count("PUT", "files"))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not bucket.keys("entries"), "a manifest without its files"
    assert bucket.keys("leases"), "it had no time to release its lease"
    bucket.proxy.slow = 0
    _, err = bucket.takd(*words, cache="one")
    assert counts(err) == [0, 0, 1] and "pushed 1 (" in err, err
    _, err = bucket.takd(*words, cache="two")
    assert counts(err) == [0, 0, 1] and "pulled 1 entry" in err, err
    assert bucket.entries("one") == bucket.entries("two")


def corrupt(bucket):
    """A corrupt object is named, comes nowhere, and is replaced by who makes the entry anew."""
    words = ["run", PIPELINE, "nokd@20"]
    bucket.takd(*words, cache="one")
    weights = max(bucket.keys("files"), key=lambda key: bucket.s3.head_object(Bucket=bucket.name, Key=key)["ContentLength"])
    whole = bucket.s3.get_object(Bucket=bucket.name, Key=weights)["Body"].read()
    bucket.s3.put_object(Bucket=bucket.name, Key=weights, Body=whole[:-1] + bytes([whole[-1] ^ 1]))
    out, err = bucket.takd("cache", "pull", PIPELINE, cache="two", code=1)
    assert weights.split("/")[-1] in err and "is corrupt" in err and not bucket.entries("two"), err
    _, err = bucket.takd(*words, cache="two")
    assert counts(err)[0] == 1 and "is corrupt" in err, err
    assert bucket.s3.get_object(Bucket=bucket.name, Key=weights)["Body"].read() == whole
    _, err = bucket.takd(*words, cache="three")
    assert counts(err) == [0, 0, 1], err


def quota(bucket):
    """A bucket without room: the run ends well and says what to do; one that has room again gets all."""
    words = ["run", PIPELINE, "nokd@20"]
    bucket.proxy.status, bucket.proxy.spared = 507, ("leases",)
    _, err = bucket.takd(*words, cache="one", TAKD_REMOTE_TIMEOUT="3")
    assert counts(err)[0] == 1 and "507" in err and "`takd cache push FILE --remote" in err, err
    assert not bucket.keys("entries")
    process = bucket.start("run", PIPELINE, "test/nokd@20", cache="one")
    wait_for(lambda: bucket.proxy.refused > 3)
    bucket.proxy.status = None
    _, err = process.communicate(timeout=100)
    assert process.returncode == 0 and "not pushed" not in err, err
    assert len(bucket.keys("entries")) == 2


def readonly(bucket):
    """Who may only read pulls what is there, is told once, and makes the rest without leases."""
    words = ["run", PIPELINE, "--set", "seeds=[20]"]
    bucket.takd("run", PIPELINE, "nokd@20", "test/nokd@20", cache="one")
    bucket.proxy.status = 403
    _, err = bucket.takd(*words, cache="two")
    assert counts(err) == [4, 4, 2] and err.count("can only be read") == 1, err
    assert "cache push" not in err and len(bucket.keys("entries")) == 2, err
    _, err = bucket.takd("cache", "push", PIPELINE, cache="two", code=4)
    assert "may not be written" in err and "check the credentials" in err, err


def lost(bucket):
    """The connection is lost for 30 s in the middle of a run: nothing fails, and everything arrives."""
    words = ["run", PIPELINE, "--set", "seeds=[20]", "--jobs", "1"]
    process = bucket.start(*words, cache="one")
    wait_for(lambda: bucket.proxy.count("PUT", "files"))
    bucket.proxy.down()
    time.sleep(30)
    bucket.proxy.up()
    _, err = process.communicate(timeout=100)
    assert process.returncode == 0 and counts(err) == [5, 5, 0], err
    assert "not pushed" not in err, err
    _, err = bucket.takd(*words, cache="two")
    assert counts(err) == [0, 0, 10], err
    assert not bucket.keys("leases")


def many(bucket):
    """1,000 entries are listed in under 2 s."""
    for number in range(1000):
        # boto3 would take five times as long.
        moto = http.client.HTTPConnection("127.0.0.1", bucket.proxy.port)
        moto.request("PUT", f"/{bucket.name}/takd/entries/{number:064x}.json", b"{}")
        assert moto.getresponse().status == 200
        moto.close()
    bucket.proxy.requests.clear()
    began = time.monotonic()
    bucket.takd("cache", "status", PIPELINE, cache="one")
    took = time.monotonic() - began
    lists = [path for command, path in bucket.proxy.requests if command == "GET" and "list-type" in path]
    began = time.monotonic()
    assert len(bucket.keys("entries")) == 1000
    alone = time.monotonic() - began
    print(f"  listed in {took:.2f} s, takd's start included, by {len(lists)} question; boto3 took {alone:.2f} s")
    # Most of it is moto's: on a busy machine it is slow to whoever asks.
    assert took < max(2, alone) and len(lists) == 1, (took, alone, lists)


def absent(bucket):
    """A bucket that is not there, or not allowed, is told before anything runs."""
    bucket.s3.delete_bucket(Bucket=bucket.name)
    out, err = bucket.takd("run", PIPELINE, cache="one", code=4)
    assert "does not exist" in err and "create it" in err and not bucket.entries("one"), err
    bucket.proxy.down()
    _, err = bucket.takd("run", PIPELINE, cache="one", code=4, TAKD_REMOTE_TIMEOUT="1")
    assert "cannot be listed" in err and "try again" in err, err


SCENARIOS = [share, killed, corrupt, quota, readonly, lost, many, absent]


def main():
    chosen = sys.argv[3:] or [scenario.__name__ for scenario in SCENARIOS]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / PIPELINE).write_text(small())
    port = free_port()
    log = open(FOLDER / "moto.log", "w")
    server = pathlib.Path(sys.executable).parent / "moto_server"
    moto = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
    try:
        keys = {"aws_access_key_id": "me", "aws_secret_access_key": "hush", "region_name": "us-east-1"}
        s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **keys)

        def answers():
            assert moto.poll() is None, (FOLDER / "moto.log").read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_for(answers)
        for scenario in SCENARIOS:
            if scenario.__name__ in chosen:
                began = time.monotonic()
                print(f"{scenario.__name__}: {scenario.__doc__.splitlines()[0]}", flush=True)
                scenario(Bucket(scenario.__name__, s3, port))
                print(f"  ok, {time.monotonic() - began:.0f} s", flush=True)
    finally:
        moto.kill()
        moto.wait()


main()
