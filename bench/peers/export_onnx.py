"""Writes a torchvision model with random weights to stdout as ONNX, for ONNX Runtime. usage: export_onnx.py MODEL BATCH SIZE"""
import io
import sys

import torch
import torchvision

model, batch, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.manual_seed(0)
net = getattr(torchvision.models, model)().eval()
made = io.BytesIO()
torch.onnx.export(net, torch.randn(batch, 3, size, size), made, opset_version=13)
sys.stdout.buffer.write(made.getvalue())
