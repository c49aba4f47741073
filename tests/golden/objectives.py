"""Makes objectives.safetensors: losses of every objective, and their gradients by what the student gives.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python tests/golden/objectives.py

Written for this from the formulas, with PyTorch's own operations where it has them, in 64-bit floats and
stored in 32. A tensor's name is an objective as JSON, and `loss` or `gradient`.
"""

import json
import math
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

# Of several teachers, and of a temperature that is trained.
second = (torch.randn(BATCH, CLASSES) * 3).float().double()
out["second"] = second
for case in [
    {"dgkd": {"temperature": 5.0, "lambda": 0.5, "drop": 0}},
    {"dgkd": {"temperature": 2.0, "lambda": 0.9, "drop": 0, "reduction": "mean", "standardize": True}},
]:
    fields = case["dgkd"]
    logits = student.clone().requires_grad_()
    change = standard if fields.get("standardize") else lambda logits: logits
    soft = sum(divergence(change(logits), change(p), fields["temperature"]) for p in (teacher, second))
    soft = soft / (CLASSES if fields.get("reduction") == "mean" else 1)
    loss = (1 - fields["lambda"]) * F.cross_entropy(logits, targets) + fields["lambda"] * soft
    loss.backward()
    key = json.dumps(case, ensure_ascii=False)
    out[f"{key} loss"], out[f"{key} gradient"] = loss.detach().reshape(1), logits.grad

for case in [{"dml": {}}, {"dml": {"temperature": 3.0, "weight": 0.5, "standardize": True}}]:
    fields = case["dml"]
    logits, temperature = student.clone().requires_grad_(), fields.get("temperature", 1.0)
    change = standard if fields.get("standardize") else lambda logits: logits
    soft = [divergence(change(logits), change(p), temperature) for p in (teacher, second)]
    loss = F.cross_entropy(logits, targets) + fields.get("weight", 1.0) * sum(soft) / 2
    loss.backward()
    key = json.dumps(case, ensure_ascii=False)
    out[f"{key} loss"], out[f"{key} gradient"] = loss.detach().reshape(1), logits.grad

for case in [{"ctkd": {}}, {"ctkd": {"epochs": 20, "standardize": True}}]:
    fields = case["ctkd"]
    logits, theta = student.clone().requires_grad_(), torch.tensor([-2.0], requires_grad=True)
    temperature = 1 + 20 * torch.sigmoid(theta)
    change = standard if fields.get("standardize") else lambda logits: logits
    loss = 0.1 * F.cross_entropy(logits, targets) + 0.9 * divergence(change(logits), change(teacher), temperature)
    loss.backward()
    gone = min(EPOCH, fields.get("epochs", 10)) / fields.get("epochs", 10)
    factor = (math.cos(math.pi * gone) + 1) / 2 - 1
    key = json.dumps(case, ensure_ascii=False)
    out[f"{key} loss"], out[f"{key} gradient"] = loss.detach().reshape(1), logits.grad
    out[f"{key} learned gradient"] = factor * theta.grad
    out["theta"] = theta.detach()

# On features: the teacher's last stage is half as large, and pooled outputs differ in width.
SHAPES = {"stem": [4, 4, 4], "stage1": [4, 4, 4], "stage2": [8, 4, 4], "pooled": [8, 1, 1]}
WIDE = {**SHAPES, "stage2": [8, 2, 2], "pooled": [12, 1, 1]}
features = {
    side: {name: torch.randn(BATCH, *shape).relu().float().double() for name, shape in shapes.items()}
    for side, shapes in [("student", SHAPES), ("teacher", WIDE)]
}
for side, taps in features.items():
    out.update({f"{side} {name}": tensor for name, tensor in taps.items()})
projections = {
    stage: [torch.randn(shape).mul(0.3).float().double(), torch.rand(shape[0]).float().double() + 0.5,
            torch.randn(shape[0]).float().double()]
    for stage, shape in [(1, [4, 4, 1, 1]), (2, [8, 8, 3, 3])]
}


def smaller(a, b):
    side = min(a.shape[-1], b.shape[-1])
    return F.adaptive_avg_pool2d(a, side), F.adaptive_avg_pool2d(b, side)


def at(s, t, weight=1000.0):
    def attention(f):
        return F.normalize(f.pow(2).mean(1).flatten(1))

    pairs = [smaller(s[name], t[name]) for name in ("stage1", "stage2")]
    return weight * sum(F.mse_loss(attention(a), attention(b)) for a, b in pairs)


