"""Writes the files of this folder as Keras lays them out, with h5py: python3 make-fixtures.py.

Layers, their order and their shapes are those of keras.applications; numbers are ((seed + i) % 8 - 3.5) / 64, where the seed is the sum of
the letters of LAYER/WEIGHT. Such numbers become small when they are compressed, twice: by HDF5 and then as a whole.
"""

import gzip
import io
import json
import math
import os
import re

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 4


class Layers:
    def __init__(self):
        self.all = []

    def add(self, name, kind, weights=(), **config):
        self.all.append((name, kind, list(weights), config))

    def numbers(self, name, shape):
        count = int(np.prod(shape))
        values = (sum(name.encode()) + np.arange(count)) % 8 - 3.5
        return (values / 64).reshape(shape).astype("float32")

    def weights(self, layer, **shapes):
        return [(part, self.numbers(layer + "/" + part, shape)) for part, shape in shapes.items()]

    def conv(self, name, kernel, ins, outs, bias):
        more = {"bias": (outs,)} if bias else {}
        self.add(name, "Conv2D", self.weights(name, kernel=(kernel, kernel, ins, outs), **more))

    def norm(self, name, size):
        parts = ["gamma", "beta", "moving_mean", "moving_variance"]
        self.add(name, "BatchNormalization", self.weights(name, **{part: (size,) for part in parts}))

    def dense(self, name, ins, outs):
        self.add(name, "Dense", self.weights(name, kernel=(ins, outs), bias=(outs,)))


def resnet50(layers):
    layers.add("input_1", "InputLayer")
    layers.conv("conv1_conv", 7, 3, 64, True)
    layers.norm("conv1_bn", 64)
    ins = 64
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for index in range(1, blocks + 1):
            block = "conv%d_block%d" % (stage + 2, index)
            layers.conv(block + "_1_conv", 1, ins, width, True)
            layers.norm(block + "_1_bn", width)
            layers.conv(block + "_2_conv", 3, width, width, True)
            layers.norm(block + "_2_bn", width)
            if index == 1:
                layers.conv(block + "_0_conv", 1, ins, 4 * width, True)
            layers.conv(block + "_3_conv", 1, width, 4 * width, True)
            if index == 1:
                layers.norm(block + "_0_bn", 4 * width)
            layers.norm(block + "_3_bn", 4 * width)
            ins = 4 * width
    layers.dense("predictions", ins, CLASSES)


STAGES = [(1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 3), (6, 5, 112, 3), (6, 5, 192, 4), (6, 3, 320, 1)]


