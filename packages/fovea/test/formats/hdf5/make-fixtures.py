"""Writes the files of this folder with h5py: python3 make-fixtures.py (3.7 with HDF5 1.10.8 wrote those that are kept)."""

import gzip
import io
import os

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def numbers(shape, dtype="float32"):
    return (np.arange(np.prod(shape)).reshape(shape) / 4).astype(dtype)


def layouts(file):
    """All layouts, filters and types that are read."""
    file.create_dataset("contiguous", data=numbers((3, 5)))
    file.create_dataset("chunked", data=numbers((7, 10)), chunks=(3, 4))
    file.create_dataset("gzip", data=numbers((7, 10)), chunks=(3, 4), compression="gzip")
    file.create_dataset("shuffled", data=numbers((40, 30)), chunks=(16, 30), compression="gzip", shuffle=True)
    file.create_dataset("one chunk", data=numbers((4, 3)), chunks=(4, 3))
    file.create_dataset("one gzip chunk", data=numbers((4, 3)), chunks=(4, 3), compression="gzip")
    file.create_dataset("scalar", data=np.float32(2.5))
    file.create_dataset("empty", data=np.zeros((0, 3), "float32"))
    for dtype in ["<f2", "<f8", ">f4", ">f8", "<i1", "<i2", "<i4", "<i8", ">i4", "<u1"]:
        file.create_dataset("type " + dtype, data=numbers((2, 3), dtype))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((2, 2))
    compact = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, plist)
    compact.write(h5py.h5s.ALL, h5py.h5s.ALL, numbers((2, 2)))
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_chunk((2, 2))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple((4, 5))
    implicit = h5py.h5d.create(file.id, b"implicit", h5py.h5t.IEEE_F32LE, space, early)
    implicit.write(h5py.h5s.ALL, h5py.h5s.ALL, numbers((4, 5)))
    file["a"] = 1.0
    del file["a"]
    file.attrs["long text"] = "as long as it may be"
    file.attrs["texts"] = np.array([b"one", b"two", b"three"])
    file.attrs["long texts"] = ["eins", "zwei", "dr\u00fc"]
    file.attrs["number"] = 3


def groups(file, count, **options):
    for i in range(count):
        group = file.create_group("group_%d" % i, **options)
        group.attrs["name"] = "number %d" % i
        group["0"] = np.float32(i)


def refused(file):
    """What is refused, each by its name."""
    data = numbers((8, 8))
    file.create_dataset("lzf", data=data, chunks=(4, 4), compression="lzf")
    file.create_dataset("fletcher32", data=data, chunks=(4, 4), fletcher32=True)
    file.create_dataset("texts", data=[b"a", b"b"])
    file.create_dataset("bools", data=np.array([True, False]))
    file.create_dataset("complex", data=np.array([1j, 2]))
    file.create_dataset("unsigned", data=np.array([1, 2], "uint32"))
    file.create_dataset("never written", (4, 4), "float32")
    file.create_dataset("growing", data=data, chunks=(4, 4), maxshape=(None, 8))


def write(name, fill, *arguments, **options):
    with h5py.File(os.path.join(HERE, name), "w", **options) as file:
        fill(file, *arguments)


write("layouts.h5", layouts)
write("layouts-latest.h5", layouts, libver="latest")
write("groups.h5", groups, 50)
with h5py.File(os.path.join(HERE, "many.h5"), "w") as file:
    for i in range(260):
        file["n%d" % i] = np.float32(i)
write("groups-few.h5", groups, 5, libver="latest")
with h5py.File(os.path.join(HERE, "groups-tracked.h5"), "w", track_order=True) as file:
    groups(file, 120, track_order=True)
write("refused.h5", refused)
write("refused-latest.h5", refused, libver="latest")
with h5py.File(os.path.join(HERE, "soft-link.h5"), "w") as file:
    file["here"] = 1.0
    file["there"] = h5py.SoftLink("/here")
with h5py.File(os.path.join(HERE, "external-link.h5"), "w") as file:
    file["there"] = h5py.ExternalLink("/etc/passwd", "/")
with h5py.File(os.path.join(HERE, "circle.h5"), "w") as file:
    group = file.create_group("a")
    group["b"] = file
memory = io.BytesIO()
with h5py.File(memory, "w") as file:
    file.attrs["layer_names"] = [b"a"]
    file.create_group("a").attrs["weight_names"] = [b"a/kernel:0"]
    file.create_dataset("a/a/kernel:0", data=np.zeros((4000, 10000), "float32"), chunks=(500, 10000), compression="gzip")
with open(os.path.join(HERE, "bomb.h5.gz"), "wb") as file:
    file.write(gzip.compress(memory.getvalue(), 9, mtime=0))