def sp(s, t, weight=3000.0):
    def similarity(f):
        f = f.flatten(1)
        return F.normalize(f @ f.T)

    return weight * ((similarity(s["stage2"]) - similarity(t["stage2"])) ** 2).sum() / BATCH**2


def rkd(s, t, distance=25.0, angle=50.0):
    def distances(e):
        d = (e[:, None] - e[None]).pow(2).sum(2).clamp(min=1e-12).sqrt()
        d = d * (1 - torch.eye(BATCH))
        return d / (d.sum() / (BATCH * (BATCH - 1)))

    def angles(e):
        ways = F.normalize(e[None] - e[:, None], dim=2)
        return ways @ ways.transpose(1, 2)

    a, b = s["pooled"].flatten(1), t["pooled"].flatten(1)
    return distance * F.smooth_l1_loss(distances(a), distances(b)) + angle * F.smooth_l1_loss(angles(a), angles(b))


def fsp(s, t, weight=50.0):
    def flow(f, g):
        f, g = (x.flatten(2) for x in smaller(f, g))
        return g @ f.transpose(1, 2) / f.shape[2]

    steps = [("stem", "stage1"), ("stage1", "stage2")]
    return weight * sum(F.mse_loss(flow(s[a], s[b]), flow(t[a], t[b])) for a, b in steps)


def fitnet(s, t, weight=100.0, stage=2):
    kernel, gamma, beta = projections[stage]
    projected = F.conv2d(s[f"stage{stage}"], kernel, stride=stage, padding=kernel.shape[-1] // 2)
    projected = F.batch_norm(projected, None, None, gamma, beta, training=True).relu()
    return weight * F.mse_loss(projected, t[f"stage{stage}"])


ON_FEATURES = {"at": at, "sp": sp, "rkd": rkd, "fsp": fsp, "fitnet": fitnet}
for stage, (kernel, gamma, beta) in projections.items():
    out[f"projection {stage}"] = torch.cat([kernel.flatten(), gamma, beta])
for case in [
    {"at": {}},
    {"at": {"weight": 50.0, "ce": 0.0}},
    {"sp": {}},
    {"sp": {"weight": 30.0, "ce": 0.5}},
    {"rkd": {}},
    {"rkd": {"distance": 0.0, "angle": 2.0, "ce": 0.0}},
    {"fsp": {}},
    {"fsp": {"weight": 3.0, "first": 9}},
    {"fitnet": {}},
    {"fitnet": {"stage": 1, "weight": 1.0, "ce": 0.1}},
]:
    [(name, fields)] = case.items()
    fields = dict(fields)
    inputs = {name: tensor.clone().requires_grad_() for name, tensor in features["student"].items()}
    weight = fields.pop("ce", 1.0)
    weight = 0.0 if EPOCH <= fields.pop("first", 0) else weight
    loss = ON_FEATURES[name](inputs, features["teacher"], **fields)
    loss = loss + weight * F.cross_entropy(student, targets)
    loss.backward()
    key = json.dumps(case, ensure_ascii=False)
    out[f"{key} loss"] = loss.detach().reshape(1)
    out[f"{key} gradient"] = torch.cat([x.grad.flatten() for x in inputs.values() if x.grad is not None])

# About further images: the student's logits in reverse stand for them, and the other teacher's.
for case in [{"bss": {}}, {"bss": {"epochs": 7, "temperature": 2.0}}, {"bss": {"epochs": 6}}]:
    fields = case["bss"]
    logits, gone = student.clone().requires_grad_(), EPOCH / fields.get("epochs", 80)
    temperature = fields.get("temperature", 3.0)

    def soft(q, p):
        return F.cross_entropy(q / temperature, F.softmax(p / temperature, 1))

    loss = F.cross_entropy(logits, targets) + (max(3 * (1 - gone), 0) + 1) * soft(logits, teacher)
    loss = loss + max(2 * (1 - 4 / 3 * gone), 0) * soft(logits.flip(0), second)
    loss.backward()
    key = json.dumps(case, ensure_ascii=False)
    out[f"{key} loss"], out[f"{key} gradient"] = loss.detach().reshape(1), logits.grad

path = pathlib.Path(__file__).with_name("objectives.safetensors")
save_file({name: tensor.to(torch.float32).contiguous() for name, tensor in out.items()}, path)
print(f"{sum(name.endswith(' loss') for name in out)} cases, {path.stat().st_size} bytes")
