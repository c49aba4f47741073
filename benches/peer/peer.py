"""PyTorch's side of the comparison: `cargo bench --bench peer` starts it and talks to it line by line.

    peer.py peak THREADS                       the rate of a large matrix product
    peer.py steps NET FILE LAYOUT THREADS      for each line N: N training steps
    peer.py layers FILE FORMS LAYOUT THREADS   for each line N: N times layers of STRIDE/GROUPS,...
    peer.py distill FILE EPOCHS THREADS        a distillation plain10 -> plain2, teacher asked at each step
    peer.py lattice FILE EPOCHS THREADS        a teacher, then eight chains one after the other

FILE is the safetensors file that the benchmark writes: images, labels, and weights under NET's name.
"""

import copy
import itertools
import json
import resource
import statistics
import sys
import time

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

SIZES = {
    2: ([16, "M", 16, "M"], []),
    4: ([16, 16, "M", 32, 32, "M"], []),
    6: ([16, 16, "M", 32, 32, "M", 64, 64, "M"], []),
    8: ([16, 16, "M", 32, 32, "M", 64, 64, "M", 128, 128, "M"], [64]),
    10: ([32, 32, "M", 64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M"], [128]),
}


class Plain(nn.Module):
    """The authors' ConvNetMaker: convolution, BatchNorm and ReLU in a row."""

    def __init__(self, size):
        super().__init__()
        convs, hidden = SIZES[size]
        layers, channels, side = [], 3, 32
        for layer in convs:
            if layer == "M":
                layers.append(nn.MaxPool2d(2, 2))
                side //= 2
            else:
                layers += [nn.Conv2d(channels, layer, 3, padding=1), nn.BatchNorm2d(layer), nn.ReLU(inplace=True)]
                channels = layer
        self.conv_layers = nn.Sequential(*layers)
        widths, fcs = [channels * side * side, *hidden, 10], []
        for before, after in itertools.pairwise(widths):
            fcs += [nn.Linear(before, after), nn.ReLU(inplace=True)]
        self.fc_layers = nn.Sequential(*fcs[:-1])

    def forward(self, x):
        return self.fc_layers(self.conv_layers(x).flatten(1))


class Basic(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or inputs != width:
            conv = nn.Conv2d(inputs, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(width))

    def forward(self, x):
        side = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(x)) + side, inplace=True)


class ResNet(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        before = 16
        for stage, width in enumerate([16, 32, 64], 1):
            blocks = []
            for place in range((depth - 2) // 6):
                blocks.append(Basic(before, width, 2 if stage > 1 and place == 0 else 1))
                before = width
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class Inverted(nn.Module):
    def __init__(self, inputs, width, expand, stride):
        super().__init__()
        wide = inputs * expand
        self.conv1, self.bn1 = nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide)
        self.conv2 = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.conv3, self.bn3 = nn.Conv2d(wide, width, 1, bias=False), nn.BatchNorm2d(width)
        self.adds = stride == 1 and inputs == width

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(out)), inplace=True)))
        return x + out if self.adds else out


class MobileHalf(nn.Module):
    """MobileNetV2 with half of the channels, for small images; a stage for each width, as takd counts them."""

    STAGES = [(8, 1, 1, 1), (12, 6, 2, 1), (16, 6, 3, 2), (32, 6, 4, 2), (48, 6, 3, 1), (80, 6, 3, 2), (160, 6, 1, 1)]

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16)
        before = 16
        for stage, (width, expand, count, stride) in enumerate(self.STAGES, 1):
            blocks = []
            for place in range(count):
                blocks.append(Inverted(before, width, expand, stride if place == 0 else 1))
                before = width
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.conv2, self.bn2 = nn.Conv2d(160, 1280, 1, bias=False), nn.BatchNorm2d(1280)
        self.fc = nn.Linear(1280, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        for stage in range(1, len(self.STAGES) + 1):
            x = getattr(self, f"layer{stage}")(x)
        return self.fc(F.relu(self.bn2(self.conv2(x)), inplace=True).mean((2, 3)))


def build(name):
    if name == "mobilenetv2-half":
        return MobileHalf()
    if name.startswith("plain"):
        return Plain(int(name.removeprefix("plain")))
    return ResNet(int(name.removeprefix("resnet")))


def optimizer(net):
    return torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)


