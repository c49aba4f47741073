"""Compares what TensorBoard reads with what takd reports: python3 check.py FOLDER."""

import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def scalars(folder):
    """Each tag's (step, value) pairs."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def near(a, b):
    return abs(a - b) <= 1e-6 * max(1.0, abs(b))


def main():
    folder = pathlib.Path(sys.argv[1])
    report = json.loads((folder / "report.json").read_text())
    compared = 0
    for row in report["tables"][0]["rows"]:
        ours = row["ours"]
        for seed in ours["seeds"]:
            task = f"{ours['node']}/seed-{seed['seed']}"
            entry = folder / "cache" / "entries" / seed["key"] / "metrics.jsonl"
            epochs = [json.loads(line) for line in entry.read_text().splitlines()]
            trained = scalars(folder / "events" / task)
            for tag, field in [("loss", "loss"), ("learning_rate", "lr"), ("accuracy", "accuracy")]:
                found = trained[tag]
                assert [step for step, _ in found] == [epoch["epoch"] for epoch in epochs], (task, tag, found)
                assert all(near(value, epoch[field]) for (_, value), epoch in zip(found, epochs)), (task, tag, found)
                compared += len(found)
            measured = scalars(folder / "events" / "test" / task)
            for tag, want in seed["metrics"].items():
                if tag != "samples":
                    assert len(measured[tag]) == 1 and near(measured[tag][0][1], want), (task, tag, measured)
                    compared += 1
    assert compared > 100, compared
    print(f"tensorboard: ok, {compared} numbers")


main()
