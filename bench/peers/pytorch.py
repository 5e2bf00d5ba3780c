"""PyTorch's training speed on the CPU, channels last, bfloat16 by autocast: one JSON line.
usage: pytorch.py MODEL BATCH SIZE CLASSES float32|mixed_bfloat16 STEPS
MODEL is torchvision's name, or resnet20, resnet32, ... for the CIFAR networks of He et al. 2015, section 4.2, or speednet
for the network of Keller Jordan's airbench94 (2024), whose first layer is not trained, as after its third epoch."""
import json
import os
import resource
import sys
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

model, batch, size, classes, precision, steps = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5], int(sys.argv[6])
torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', '2')))
torch.manual_seed(0)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions; where the shape changes, the shortcut takes every second pixel and adds zero channels."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.added = out - channels

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        shortcut = x
        if self.added:
            half = self.added // 2
            shortcut = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, self.added - half))
        return F.relu(self.bn2(self.conv2(y)) + shortcut, inplace=True)


def cifar_resnet(depth):
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    channels = 16
    for out in (16, 32, 64):
        for block in range((depth - 2) // 6):
            layers.append(BasicBlock(channels, out, 2 if block == 0 and out > 16 else 1))
            channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def speednet():
    def norm(channels):
        layer = nn.BatchNorm2d(channels, eps=1e-12)
        layer.weight.requires_grad = False
        return layer

    def group(channels, out):
        first, second = (nn.Conv2d(c, out, 3, padding=1, bias=False) for c in (channels, out))
        return first, nn.MaxPool2d(2), norm(out), nn.GELU(), second, norm(out), nn.GELU()

    first = nn.Conv2d(3, 24, 2).requires_grad_(False)
    groups = (layer for channels in ((24, 64), (64, 256), (256, 256)) for layer in group(*channels))
    return nn.Sequential(first, nn.GELU(), *groups, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(256, classes, bias=False))


is_cifar = model in ('resnet20', 'resnet32', 'resnet44', 'resnet56', 'resnet110')
if is_cifar:
    net = cifar_resnet(int(model[6:]))
elif model == 'speednet':
    net = speednet()
else:
    net = getattr(torchvision.models, model)(num_classes=classes)
net = net.to(memory_format=torch.channels_last).train()
x = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
label = torch.randint(0, classes, (batch,))
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.01, momentum=0.9, weight_decay=5e-4)


def step():
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=precision == 'mixed_bfloat16'):
        loss = F.cross_entropy(net(x).float(), label)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


step()
step()
times = []
for _ in range(steps):
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
median = sorted(times)[len(times) // 2]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({'imagesPerSecond': batch / median, 'msPerStep': 1e3 * median, 'peakMemoryBytes': peak}))