def say(**values):
    values["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(values), flush=True)


def peak():
    """Seconds of a product of two 2048 x 2048 matrices: the median of some."""
    a, b = torch.rand(2, 2048, 2048)
    seconds = []
    for _ in range(12):
        started = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - started)
    say(seconds=statistics.median(seconds), flops=2 * 2048**3)


def steps(name, file, layout):
    tensors = load_file(file)
    net = build(name)
    state = {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)
    images, labels = tensors["images"], tensors["labels"].long()
    if layout == "channels_last":
        net, images = net.to(memory_format=torch.channels_last), images.contiguous(memory_format=torch.channels_last)
    sgd = optimizer(net)
    # Multiplications and additions of a step by the direct method, forward and backward.
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(copy.deepcopy(net)(images), labels).backward()
    flops = counter.get_total_flops()
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            loss = F.cross_entropy(net(images), labels)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            value = loss.item()
        say(seconds=time.perf_counter() - started, loss=value, flops=flops)


def layers(file, forms, layout):
    tensors = load_file(file)
    kind = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    parts = []
    for place, form in enumerate(forms.split(",")):
        stride, groups = map(int, form.split("/"))
        weight = tensors[f"{place}/weight"]
        filters, inputs, size, _ = weight.shape
        conv = nn.Conv2d(inputs * groups, filters, size, stride, size // 2, groups=groups, bias=False)
        norm = nn.BatchNorm2d(filters)
        with torch.no_grad():
            conv.weight.copy_(weight)
            norm.bias.copy_(tensors[f"{place}/beta"])
        parts += [conv, norm, nn.ReLU(inplace=True)]
    net = nn.Sequential(*parts).to(memory_format=kind)
    x = tensors["x"].permute(0, 3, 1, 2).contiguous(memory_format=kind).requires_grad_()

    def step():
        loss = net(x).sum()
        x.grad = None
        net.zero_grad()
        loss.backward()
        return loss.item()

    started, loss = time.perf_counter(), step()
    say(seconds=time.perf_counter() - started, sums=[loss, net[0].weight.grad.abs().sum().item()])
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            step()
        say(seconds=time.perf_counter() - started)


def kd(student, teacher, labels, temperature=5.0, weight=0.5):
    soft = F.kl_div(
        F.log_softmax(student / temperature, 1), F.softmax(teacher / temperature, 1), reduction="batchmean"
    )
    return (1 - weight) * F.cross_entropy(student, labels) + weight * temperature**2 * soft


def train(net, teacher, images, labels, epochs, batch=128):
    """The authors' loop: shuffled batches, and the teacher asked at each step."""
    sgd = optimizer(net)
    net.train()
    for _ in range(epochs):
        for places in torch.randperm(len(labels)).split(batch):
            x, y = images[places], labels[places]
            logits = net(x)
            if teacher is None:
                loss = F.cross_entropy(logits, y)
            else:
                with torch.no_grad():
                    soft = teacher(x)
                loss = kd(logits, soft, y)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            loss.item()
    return net.eval()


def distill(file, epochs):
    tensors = load_file(file)
    images, labels = tensors["images"], tensors["labels"].long()
    teacher = build("plain10").eval()
    started = time.perf_counter()
    train(build("plain2"), teacher, images, labels, epochs)
    say(seconds=time.perf_counter() - started)


def lattice(file, epochs):
    tensors = load_file(file)
    images, labels = tensors["images"], tensors["labels"].long()
    started = time.perf_counter()
    teacher = train(build("plain10"), None, images, labels, epochs)
    for count in range(4):
        for middle in itertools.combinations([8, 6, 4], count):
            above = teacher
            for size in [*middle, 2]:
                above = train(build(f"plain{size}"), above, images, labels, epochs)
    say(seconds=time.perf_counter() - started)


def main():
    kind, *rest, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    if kind == "peak":
        peak()
    elif kind == "steps":
        steps(*rest)
    elif kind == "layers":
        layers(*rest)
    else:
        {"distill": distill, "lattice": lattice}[kind](rest[0], int(rest[1]))


main()
