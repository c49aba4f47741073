"""Makes pytorch.safetensors: what PyTorch gives for networks, losses, optimizers and schedules.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python tests/golden/make.py

Everything is computed in 64-bit floats and stored in 32, so that the file holds the true values to
the last bit that a 32-bit implementation could have.
"""

import copy
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
out = {}


def put(name, tensor):
    out[name] = tensor.detach().clone().to(torch.float32).contiguous()


class Plain(nn.Module):
    """conv3 conv4 maxpool conv5 fc6 fc3 on 2x7x7 images, with the names of the authors' ConvNetMaker."""

    def __init__(self, convs=(3, 4, "M", 5)):
        super().__init__()
        layers, channels = [], 2
        for layer in convs:
            if layer == "M":
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(channels, layer, 3, padding=1), nn.BatchNorm2d(layer), nn.ReLU()]
                channels = layer
        self.conv_layers = nn.Sequential(*layers)
        self.fc_layers = nn.Sequential(nn.Linear(channels * 3 * 3, 6), nn.ReLU(), nn.Linear(6, 3))

    def forward(self, x):
        return self.fc_layers(self.conv_layers(x).flatten(1))


def put_state(prefix, net):
    for name, tensor in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            put(f"{prefix}/{name}", tensor)


class Residual(nn.Module):
    """A block with torchvision's names; shortcut "project" is He et al.'s option B, "pad" option A."""

    def __init__(self, kind, inputs, width, stride):
        super().__init__()
        self.kind = kind
        outputs = 4 * width if kind == "bottleneck" else width
        if kind == "bottleneck":
            path = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        else:
            path = [(inputs, width, 3, stride), (width, width, 3, 1)]
        self.length = len(path)
        for number, (before, after, side, step) in enumerate(path, 1):
            conv = nn.Conv2d(before, after, side, step, side // 2, bias=False)
            setattr(self, f"conv{number}", conv)
            setattr(self, f"bn{number}", nn.BatchNorm2d(after))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            if kind == "pad":
                before = (outputs - inputs) // 2
                after = outputs - inputs - before
                self.downsample = lambda x: F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, before, after))
            else:
                conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
                self.downsample = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, x):
        side = x if self.downsample is None else self.downsample(x)
        for number in range(1, self.length + 1):
            x = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x))
            if number < self.length:
                x = F.relu(x)
        return F.relu(x + side)


class ResNet(nn.Module):
    """Two stages of two blocks and one, the second of which halves the image."""

    def __init__(self, kind, first=4, second=7):
        super().__init__()
        self.big = kind == "bottleneck"
        side, stride = (7, 2) if self.big else (3, 1)
        self.conv1 = nn.Conv2d(2, first, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        grow = 4 if self.big else 1
        self.layer1 = nn.Sequential(Residual(kind, first, first, 1), Residual(kind, first * grow, first, 1))
        self.layer2 = nn.Sequential(Residual(kind, first * grow, second, 2))
        self.fc = nn.Linear(second * grow, 3)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if self.big:
            x = F.max_pool2d(x, 3, 2, 1)
        x = self.layer2(self.layer1(x))
        return self.fc(x.mean((2, 3)))


def family(prefix, net, side, scale=1.0):
    """Stores a network, a batch, and what one forward and backward pass gives."""
    # Scales and shifts that do something.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5 * scale, 1.5 * scale)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    # What is stored is what was computed with: the inputs are rounded first.
    net = net.to(torch.float32).to(torch.float64)
    images = torch.randn(12, 2, side, side).float().double()
    labels = torch.randint(0, 3, (12,))
    put_state(f"{prefix}/init", net)
    put(f"{prefix}/images", images)
    put(f"{prefix}/labels", labels)
    one = copy.deepcopy(net)
    logits = one(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    put(f"{prefix}/train_logits", logits)
    put(f"{prefix}/loss", loss.reshape(1))
    for name, parameter in one.named_parameters():
        put(f"{prefix}/grad/{name}", parameter.grad)
    put_state(f"{prefix}/once", one)
    put(f"{prefix}/infer_logits", one.eval()(images))
    return net, images, labels


net, images, labels = family("plain", Plain(), 7)
family("basic", ResNet("basic"), 7)
family("pad", ResNet("pad"), 7)
family("bottleneck", ResNet("bottleneck"), 21)

BATCHES = [(0, 5), (5, 10), (10, 12)]
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.05),
    "momentum": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=1e-2),
    "nesterov": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True, weight_decay=1e-2),
    "adam": lambda p: torch.optim.Adam(p, 0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=1e-2),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
}
for kind, make in OPTIMIZERS.items():
    one = copy.deepcopy(net)
    optimizer = make(one.parameters())
    losses = []
    for step in range(10):
        start, end = BATCHES[step % 3]
        optimizer.zero_grad()
        loss = F.cross_entropy(one(images[start:end]), labels[start:end])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    put(f"{kind}/losses", torch.tensor(losses))
    put_state(kind, one)

