"""Writes files with Keras itself, and what it says of some images: python3 write-with-keras.py FOLDER (with keras, h5py and a backend).

Weights are drawn, norms have the statistics of the images, a little changed. For each model: NAME.keras, NAME.h5 (the whole model, as Keras 2
kept it), NAME.weights.h5, NAME-unnamed.weights.h5 (as the first versions of Keras 3 wrote it) and NAME.json (sizes and probabilities); pixels
are in NAME.pixels.
"""

import json
import os
import shutil
import sys

import h5py
import keras
import numpy as np
from keras import applications

FOLDER = sys.argv[1]
random = np.random.default_rng(1)
IMAGES = 3


def draw(model, images):
    for weight in model.variables:
        if weight.path.endswith(("/beta", "/bias")):
            weight.assign(random.normal(0, 0.1, weight.shape).astype("float32"))
        if weight.path.endswith("/gamma"):
            weight.assign(random.uniform(0.8, 1.2, weight.shape).astype("float32"))
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    model(images, training=True)
    for layer in norms:
        layer.moving_variance.assign(np.asarray(layer.moving_variance) * random.uniform(0.8, 1.2, layer.moving_variance.shape))


def normalize(model, variance):
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            for weight in layer.variables:
                if weight.path.endswith("mean"):
                    weight.assign(np.reshape([0.485, 0.456, 0.406], weight.shape))
                if weight.path.endswith("variance"):
                    weight.assign(np.reshape(variance, weight.shape))
            layer.finalize_state()


def write(name, architecture, model, size, prepare=lambda images: images):
    pixels = random.integers(0, 256, (IMAGES, size, size, 3), dtype="uint8")
    images = prepare(pixels.astype("float32"))
    draw(model, images)
    path = os.path.join(FOLDER, name)
    pixels.tofile(path + ".pixels")
    for ending in [".keras", ".h5"]:
        model.save(path + ending)
    model.save_weights(path + ".weights.h5")
    shutil.copy(path + ".weights.h5", path + "-unnamed.weights.h5")
    with h5py.File(path + "-unnamed.weights.h5", "r+") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None) and None)
    with open(path + ".json", "w") as file:
        answers = model.predict(images, verbose=0).tolist()
        json.dump({"architecture": architecture, "size": size, "probabilities": answers}, file)


def efficientnet(**options):
    model = applications.EfficientNetB0(weights=None, **options)
    normalize(model, [0.05, 0.06, 0.07])
    return model


write("efficientnet", "efficientnet-b0", efficientnet(input_shape=(65, 65, 3), classes=5), 65)
body = efficientnet(input_shape=(64, 64, 3), include_top=False, pooling="avg")
head = keras.layers.Dense(3, activation="softmax", name="animals")
write("nested", "efficientnet-b0", keras.Sequential([keras.Input((64, 64, 3)), body, head]), 64)
resnet = applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=5)
write("resnet", "resnet50", resnet, 64, applications.resnet50.preprocess_input)
