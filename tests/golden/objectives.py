"""Makes objectives.safetensors: losses of every objective on logits and their gradients by the student's.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python tests/golden/objectives.py

Written for this from the formulas, with PyTorch's own operations where it has them, in 64-bit floats and
stored in 32. A tensor's name is an objective as JSON, and `loss` or `gradient`.
"""

import json
import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)

BATCH, CLASSES = 16, 10
student = (torch.randn(BATCH, CLASSES) * 2).float().double()
teacher = (torch.randn(BATCH, CLASSES) * 3).float().double()
targets = torch.randint(0, CLASSES, (BATCH,))
# Some images are easy for the teacher, as most are for a good one.
teacher[::2] += 6 * F.one_hot(targets[::2], CLASSES)
teacher = teacher.float().double()
mask = F.one_hot(targets, CLASSES).bool()


def divergence(q, p, temperature):
    """tau^2 KL(p || q) of logits."""
    log_q, p = F.log_softmax(q / temperature, 1), F.softmax(p / temperature, 1)
    return F.kl_div(log_q, p, reduction="batchmean") * temperature**2


def standard(logits):
    return (logits - logits.mean(1, keepdim=True)) / (logits.std(1, keepdim=True) + 1e-7)


def kd(q, p, temperature, lam):
    return lambda ce: (1 - lam) * ce + lam * divergence(q, p, temperature)


def wrong(logits):
    return logits[~mask].reshape(BATCH, CLASSES - 1)


def dkd(q, p, epoch, temperature=4.0, alpha=1.0, beta=8.0, warmup=20):
    def pair(logits):
        soft = F.softmax(logits / temperature, 1)[mask]
        return torch.stack([soft, 1 - soft], 1)

    target = F.kl_div(pair(q).log(), pair(p), reduction="batchmean") * temperature**2
    others = divergence(wrong(q), wrong(p), temperature)
    return min(epoch / max(warmup, 1), 1.0) * (alpha * target + beta * others)


def dist(q, p, temperature=1.0, beta=1.0, gamma=1.0, weight=2.0):
    q, p = F.softmax(q / temperature, 1), F.softmax(p / temperature, 1)

    def pearson(a, b):
        a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
        return ((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-8)).mean()

    return weight * temperature**2 * (beta * (1 - pearson(q, p)) + gamma * (1 - pearson(q.T, p.T)))


def nkd(q, p, temperature=1.0, gamma=1.5):
    label = -(F.softmax(p, 1)[mask] * F.log_softmax(q, 1)[mask]).mean()
    others = F.cross_entropy(wrong(q) / temperature, F.softmax(wrong(p) / temperature, 1))
    return label + gamma * temperature**2 * others


def wsld(q, p, temperature=2.0, alpha=2.5):
    hard = [F.cross_entropy(logits, targets, reduction="none") for logits in (q, p)]
    weights = (1 - torch.exp(-hard[0] / (hard[1] + 1e-7))).detach()
    soft = F.cross_entropy(q / temperature, F.softmax(p / temperature, 1), reduction="none")
    return alpha * temperature**2 * (weights * soft).mean()


def ttm(q, p, power=0.1, weighted=False, weight=45.0):
    powers = F.softmax(p, 1) ** power
    total = powers.sum(1)
    rows = F.kl_div(F.log_softmax(q, 1), powers / total[:, None], reduction="none").sum(1)
    return weight * ((total * rows) if weighted else rows).mean()


def mlkd_one_view(q, p, weight=0.9):
    loss = 0
    for temperature in [4.0, 3.0, 5.0, 2.0, 6.0]:
        a, b = F.softmax(q / temperature, 1), F.softmax(p / temperature, 1)
        loss = loss + divergence(q, p, temperature)
        loss = loss + ((b.T @ b - a.T @ a) ** 2).sum() / CLASSES
        loss = loss + ((b @ b.T - a @ a.T) ** 2).sum() / BATCH
    return weight * loss


SOFT = {"dkd": dkd, "dist": dist, "nkd": nkd, "wsld": wsld, "ttm": ttm, "mlkd_one_view": mlkd_one_view}
EPOCH = 5
CASES = [
    {"kd": {"temperature": 4.0, "lambda": 0.9}},
    {"kd": {"temperature": 2.0, "lambda": 0.9, "standardize": True}},
    {"dkd": {}},
    {"dkd": {"beta": 2.0, "warmup": 0}},
    {"dkd": {"temperature": 1.0, "beta": 0.5, "warmup": 1, "ce": 0.0}},
    {"dkd": {"temperature": 2.0, "alpha": 9.0, "beta": 72.0, "standardize": True}},
    {"dist": {}},
    {"dist": {"temperature": 4.0, "gamma": 0.5}},
    {"dist": {"beta": 2.0, "ce": 0.1, "standardize": True}},
    {"nkd": {}},
    {"nkd": {"temperature": 3.0, "gamma": 3.5}},
    {"nkd": {"standardize": True}},
    {"wsld": {}},
    {"wsld": {"temperature": 4.0, "alpha": 2.25}},
    {"wsld": {"ce": 0.5, "standardize": True}},
    {"ttm": {}},
    {"ttm": {"weighted": True, "weight": 2.0}},
    {"ttm": {"power": 0.5, "standardize": True}},
    {"mlkd_one_view": {}},
    {"mlkd_one_view": {"weight": 1.5, "ce": 1.0, "standardize": True}},
]

out = {"student": student, "teacher": teacher, "labels": targets.double(), "epoch": torch.tensor([5.0])}
for case in CASES:
    [(name, fields)] = case.items()
    fields = dict(fields)
    logits = student.clone().requires_grad_()
    ce = F.cross_entropy(logits, targets)
    q, p = (standard(logits), standard(teacher)) if fields.pop("standardize", False) else (logits, teacher)
    if name == "kd":
        loss = kd(q, p, fields["temperature"], fields["lambda"])(ce)
    else:
        weight = fields.pop("ce", 0.1 if name == "mlkd_one_view" else 1.0)
        extra = {"epoch": EPOCH} if name == "dkd" else {}
        loss = weight * ce + SOFT[name](q, p, **extra, **fields)
    loss.backward()
    key = json.dumps(case, ensure_ascii=False)
    out[f"{key} loss"], out[f"{key} gradient"] = loss.detach().reshape(1), logits.grad

path = pathlib.Path(__file__).with_name("objectives.safetensors")
save_file({name: tensor.to(torch.float32).contiguous() for name, tensor in out.items()}, path)
print(f"{len(CASES)} cases, {path.stat().st_size} bytes")