student = (torch.randn(7, 5) * 3).float().double()
teacher = (torch.randn(7, 5) * 3).float().double()
targets = torch.randint(0, 5, (7,))
put("kd/student", student)
put("kd/teacher", teacher)
put("kd/labels", targets)
cases = [(1.0, 0.5), (5.0, 0.5), (20.0, 0.9), (0.5, 0.1), (4.0, 0.0), (4.0, 1.0)]
put("kd/cases", torch.tensor(cases))
for reduction in ["batchmean", "mean"]:
    losses = []
    for index, (temperature, weight) in enumerate(cases):
        logits = student.clone().requires_grad_()
        soft = F.kl_div(
            F.log_softmax(logits / temperature, 1), F.softmax(teacher / temperature, 1), reduction=reduction
        )
        loss = (1 - weight) * F.cross_entropy(logits, targets) + weight * temperature**2 * soft
        loss.backward()
        losses.append(loss.item())
        put(f"kd/{reduction}/grad{index}", logits.grad)
    put(f"kd/{reduction}/losses", torch.tensor(losses))


def rates(make, epochs):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    schedule = make(optimizer)
    found = []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return torch.tensor(found)


schedules = torch.optim.lr_scheduler
put("schedule/step", rates(lambda o: schedules.MultiStepLR(o, [3, 7], 0.2), 10))
put("schedule/cosine", rates(lambda o: schedules.CosineAnnealingLR(o, 10, 0.001), 10))


def warm(optimizer):
    """Four epochs at 1/5, 2/5, 3/5, 4/5 of the rate, then six of a cosine."""
    rise = schedules.LinearLR(optimizer, 1 / 5, 1.0, 4)
    fall = schedules.CosineAnnealingLR(optimizer, 6)
    return schedules.SequentialLR(optimizer, [rise, fall], [4])


put("schedule/warm", rates(warm, 10))

# The same weights as torch.save writes them, in both formats, as people find them.
folder = pathlib.Path(__file__).parent
saved = ResNet("basic").float()
put_state("saved", saved)
torch.save(saved.state_dict(), folder / "zip.pt")
renamed = {f"module.{name}".replace("fc.", "linear.").replace("downsample", "shortcut"): tensor
           for name, tensor in saved.half().state_dict().items()}
torch.save({"state_dict": renamed, "best": 91.5, "epoch": 7}, folder / "legacy.th",
           _use_new_zipfile_serialization=False)

# Channels enough for Winograd's transforms, whole vectors of them and not.
family("wide", Plain((8, 17, "M", 10)), 7)
family("wide-basic", ResNet("basic", 8, 16), 7)


class PreAct(nn.Module):
    """A block whose BatchNorm and ReLU come first (Zagoruyko & Komodakis 2016)."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.downsample = None
        if stride != 1 or inputs != width:
            self.downsample = nn.Conv2d(inputs, width, 1, stride, bias=False)

    def forward(self, x):
        h = F.relu(self.bn1(x))
        side = x if self.downsample is None else self.downsample(h)
        return self.conv2(F.relu(self.bn2(self.conv1(h)))) + side


class WideResNet(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.conv1 = nn.Conv2d(2, first, 3, 1, 1, bias=False)
        self.layer1 = nn.Sequential(PreAct(first, first, 1), PreAct(first, first, 1))
        self.layer2 = nn.Sequential(PreAct(first, second, 2))
        self.bn1 = nn.BatchNorm2d(second)
        self.fc = nn.Linear(second, 3)

    def forward(self, x):
        x = F.relu(self.bn1(self.layer2(self.layer1(self.conv1(x)))))
        return self.fc(x.mean((2, 3)))


family("preact", WideResNet(4, 7), 7)
family("wide-preact", WideResNet(8, 16), 7)


def conv_norm(inputs, outputs, kernel, stride=1, groups=1, activation=None):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), *([activation()] if activation else []))


class Mobile(nn.Module):
    """mobilestem8 inverted8x1 inverted12x4/2 inverted12x4 mobilehead16 avgpool fc3, with torchvision's names."""

    class Block(nn.Module):
        def __init__(self, inputs, outputs, expand, stride):
            super().__init__()
            wide, path = inputs * expand, []
            if expand > 1:
                path.append(conv_norm(inputs, wide, 1, activation=nn.ReLU6))
            path.append(conv_norm(wide, wide, 3, stride, wide, nn.ReLU6))
            self.conv = nn.Sequential(*path, nn.Conv2d(wide, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
            self.adds = stride == 1 and inputs == outputs

        def forward(self, x):
            return x + self.conv(x) if self.adds else self.conv(x)

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            conv_norm(2, 8, 3, 2, activation=nn.ReLU6),
            self.Block(8, 8, 1, 1), self.Block(8, 12, 4, 2), self.Block(12, 12, 4, 1),
            conv_norm(12, 16, 1, activation=nn.ReLU6),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(16, 3))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class Stages(nn.Module):
    """What several networks share: convolutions by number, blocks in two layers, a mean and a layer on it."""

    def put(self, number, inputs, outputs, kernel, stride=1, groups=1):
        conv, norm = conv_norm(inputs, outputs, kernel, stride, groups)
        setattr(self, f"conv{number}", conv)
        setattr(self, f"bn{number}", norm)

    def through(self, number, x):
        return getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x))

    def forward(self, x):
        x = self.layer2(self.layer1(F.relu(self.through(1, x))))
        if hasattr(self, "conv2"):
            x = F.relu(self.through(2, x))
        if hasattr(self, "se1"):
            x = x * torch.sigmoid(self.se1["fc2"](F.relu(self.se1["fc1"](x.mean((2, 3))))))[:, :, None, None]
        return self.fc(x.mean((2, 3)))


