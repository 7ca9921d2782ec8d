"""Makes what the comparison on a GPU reads: networks as ONNX files, and an image for each of their sizes.

    python3 prepare.py DIR NAME...      writes DIR/NAME.onnx, DIR/SIDE.png and DIR/networks.json, a process for each network
        --side N                        makes all of them for images of N x N, so that a rehearsal takes no time

networks.py, which makes the networks, lies beside this file or one folder up.
"""
import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.dirname(here)]


def prepare(name, folder, side):
    """Writes one network; gives the side of its image and how long that took."""
    import torch  # by each process for itself: a fork of one that has used threads may hang

    import networks

    torch.set_num_threads(1)
    if side:
        networks.SIDES[name] = side
    path = os.path.join(folder, name + ".onnx")
    start = time.perf_counter()
    if not os.path.exists(path):
        networks.export(name, path + ".part")
        os.replace(path + ".part", path)
    return networks.side(name), time.perf_counter() - start


def picture(side, path):
    """Draws waves, and a little noise, which every network finds something in."""
    import numpy
    from PIL import Image

    y, x, channel = numpy.mgrid[:side, :side, :3].astype(numpy.float64)
    waves = 127.5 + 60 * numpy.sin(x / 17 + y / 29 + 2 * channel) + 40 * numpy.sin(x * y / 211 - 2 * channel)
    noise = numpy.random.default_rng(1).normal(0, 6, waves.shape)
    Image.fromarray((waves + noise).clip(0, 255).astype(numpy.uint8)).save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("names", nargs="+")
    parser.add_argument("--side", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    made, failed = {}, 0
    with ProcessPoolExecutor(args.processes) as pool:
        waiting = {name: pool.submit(prepare, name, args.folder, args.side) for name in args.names}
        for name, result in waiting.items():
            try:
                made[name], seconds = result.result()
                print(f"{name}, {made[name]} x {made[name]}: {seconds:.1f} s", flush=True)
            except Exception as error:  # the others are wanted all the same
                failed += 1
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    for side in set(made.values()):
        picture(side, os.path.join(args.folder, f"{side}.png"))
    with open(os.path.join(args.folder, "networks.json"), "w") as file:
        json.dump(made, file)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
