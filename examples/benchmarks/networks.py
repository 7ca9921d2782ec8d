"""The networks that are measured: torchvision's architectures with random weights.

    python3 networks.py DIR NAME...      writes DIR/NAME.onnx for each

A heat map takes as long with random weights as with trained ones, so nothing is downloaded. The weights come from a seed and keep
the size of the values from layer to layer (He et al. 2015).
"""
import inspect
import os
import sys

import torch
import torchvision

SIDES = {"inception_v3": 299}  # of the input, in pixels; 224 where it is not said
OPTIONS = {
    "inception_v3": {"aux_logits": False, "init_weights": False},
    "googlenet": {"aux_logits": False, "init_weights": False},
}


def build(name):
    """Makes a network for inference: (N, 3, side, side) to (N, 1000) logits."""
    torch.manual_seed(0)
    network = getattr(torchvision.models, name)(weights=None, **OPTIONS.get(name, {})).eval()
    last = None
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
                layer.weight.normal_(0, (2 / layer.weight[0].numel()) ** 0.5)
                if layer.bias is not None:
                    layer.bias.zero_()
                last = layer
        # Logits a few units apart: no class gets all, or next to nothing.
        logits = network(torch.rand(1, 3, side(name), side(name)))
        last.weight /= logits.std()
    return network


def side(name):
    return SIDES.get(name, 224)


def export(name, path):
    # Later versions of PyTorch have another exporter, which needs packages of its own, and take that if nothing is said.
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        build(name), torch.zeros(1, 3, side(name), side(name)), path, opset_version=13,
        input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, **options,
    )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name in sys.argv[2:]:
        path = os.path.join(folder, name + ".onnx")
        if os.path.exists(path):
            print(path, "is there already")
        else:
            export(name, path)
            print(path)
