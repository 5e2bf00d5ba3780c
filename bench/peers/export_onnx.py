"""Writes a torchvision model with random weights as ONNX, for ONNX Runtime. usage: export_onnx.py MODEL BATCH SIZE OUT"""
import sys

import torch
import torchvision

model, batch, size, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.manual_seed(0)
net = getattr(torchvision.models, model)().eval()
torch.onnx.export(net, torch.randn(batch, 3, size, size), out, opset_version=13)
