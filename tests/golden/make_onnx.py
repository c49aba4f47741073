"""Makes onnx/*.onnx and onnx/golden.safetensors: classifiers that PyTorch exports, and their logits.

    python3 -m venv venv && venv/bin/pip install torch torchvision onnx onnxscript numpy safetensors
    venv/bin/python tests/golden/make_onnx.py

The shapes of ResNet-18 and of a vision transformer, thin so that the files stay small, by both of
torch.onnx's exporters and with fixed and free batches. Weights are random; running statistics are not
their first ones.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.models.vision_transformer import VisionTransformer

FOLDER = pathlib.Path(__file__).parent / "onnx"
FOLDER.mkdir(exist_ok=True)
torch.manual_seed(1)
golden = {}


class Thin(ResNet):
    """torchvision's ResNet-18 with a sixteenth of its width."""

    def __init__(self):
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=10)
        width, planes = 4, [4, 8, 16, 32]
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for index, plane in enumerate(planes):
            layer = self._make_layer(BasicBlock, plane, 2, stride=1 if index == 0 else 2)
            setattr(self, f"layer{index + 1}", layer)
        self.fc = nn.Linear(planes[-1], 10)


def export(name, model, images, **options):
    path = FOLDER / f"{name}.onnx"
    torch.onnx.export(model, (images,), path, input_names=["images"], output_names=["logits"], **options)
    golden[f"{name}.images"] = images[:3].contiguous()
    with torch.no_grad():
        golden[f"{name}.logits"] = model(images)[:3].contiguous()


resnet = Thin()
resnet.train()
with torch.no_grad():
    for _ in range(5):
        resnet(torch.rand(16, 3, 32, 32))
resnet.eval()
export("resnet18", resnet, torch.rand(4, 3, 32, 32), dynamo=False, opset_version=17,
       dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}})

vit = VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=24, mlp_dim=48,
                        num_classes=10)
nn.init.normal_(vit.heads.head.weight)
vit.eval()
export("vit", vit, torch.rand(3, 3, 32, 32), dynamo=False, opset_version=17)
export("vit-dynamo", vit, torch.rand(4, 3, 32, 32), dynamo=True, external_data=False,
       dynamic_shapes=({0: torch.export.Dim("batch")},))
save_file(golden, FOLDER / "golden.safetensors")
