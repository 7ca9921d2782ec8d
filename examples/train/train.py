#!/usr/bin/env python3
"""Trains the example's network on slices that draw.py draws, and exports it to ONNX.

    python3 train.py [--out ../models] [--threads 2]

What makes its heat maps clean is the augmentation: grey, black, white, coloured and noisy squares are pasted beside the
finding, so that a square by itself means nothing, and sometimes over the whole finding, which makes the slice "clear".
"""

import argparse
import multiprocessing
import os
import pathlib
import time

import numpy as np
import torch
from torch import nn

import draw
from network import Network

SEED = 20190630
MEAN, STD = 0.30, 0.27  # of pixel / 255, about those of the slices; the query's WITH clause names them again
TRAIN, HELD_OUT = 6000, 1000  # slices; seeds from 0 and from HELD_OUT_SEED
HELD_OUT_SEED = 10_000_000
EPOCHS, BATCH = 16, 50
SMOOTHING = 0.05  # keeps the probabilities of sure answers near 0.96 instead of 1


def draw_many(first, count, workers):
    """Slices of the seeds first, first+1, ...: pictures (n, H, W), classes (n), boxes (n, 4) with zeros for clear."""
    with multiprocessing.Pool(workers) as pool:
        drawn = pool.map(draw.sample, range(first, first + count), chunksize=50)
    pictures = np.stack([picture for picture, _, _ in drawn])
    classes = np.array([label for _, label, _ in drawn])
    boxes = np.array([box or (0, 0, 0, 0) for _, _, box in drawn])
    return pictures, classes, boxes


def square_fill(rng, picture, h, w):
    """What a pasted square shows: (3, 1, 1) or (3, h, w), 0 to 255."""
    kind = rng.integers(8)
    if kind <= 2:
        return np.full((3, 1, 1), 128.0)
    if kind == 3:
        return np.full((3, 1, 1), float(rng.choice([0, 255])))
    if kind == 4:
        return np.full((3, 1, 1), rng.uniform(0, 255))
    if kind == 5:
        return np.full((3, 1, 1), picture.mean())
    if kind == 6:
        return rng.uniform(0, 255, (3, 1, 1))
    return rng.uniform(0, 255, (3, h, w))


def augment(rng, picture, label, box):
    """One training picture (3, H, W) float32 in 0..255 with its class."""
    size = draw.SIZE
    x0, y0, w0, h0 = (int(v) for v in box)
    out = np.repeat(picture[None].astype(np.float32), 3, axis=0)
    out = (out - 128) * rng.uniform(0.92, 1.08) + 128 + rng.uniform(-6, 6)

    if label != 0 and rng.random() < 0.12:  # hide the finding: nothing is left to see
        margin = int(rng.integers(1, 5))
        x1, y1 = max(0, x0 - margin), max(0, y0 - margin)
        x2, y2 = min(size, x0 + w0 + margin), min(size, y0 + h0 + margin)
        out[:, y1:y2, x1:x2] = square_fill(rng, picture, y2 - y1, x2 - x1)
        label = 0
    for _ in range(rng.integers(0, 4)):
        w = int(rng.integers(6, 40))
        h = w if rng.random() < 0.7 else int(rng.integers(6, 40))
        x, y = int(rng.integers(0, size - w + 1)), int(rng.integers(0, size - h + 1))
        if label != 0 and x < x0 + w0 and x0 < x + w and y < y0 + h0 and y0 < y + h:
            continue
        out[:, y : y + h, x : x + w] = square_fill(rng, picture, h, w)

    if rng.random() < 0.5:
        out = out[:, :, ::-1]
    dx, dy = int(rng.integers(-6, 7)), int(rng.integers(-6, 7))
    return np.clip(np.roll(out, (dy, dx), (1, 2)), 0, 255), label


def to_input(pictures):
    """Pixels 0..255, (n, 3, H, W), to what the network takes."""
    return (torch.from_numpy(np.ascontiguousarray(pictures, np.float32)) / 255 - MEAN) / STD


def probabilities(network, pictures):
    """Class probabilities of grey pictures (n, H, W) uint8."""
    network.eval()
    with torch.no_grad():
        rows = [network(to_input(np.repeat(p[None, None], 3, axis=1))) for p in pictures]
    return torch.softmax(torch.cat(rows), 1).numpy()


def export(network, path):
    """Writes the network as ONNX, batch normalization kept apart from the convolutions as training left it."""
    # Left alone, the exporter writes the global pool as a MaxPool as large as the map.
    torch.onnx.register_custom_op_symbolic(
        "aten::adaptive_max_pool2d", lambda graph, x, size: (graph.op("GlobalMaxPool", x), None), 13
    )
    network.eval()
    torch.onnx.export(
        network, torch.zeros(1, 3, draw.SIZE, draw.SIZE), str(path), opset_version=13,
        input_names=["input"], output_names=["logits"],
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
    )  # fmt: skip


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "models")
    arguments.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    options = arguments.parse_args()

    torch.manual_seed(SEED)
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(SEED)
    start = time.time()
    pictures, classes, boxes = draw_many(0, TRAIN, options.threads)
    held_pictures, held_classes, _ = draw_many(HELD_OUT_SEED, HELD_OUT, options.threads)
    print(f"{TRAIN + HELD_OUT} slices drawn, {time.time() - start:.0f} s", flush=True)

    network = Network(len(draw.CLASSES)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    steps = EPOCHS * (TRAIN // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=steps, pct_start=0.2)
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for epoch in range(EPOCHS):
        network.train()
        total = 0.0
        for batch in rng.permutation(TRAIN).reshape(-1, BATCH):
            drawn = [augment(rng, pictures[i], classes[i], boxes[i]) for i in batch]
            x = to_input(np.stack([p for p, _ in drawn])).contiguous(memory_format=torch.channels_last)
            y = torch.tensor([label for _, label in drawn])
            loss = loss_of(network(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        guessed = probabilities(network, held_pictures).argmax(1)
        print(f"epoch {epoch + 1:2}: loss {total / (TRAIN // BATCH):.3f}, held out {np.mean(guessed == held_classes):.2%}, "
              f"{time.time() - start:.0f} s", flush=True)  # fmt: skip

    found = probabilities(network, held_pictures)
    for k, name in enumerate(draw.CLASSES):
        mine = held_classes == k
        print(f"{name:>13}: recall {np.mean(found[mine].argmax(1) == k):.2%}, mean probability {found[mine, k].mean():.3f}")
    options.out.mkdir(parents=True, exist_ok=True)
    export(network, options.out / "chest.onnx")
    (options.out / "chest.labels.txt").write_text("\n".join(draw.CLASSES) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