class ReluInverted(Stages):
    def __init__(self, inputs, outputs, expand, stride):
        super().__init__()
        wide = inputs * expand
        self.put(1, inputs, wide, 1)
        self.put(2, wide, wide, 3, stride, wide)
        self.put(3, wide, outputs, 1)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        out = self.through(3, F.relu(self.through(2, F.relu(self.through(1, x)))))
        return x + out if self.adds else out


class MobileHalf(Stages):
    """stem8/2 reluinverted8x1 reluinverted12x2/2 reluinverted12x2 pointwise16 avgpool fc3"""

    def __init__(self):
        super().__init__()
        self.put(1, 2, 8, 3, 2)
        self.layer1 = nn.Sequential(ReluInverted(8, 8, 1, 1))
        self.layer2 = nn.Sequential(ReluInverted(8, 12, 2, 2), ReluInverted(12, 12, 2, 1))
        self.put(2, 12, 16, 1)
        self.fc = nn.Linear(16, 3)


def shuffled(x, groups):
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class Shuffle(Stages):
    def __init__(self, inputs, width, stride):
        super().__init__()
        own = width - inputs if stride == 2 else width
        self.groups = 1 if inputs == 24 else 3
        self.put(1, inputs, own // 4, 1, 1, self.groups)
        self.put(2, own // 4, own // 4, 3, stride, own // 4)
        self.put(3, own // 4, own, 1, 1, 3)
        self.stride = stride

    def forward(self, x):
        out = shuffled(F.relu(self.through(1, x)), self.groups)
        out = self.through(3, F.relu(self.through(2, out)))
        return F.relu(torch.cat([out, F.avg_pool2d(x, 3, 2, 1)], 1) if self.stride == 2 else out + x)


class ShuffleNet(Stages):
    """pointwise24 shuffle48/2 shuffle48 shuffle72/2 avgpool fc3"""

    def __init__(self):
        super().__init__()
        self.put(1, 2, 24, 1)
        self.layer1 = nn.Sequential(Shuffle(24, 48, 2), Shuffle(48, 48, 1))
        self.layer2 = nn.Sequential(Shuffle(48, 72, 2))
        self.fc = nn.Linear(72, 3)


class Split(Stages):
    def __init__(self, inputs, width, stride):
        super().__init__()
        half, self.stride = width // 2, stride
        first = 3 if stride == 2 else 1
        if stride == 2:
            self.put(1, inputs, inputs, 3, 2, inputs)
            self.put(2, inputs, half, 1)
        self.put(first, inputs if stride == 2 else half, half, 1)
        self.put(first + 1, half, half, 3, stride, half)
        self.put(first + 2, half, half, 1)

    def forward(self, x):
        if self.stride == 2:
            around, first = F.relu(self.through(2, self.through(1, x))), 3
        else:
            (around, x), first = x.chunk(2, 1), 1
        out = self.through(first + 1, F.relu(self.through(first, x)))
        return shuffled(torch.cat([around, F.relu(self.through(first + 2, out))], 1), 2)


class ShuffleNetV2(Stages):
    """pointwise10 split20/2 split20 split24/2 pointwise18 squeezeexcite4 avgpool fc3"""

    def __init__(self):
        super().__init__()
        self.put(1, 2, 10, 1)
        self.layer1 = nn.Sequential(Split(10, 20, 2), Split(20, 20, 1))
        self.layer2 = nn.Sequential(Split(20, 24, 2))
        self.put(2, 24, 18, 1)
        self.se1 = nn.ModuleDict({"fc1": nn.Linear(18, 4), "fc2": nn.Linear(4, 18)})
        self.fc = nn.Linear(18, 3)


# Scales with which ReLU6 cuts off.
family("inverted", Mobile(), 13, 4.0)
family("reluinverted", MobileHalf(), 13)
family("shuffle", ShuffleNet(), 9)
family("split", ShuffleNetV2(), 9)

save_file(out, pathlib.Path(__file__).parent / "pytorch.safetensors", {"torch": torch.__version__})
