#!/usr/bin/env python3
"""Draws the pictures that ship with the example and writes down what is true of them and what PyTorch says.

    python3 ship.py [--threads 2]

    ../images/*.png           the slices, never seen in training
    ../images/truth.json      what each shows and where: the box (x, y, w, h) in pixels, all zero where there is nothing
    ../images/expected.json   PyTorch's probabilities, and the peak of each exact heat map (patch 16, stride 4, grey)
    ../images/expected.npy    the whole heat map of the quickstart: float32 p at each position, (rows, cols)
    ../masks/lungs.png        white where spiculated.png has lungs, a region of interest

The weights are read back from ../models/chest.onnx, so that it is the shipped file that is being asked. Occlusion is
done here the plain way, one full inference for each position.
"""

import argparse
import json
import os
import pathlib

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from PIL import Image

import draw
import train
from network import Network

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent
HELD_OUT = 20_000_000  # far from the seeds of training and of its held-out slices
PICTURES = {  # file: (seed, class); clear.png is the chest of spiculated.png before it fell ill
    "clear.png": (HELD_OUT + 221, "clear"),
    "nodule.png": (HELD_OUT + 1, "nodule"),
    "nodule-2.png": (HELD_OUT + 5, "nodule"),
    "cavity.png": (HELD_OUT + 105, "cavity"),
    "cavity-2.png": (HELD_OUT + 124, "cavity"),
    "spiculated.png": (HELD_OUT + 221, "spiculated"),
    "spiculated-2.png": (HELD_OUT + 200, "spiculated"),
    "ground-glass.png": (HELD_OUT + 310, "ground glass"),
}
QUICKSTART = "spiculated.png"
PATCH, STRIDE, FILL = 16, 4, 128


def read_network(path):
    """The network with the weights of an ONNX file that train.py exported."""
    weights = {i.name: torch.from_numpy(onnx.numpy_helper.to_array(i).copy()) for i in onnx.load(str(path)).graph.initializer}
    network = Network(len(draw.CLASSES))
    missing, extra = network.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]  # training's own bookkeeping
    if missing or extra:
        raise SystemExit(f"{path}: not the network of network.py: missing {missing}, extra {extra}")
    return network.eval()


def heat_map(network, picture, label):
    """p of the class with the patch at each position, (rows, cols), and the positions along an axis."""
    at = list(range(0, draw.SIZE - PATCH + 1, STRIDE))
    if at[-1] != draw.SIZE - PATCH:
        at.append(draw.SIZE - PATCH)
    p = np.zeros((len(at), len(at)), np.float32)
    for row, y in enumerate(at):
        occluded = np.repeat(picture[None], len(at), axis=0)
        for col, x in enumerate(at):
            occluded[col, y : y + PATCH, x : x + PATCH] = FILL
        p[row] = train.probabilities(network, occluded)[:, label]
    return p, at


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    torch.set_num_threads(arguments.parse_args().threads)

    images = EXAMPLES / "images"
    for folder in (images, EXAMPLES / "masks"):
        folder.mkdir(parents=True, exist_ok=True)
    network = read_network(EXAMPLES / "models" / "chest.onnx")
    truth, expected = [], []
    for name, (seed, kind) in PICTURES.items():
        picture, label, box = draw.sample(seed, kind)
        Image.fromarray(picture).save(images / name, optimize=True)
        truth.append(dict(image=name, label=kind, **dict(zip("xywh", box or (0, 0, 0, 0)))))
        probability = train.probabilities(network, picture[None])[0]
        entry = {"image": name, "probabilities": [round(float(p), 7) for p in probability]}
        if box:
            p, at = heat_map(network, picture, label)
            row, col = np.unravel_index(p.argmin(), p.shape)
            entry["peak"] = {"row": int(row), "col": int(col), "x": at[col], "y": at[row], "p": round(float(p[row, col]), 7)}
            x, y = at[col] + PATCH / 2, at[row] + PATCH / 2
            inside = box[0] <= x < box[0] + box[2] and box[1] <= y < box[1] + box[3]
            print(f"{name:>17}: p0 {probability[label]:.4f}, peak p {p.min():.4f} centred on {x:.0f},{y:.0f}, box {box}: "
                  f"{'inside' if inside else 'OUTSIDE'}", flush=True)  # fmt: skip
            if name == QUICKSTART:
                np.save(images / "expected.npy", p)
        else:
            print(f"{name:>17}: p0 {probability[label]:.4f}")
        expected.append(entry)

    def write(path, value):
        lines = ",\n".join("  " + json.dumps(entry) for entry in value)
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")

    write(images / "truth.json", truth)
    write(images / "expected.json", expected)
    lungs = draw.lungs_of(*PICTURES[QUICKSTART])
    Image.fromarray(np.where(lungs > 0, 255, 0).astype(np.uint8)).save(EXAMPLES / "masks" / "lungs.png", optimize=True)


if __name__ == "__main__":
    main()
