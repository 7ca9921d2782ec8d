"""Occlusion as it is done today, with PyTorch on a GPU: every occluded image is inferred whole, in batches.

    python3 naive.py DEVICE      reads jobs from standard input, a JSON object a line, and answers each with a line

A job is asked as job in torch.go, an answer is read as naive there. Batches are put together on the device, all at once, for
a loop over positions would be timed more than the network; cuDNN tries its algorithms on the first run, which does not count.
"""
import json
import os
import sys
import time

import numpy
import torch
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.dirname(here)]
import networks

device = torch.device(sys.argv[1])
on_gpu = device.type == "cuda"
kept = {}  # the network of the last job


def network(job):
    """The network that was exported, in the job's precision."""
    key = job["network"], job["side"]
    if key not in kept:
        kept.clear()
        networks.SIDES[job["network"]] = job["side"]
        kept[key] = networks.build(job["network"])
    return kept[key].to(device, torch.float64 if job["mode"] == "float64" else torch.float32)


def positions(side, patch, stride):
    axis = list(range(0, side - patch, stride)) + [side - patch]
    return [[x, y] for y in axis for x in axis]


def answer(job):
    # Without tf32 sums and products are those of float32.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = job["mode"] == "tf32"
    torch.backends.cudnn.benchmark = True
    model = network(job)
    kind = next(model.parameters()).dtype
    pixels = torch.from_numpy(numpy.array(Image.open(job["image"]).convert("RGB"))).to(device, kind).permute(2, 0, 1)
    image = (pixels / 255 - job["mean"]) / job["std"]
    fill = (job["fill"] / 255 - job["mean"]) / job["std"]
    side, patch = job["side"], job["patch"]
    grid = job.get("positions") or positions(side, patch, job["stride"])
    corners = torch.tensor(grid, device=device)
    axis = torch.arange(side, device=device)

    def occluded(corners):
        x, y = ((axis >= at) & (axis < at + patch) for at in corners.T[:, :, None])
        return torch.where(y[:, None, :, None] & x[:, None, None, :], fill, image)

    def heat_map():
        parts = corners.split(job["batch"])
        return torch.cat([torch.softmax(model(occluded(part)), dim=1)[:, best] for part in parts])

    def wait():
        if on_gpu:
            torch.cuda.synchronize()

    best = int(model(image[None]).argmax())
    p0 = float(torch.softmax(model(image[None]), dim=1)[0, best])
    p = heat_map()  # warms up
    if on_gpu:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()  # what cuDNN tried its algorithms in
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(job["runs"]):
        wait()
        start = time.perf_counter()
        p = heat_map().cpu()
        wait()
        seconds.append(time.perf_counter() - start)
    return {
        "class": best, "p0": p0, "p": p.tolist(), "positions": grid, "seconds": seconds,
        "allocated": torch.cuda.max_memory_allocated() if on_gpu else 0,
        "reserved": torch.cuda.max_memory_reserved() if on_gpu else 0,
        "version": f"PyTorch {torch.__version__}",
    }


with torch.inference_mode():
    print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # such as no memory: the next job may do
            kept.clear()
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)
        if on_gpu:
            torch.cuda.empty_cache()
