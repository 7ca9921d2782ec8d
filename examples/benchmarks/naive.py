"""Occlusion as it is done today, with PyTorch: every occluded image is inferred whole, in batches.

    python3 naive.py JOB.json      prints one JSON object: {version, seconds}; see Job and Answer in internal/peer
"""
import json
import sys
import time

import torch
import torchvision

import networks

with open(sys.argv[1]) as file:
    job = json.load(file)
if not hasattr(torchvision.models, job["network"]):
    sys.exit(f"torchvision has no {job['network']}")
torch.set_num_threads(job["threads"])
network = networks.build(job["network"])
with open(job["image"], "rb") as file:
    image = torch.frombuffer(bytearray(file.read()), dtype=torch.float32).reshape(1, *job["shape"])
fill = torch.tensor(job["fill"]).reshape(-1, 1, 1)
patch = job["patch"]


def infer(positions):
    images = image.repeat(job["batch"], 1, 1, 1)
    for i, (left, top) in enumerate(positions):
        images[i, :, top : top + patch, left : left + patch] = fill
    return torch.softmax(network(images), dim=1)


answer = {"version": f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}", "seconds": []}
with torch.inference_mode():
    infer([])  # warms up
    for at in range(0, len(job["positions"]), job["batch"]):
        start = time.perf_counter()
        infer(job["positions"][at : at + job["batch"]])
        answer["seconds"].append((time.perf_counter() - start) / job["batch"])
print(json.dumps(answer))
