#!/usr/bin/env python3
"""Prints the figures that scikit-image, SciPy and matplotlib give for some pairs of maps.

    python3 expected.py > expected.json     # Debian's python3-skimage and python3-matplotlib

The tests read the file and need no Python.
"""
import json
import numpy as np
from matplotlib import colormaps
from scipy.stats import pearsonr
from skimage.metrics import normalized_root_mse, structural_similarity


def jet_r(p, p0, xs, ys, patch, width, height):
    """The map enlarged bilinearly between patch centres, drawn from 0.75 p0 to min(1, 1.25 p0)."""
    along = lambda edges, n: np.interp(np.arange(n) + 0.5, np.array(edges) + patch / 2, np.arange(len(edges)))
    x, y = along(xs, width), along(ys, height)
    rows = np.array([np.interp(x, np.arange(len(xs)), row) for row in p])
    full = np.array([np.interp(y, np.arange(len(ys)), column) for column in rows.T]).T
    lo, hi = 0.75 * p0, min(1, 1.25 * p0)
    return np.round(255 * colormaps["jet_r"]((full - lo) / (hi - lo))[..., :3]).astype(np.uint8)


def blobs(rng, w, h, low, high, n=4):
    y, x = np.mgrid[:h, :w]
    m = np.zeros((h, w))
    for _ in range(n):
        cx, cy, r = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(1.5, max(w, h) / 3)
        m += rng.uniform(-0.4, 1) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * r * r))
    return (high - (high - low) * (m - m.min()) / (m.max() - m.min())).astype(np.float32)


cases = []
for name, w, h, low, high, noise, seed in [
    ("smooth", 19, 15, 0.2, 0.9, 0.03, 1),
    ("hardly a range", 12, 11, 0.9990, 0.9993, 2e-5, 2),
    ("hardly alike", 16, 9, 0.1, 0.6, 0.5, 3),
    ("seven", 7, 7, 0.3, 0.5, 0.02, 4),
    ("window of five", 13, 6, 0.3, 0.5, 0.02, 5),
    ("window of three", 3, 8, 0.01, 0.02, 0.002, 6),
]:
    rng = np.random.default_rng(seed)
    e = blobs(rng, w, h, low, high)
    a = (e + noise * rng.standard_normal(e.shape)).astype(np.float32)
    side = min(7, w, h)
    side -= 1 - side % 2
    # double precision: for float32 scikit-image computes in float32
    e64, a64 = e.astype(float), a.astype(float)
    case = dict(name=name, w=w, h=h,
                exact=[float(f"{v:.9g}") for v in e.flat], approximate=[float(f"{v:.9g}") for v in a.flat],
                ssim=structural_similarity(e64, a64, win_size=side, data_range=e64.max() - e64.min()),
                pearson=pearsonr(e64.ravel(), a64.ravel())[0],
                nrmse=normalized_root_mse(e64, a64, normalization="min-max"))
    k = -(-w * h // 10)
    tops = [set(np.argsort(m.ravel(), kind="stable")[:k]) for m in (e, a)]
    case["top10"] = len(tops[0] & tops[1]) / k
    p0 = float(np.float32(0.9 * high))
    xs, ys = [4 * i for i in range(w)], [4 * i for i in range(h)]
    pictures = [jet_r(m, p0, xs, ys, 16, 4 * w + 12, 4 * h + 12) for m in (e, a)]
    case.update(p0=p0, krypton=structural_similarity(*pictures, channel_axis=2, data_range=255))
    cases.append(case)

print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")