def efficientnet(layers):
    layers.add("rescaling", "Rescaling", scale=1 / 255, offset=0.0)
    statistics = [("mean", np.array([0.485, 0.456, 0.406], "float32"))]
    statistics += [("variance", np.array([0.229, 0.224, 0.225], "float32")), ("count", np.array(0, "int64"))]
    layers.add("normalization", "Normalization", statistics, mean=None, variance=None)
    layers.add("rescaling_1", "Rescaling", scale=[1 / math.sqrt(v) for v in [0.229, 0.224, 0.225]], offset=0.0)
    layers.conv("stem_conv", 3, 3, 32, False)
    layers.norm("stem_bn", 32)
    ins = 32
    for stage, (expansion, kernel, outs, blocks) in enumerate(STAGES):
        for index in range(blocks):
            block = "block%d%s_" % (stage + 1, "abcdefg"[index])
            wide = ins * expansion
            if expansion > 1:
                layers.conv(block + "expand_conv", 1, ins, wide, False)
                layers.norm(block + "expand_bn", wide)
            deep = layers.weights(block + "dwconv", depthwise_kernel=(kernel, kernel, wide, 1))
            layers.add(block + "dwconv", "DepthwiseConv2D", deep)
            layers.norm(block + "bn", wide)
            layers.conv(block + "se_reduce", 1, wide, ins // 4, True)
            layers.conv(block + "se_expand", 1, ins // 4, wide, True)
            layers.conv(block + "project_conv", 1, wide, outs, False)
            layers.norm(block + "project_bn", outs)
            ins = outs
    layers.conv("top_conv", 1, ins, 1280, False)
    layers.norm("top_bn", 1280)


def store(group, name, values):
    """Large ones in one chunk with gzip, as a repacked file has them."""
    options = {"chunks": values.shape, "compression": "gzip"} if values.size > 64 else {}
    group.create_dataset(name, data=values, **options)


def by_name(group, layers, nested=None):
    """Keras 1 and 2. Of a model within the model, all layers are one group."""
    outer = [layer for layer in layers if nested is None or layer[1] == "Dense"]
    names = [layer[0] for layer in outer] if nested is None else [nested] + [layer[0] for layer in outer]
    group.attrs["layer_names"] = [name.encode() for name in names]
    for name in names:
        members = layers if name == nested else [layer for layer in layers if layer[0] == name]
        members = [layer for layer in members if nested is None or (layer[1] == "Dense") == (name != nested)]
        paths = ["%s/%s:0" % (layer[0], part) for layer in members for part, _ in layer[2]]
        part_of = group.create_group(name)
        if sum(map(len, paths)) > 2000:
            for i in range(0, len(paths), 100):
                part_of.attrs["weight_names%d" % (i // 100)] = [path.encode() for path in paths[i : i + 100]]
        else:
            part_of.attrs["weight_names"] = [path.encode() for path in paths]
        for layer in members:
            for part, values in layer[2]:
                store(part_of, "%s/%s:0" % (layer[0], part), values)


def by_layer(file, layers, named):
    """Keras 3."""
    counts = {}
    for name, kind, weights, _ in layers:
        kind = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        group = file.create_group("layers/" + (kind if count == 0 else "%s_%d" % (kind, count)))
        if weights:
            variables = group.create_group("vars")
            if named:
                variables.attrs["name"] = name
            for number, (_, values) in enumerate(weights):
                store(variables, str(number), values)


def config(layers):
    entries = [{"class_name": kind, "config": dict(name=name, **more)} for name, kind, _, more in layers]
    return {"class_name": "Functional", "config": {"name": "model", "layers": entries}}


def write(name, fill, **options):
    memory = io.BytesIO()
    with h5py.File(memory, "w", **options) as file:
        fill(file)
    with open(os.path.join(HERE, name + ".gz"), "wb") as file:
        file.write(gzip.compress(memory.getvalue(), 9, mtime=0))


def whole(file, layers, nested):
    by_name(file.create_group("model_weights"), layers, nested)
    entries = config([layer for layer in layers if layer[1] != "Dense"])
    entries["config"]["name"] = nested
    head = config([layer for layer in layers if layer[1] == "Dense"])["config"]["layers"]
    file.attrs["model_config"] = json.dumps(
        {"class_name": "Sequential", "config": {"name": "whole", "layers": [entries] + head}}
    ).encode()


resnet = Layers()
resnet50(resnet)
write("resnet50.h5", lambda file: by_name(file, resnet.all))
write("resnet50.weights.h5", lambda file: by_layer(file, resnet.all, False), libver="latest")
b0 = Layers()
efficientnet(b0)
b0.dense("dense_1", 1280, CLASSES)
write("efficientnetb0.weights.h5", lambda file: by_layer(file, b0.all, True))
write("efficientnetb0-whole.h5", lambda file: whole(file, b0.all, "efficientnetb0"))
with open(os.path.join(HERE, "efficientnetb0-config.json"), "w") as file:
    json.dump(config(b0.all), file)
small = Layers()
small.add("rescaling", "Rescaling", scale=[1 / 255], offset=0.0)
statistics = [("mean", np.array([0.5, 0.4, 0.3], "float32")), ("variance", np.array([0.2, 0.2, 0.2], "float32"))]
small.add("normalization", "Normalization", statistics + [("count", np.array(0, "int64"))], mean=None, variance=None)
small.conv("conv", 3, 3, 4, True)
small.norm("bn", 4)
small.dense("predictions", 4, 2)
write("small.h5", lambda file: whole(file, small.all, "inner"))
write("small.weights.h5", lambda file: by_layer(file, small.all, True), libver="latest")
with open(os.path.join(HERE, "small-config.json"), "w") as file:
    json.dump(config(small.all), file)
