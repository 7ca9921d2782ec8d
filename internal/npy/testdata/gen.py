"""Writes arrays.npys: pairs of arrays, one after another in one file. The first
of a pair is in some type, byte order, memory order, shape and format version;
the second holds its values as float32, version 1.0, C order.

    cd internal/npy/testdata && python3 gen.py

Written with NumPy 1.24.2.
"""
import warnings

import numpy as np

warnings.simplefilter("ignore")  # versions 2 and 3 warn that old NumPy cannot read them

SHAPES = [(), (1,), (7,), (2, 3), (1, 1, 1), (3, 2, 4), (2, 1, 3, 2)]


def values(dtype, shape):
    n = int(np.prod(shape))
    a = np.arange(n)
    if dtype.kind == "b":
        a = a % 3 == 0
    elif dtype.kind == "f":
        a = a * 0.375 - 2
        a.flat[-1] = np.nan if n > 2 else 65504
        a.flat[0] = np.inf if n > 3 else 6e-8
    elif dtype.kind == "i":
        a = (a - 2) * 2 ** (8 * dtype.itemsize - 6)
    else:
        a = a * 2 ** (8 * dtype.itemsize - 5) + 1
    return np.asarray(a).reshape(shape).astype(dtype)


with open("arrays.npys", "wb") as f:
    case = 0
    for letters in "b1 u1 i1 u2 i2 u4 i4 u8 i8 f2 f4 f8".split():
        for shape in SHAPES:
            case += 1
            order = "<>"[case % 2]
            a = values(np.dtype(letters), shape).astype(order + letters)
            if case % 3 == 0 and shape:
                a = np.asfortranarray(a)
            np.lib.format.write_array(f, a, version=(1 + case % 3, 0))
            expected = np.ascontiguousarray(a).reshape(shape).astype("<f4")
            np.lib.format.write_array(f, expected, version=(1, 0))
    # What numpy.save writes for each type, without any of the variations.
    for letters in "f4 f8 b1 u1 i1 u2 i2 u4 i4 u8 i8".split():
        for shape in SHAPES:
            a = values(np.dtype(letters), shape)
            np.save(f, a)
            np.save(f, a.astype("f4"))
