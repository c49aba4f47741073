"""Loads teacher.safetensors into the layout that it is for, strictly, and saves it as PyTorch does."""

import torch
from safetensors.torch import load_file
from torch import nn


class Plain(nn.Module):
    """conv6 maxpool fc8 fc3 on 1x8x8 images, as the authors' ConvNetMaker lays it out."""

    def __init__(self):
        super().__init__()
        self.conv_layers = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.fc_layers = nn.Sequential(nn.Linear(6 * 4 * 4, 8), nn.ReLU(), nn.Linear(8, 3))


net = Plain()
net.load_state_dict(load_file("teacher.safetensors"), strict=True)
torch.save(net.state_dict(), "teacher.pt")
torch.save(net.state_dict(), "teacher-legacy.pt", _use_new_zipfile_serialization=False)
