"""Draws chest slices: grey 224x224 pictures in the manner of a computed tomography, with at most one finding.

Nothing here is a patient. A slice is geometry and noise: an ellipse for the body, a ring of ribs, a vertebra, a heart, and
two lungs full of branching vessels. Into one of the lungs goes one of four findings, small enough for a patch of 16
pixels to hide and told apart only by what happens inside a few pixels:

    nodule        a solid round spot
    cavity        the same outline, hollow: a wall around air
    spiculated    a small core with rays
    ground glass  a haze that leaves the vessels visible

A picture with none of them is "clear". Everything is a function of a numpy Generator, so a seed is a picture.

Coordinates are pixels of the finished picture, x to the right and y down. Shapes are fields: positive inside, negative
outside, and near the outline about the distance to it in pixels, so that clip(field + 0.5) is an antialiased mask,
min() an intersection and max() a union.
"""

import math

import numpy as np
from PIL import Image, ImageDraw

SIZE = 224
CLASSES = ["clear", "nodule", "cavity", "spiculated", "ground glass"]

# Grey levels of the tissues, chosen like a radiologist's lung window: air black, lungs dark, soft parts light, bone white.
AIR, LUNG, FAT, MUSCLE, BLOOD, BONE = 6, 42, 96, 150, 172, 226

Y, X = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)


def mask(field, softness=1.0):
    """Turns a field into coverage, 0 to 1, over an edge of the given width in pixels."""
    return np.clip(field / softness + 0.5, 0, 1)


def paint(canvas, coverage, grey):
    """Lays a grey level (or an array of them) over the canvas where coverage is 1, mixing in between."""
    canvas += coverage * (grey - canvas)


def ellipse(cx, cy, a, b, angle=0.0, wobble=0.0, rng=None):
    """The field of an ellipse, its outline disturbed by a few slow waves of relative height wobble."""
    c, s = math.cos(angle), math.sin(angle)
    u, v = ((X - cx) * c + (Y - cy) * s) / a, ((Y - cy) * c - (X - cx) * s) / b
    r = np.sqrt(u * u + v * v) + 1e-6
    edge = 1.0
    if wobble:
        theta = np.arctan2(v, u)
        for k in (2, 3, 4, 5):
            edge = edge + wobble / k * rng.normal() * np.cos(k * theta + rng.uniform(0, 2 * math.pi))
    # Dividing by the gradient's length keeps the field close to a distance on long, thin ellipses too.
    slope = np.sqrt((u / a) ** 2 + (v / b) ** 2) / r + 1e-6
    return (edge - r) / slope


def join(f, g, k):
    """The union of two fields with its inner corners rounded at a radius of about k pixels."""
    h = np.clip(k - abs(f - g), 0, None)
    return np.maximum(f, g) + h * h / (4 * k)


def clouds(rng, cell, octaves=3):
    """Smooth noise of about unit deviation, its largest features cell pixels across."""
    total, weight = np.zeros((SIZE, SIZE), np.float32), 0.0
    for octave in range(octaves):
        n = max(2, int(SIZE * 2**octave / cell) + 2)
        grid = Image.fromarray(rng.normal(size=(n, n)).astype(np.float32), "F")
        total += np.asarray(grid.resize((SIZE, SIZE), Image.BICUBIC)) * 0.6**octave
        weight += 0.36**octave
    return total / math.sqrt(weight) / 0.7


def vessels(rng, roots):
    """Branching trees that grow from the roots, (x, y, direction): coverage, 0 to 1, thinning and fading outwards."""
    fine = 4  # drawn this much larger, then shrunk: lines of a fraction of a pixel
    sheet = Image.new("L", (SIZE * fine, SIZE * fine), 0)
    pen = ImageDraw.Draw(sheet)
    live = [(x, y, d + rng.normal(0, 0.25), rng.uniform(2.2, 3.6), 255) for x, y, d in roots]
    while live:
        x, y, d, width, shade = live.pop()
        for _ in range(int(rng.uniform(4, 9))):
            nx, ny = x + 2.2 * math.cos(d), y + 2.2 * math.sin(d)
            pen.line([x * fine, y * fine, nx * fine, ny * fine], fill=int(shade), width=max(2, round(width * fine)))
            r = width * fine / 2
            pen.ellipse([nx * fine - r, ny * fine - r, nx * fine + r, ny * fine + r], fill=int(shade))
            x, y, d, width = nx, ny, d + rng.normal(0, 0.13), width * 0.975
        if width < 0.55 or not (0 < x < SIZE and 0 < y < SIZE):
            continue
        turn = rng.uniform(0.25, 0.6)
        for side in (-1, 1):
            if rng.random() < 0.88:
                live.append((x, y, d + side * turn, width * rng.uniform(0.62, 0.82), shade * rng.uniform(0.8, 1.0)))
    for _ in range(rng.integers(25, 60)):  # vessels that cross the slice show as dots
        x, y, r = rng.uniform(10, 214), rng.uniform(30, 190), rng.uniform(0.4, 1.5)
        box = [(x - r) * fine, (y - r) * fine, (x + r) * fine, (y + r) * fine]
        pen.ellipse(box, fill=int(rng.uniform(110, 255)))
    return np.asarray(sheet.resize((SIZE, SIZE), Image.BOX), np.float32) / 255


def chest(rng):
    """A healthy slice: (picture, lungs), the picture in grey levels 0 to 255 and lungs the field of both lungs."""
    cx, cy = 112 + rng.uniform(-3, 3), 107 + rng.uniform(-4, 4)
    a, b = rng.uniform(99, 107), rng.uniform(80, 90)
    tilt = rng.normal(0, 0.02)
    body = ellipse(cx, cy, a, b, tilt, 0.015, rng)
    wall = rng.uniform(15, 18)
    cage = ellipse(cx, cy - 1, a - wall, b - wall, tilt, 0.012, rng)

    spine_y = cy + b - wall - rng.uniform(13, 17)
    heart_x, heart_y = cx + rng.uniform(8, 20), cy - rng.uniform(12, 22)
    heart = ellipse(heart_x, heart_y, rng.uniform(27, 36), rng.uniform(21, 28), rng.uniform(0.1, 0.6), 0.04, rng)
    middle = ellipse(cx, cy, rng.uniform(10, 14), b, 0, 0.05, rng)
    vertebra = ellipse(cx, spine_y, rng.uniform(14, 17), rng.uniform(11, 13), 0, 0.02, rng)
    aorta_x, aorta_y = cx + rng.uniform(12, 16), spine_y - rng.uniform(15, 19)
    aorta = ellipse(aorta_x, aorta_y, 7.5, 7.5, 0, 0.03, rng)
    mediastinum = middle
    for organ, rim in ((heart, 0), (vertebra, 3), (aorta, 2)):
        mediastinum = join(mediastinum, organ + rim, 9)
    lungs = np.minimum(cage, -mediastinum)

    canvas = np.full((SIZE, SIZE), float(AIR), np.float32)
    table = ellipse(cx, cy + b - 150, 190, 158)
    paint(canvas, mask(1.2 - abs(table)), 70)
    paint(canvas, mask(body), FAT + 5 * clouds(rng, 24))
    paint(canvas, mask(1.0 - abs(body - 1.0)), 132)  # skin
    muscle = np.minimum(body - rng.uniform(5, 7) - 1.6 * clouds(rng, 40, 2), 4 - cage)
    paint(canvas, mask(muscle, 1.5), MUSCLE + 7 * clouds(rng, 10))
    paint(canvas, mask(cage), MUSCLE - 6 + 5 * clouds(rng, 16))
    paint(canvas, mask(heart - 2, 2), BLOOD + 6 * clouds(rng, 18))
    paint(canvas, mask(aorta, 1.5), BLOOD + 14)

    air = LUNG + 4 * clouds(rng, 30) + 0.12 * (Y - cy)  # blood sinks: the back of the lung is a little denser
    tree = []
    for side in (-1, 1):
        hilum = (cx + side * rng.uniform(20, 26), cy + rng.uniform(0, 14))
        for spread in (-1.15, -0.55, 0.0, 0.5, 1.0):
            direction = spread + rng.normal(0, 0.12)
            tree.append((*hilum, direction if side > 0 else math.pi - direction))
    paint(air, vessels(rng, tree), rng.uniform(118, 140))
    paint(canvas, mask(lungs, 1.3), air)

    for side in (-1, 1):  # the main bronchi: a wall around air, far smaller than a cavity
        x, y = cx + side * rng.uniform(9, 24), cy + rng.uniform(2, 12)
        tube = ellipse(x, y, rng.uniform(2.2, 3.8), rng.uniform(2.2, 3.8), rng.uniform(0, 3))
        paint(canvas, mask(tube + 1.6), MUSCLE)
        paint(canvas, mask(tube), 22)

    paint(canvas, mask(vertebra), BONE - 8)
    paint(canvas, mask(vertebra - 2.2, 1.5), BONE - 42 + 14 * clouds(rng, 7))
    canal = ellipse(cx, spine_y + 18, 6.5, 5.5)
    paint(canvas, mask(canal + 4), BONE - 14)
    paint(canvas, mask(canal), 122)
    for side in (-1, 1):
        paint(canvas, mask(ellipse(cx + side * 16, spine_y + 15, 11, 2.6, side * 0.35)), BONE - 12)
    paint(canvas, mask(ellipse(cx, cy - b + wall * 0.62, 13, 3.6)), BONE - 10)  # breastbone
    turn = rng.uniform(-0.12, 0.12)
    for side in (-1, 1):
        for k in range(5):  # ribs lie in the wall, along it
            phi = -1.08 + 0.52 * k + turn * side + rng.normal(0, 0.05)
            ra, rb = a - wall * 0.62, b - wall * 0.62
            x, y = cx + side * ra * math.cos(phi), cy + rb * math.sin(phi)
            along = math.atan2(rb * math.cos(phi), -side * ra * math.sin(phi))
            rib = ellipse(x, y, rng.uniform(8, 13), rng.uniform(2.5, 3.3), along)
            paint(canvas, mask(rib), BONE)
            paint(canvas, mask(rib - 1.3), BONE - 36)
    return canvas, lungs


def place(rng, lungs, radius):
    """A centre at which a finding of the given radius lies wholly in a lung."""
    ys, xs = np.nonzero(lungs > radius + 1)
    if len(xs) == 0:
        return None
    i = rng.integers(len(xs))
    return xs[i] + rng.uniform(-0.5, 0.5), ys[i] + rng.uniform(-0.5, 0.5)


def add_finding(rng, canvas, lungs, kind):
    """Draws a finding of the given kind into a lung and returns its true box, (x, y, w, h)."""
    low, high = {"nodule": (6.5, 10), "cavity": (7.5, 11), "spiculated": (9, 12.5), "ground glass": (9.5, 12.5)}[kind]
    centre = None
    while centre is None:
        radius = rng.uniform(low, high)
        centre = place(rng, lungs, radius)
    x, y = centre
    a, b = radius, radius * rng.uniform(0.86, 1.0)
    if rng.random() < 0.5:
        a, b = b, a
    grey = rng.uniform(126, 168)
    flesh = grey + 6 * clouds(rng, 8)
    if kind == "nodule":
        field = ellipse(x, y, a, b, 0, 0.04, rng)
        paint(canvas, mask(field, 1.6), flesh)
    elif kind == "cavity":
        field = ellipse(x, y, a, b, 0, 0.04, rng)
        paint(canvas, mask(field, 1.4), flesh + 8)
        paint(canvas, mask(field - rng.uniform(2.4, 3.4), 1.4), rng.uniform(20, 36))
    elif kind == "spiculated":
        core = ellipse(x, y, a * 0.52, b * 0.52, 0, 0.12, rng)
        rays = int(rng.integers(11, 17))
        theta, r = np.arctan2(Y - y, X - x), np.hypot(X - x, Y - y)
        field = core
        for k in range(rays):
            phi = 2 * math.pi * (k + rng.uniform(-0.25, 0.25)) / rays
            off = np.angle(np.exp(1j * (theta - phi)))
            reach = radius * (rng.uniform(0.65, 1.0) if k % 4 else 1.0)
            # A ray is a wedge that ends in a point.
            half = 1.5 * np.clip(1 - r / reach, 0, 1) + 0.3
            ray = np.minimum(half - abs(off) * r, reach - r)
            field = np.maximum(field, np.where(abs(off) < 1.2, ray, -9))
        paint(canvas, mask(field, 1.3), flesh + 6)
    else:
        field = ellipse(x, y, a, b, 0, 0.10, rng)
        haze = mask(field, 7) * np.clip(0.92 + 0.16 * clouds(rng, 6), 0, 1)
        canvas += haze * rng.uniform(44, 60)
    ys, xs = np.nonzero(field > 0)
    return int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1


def develop(rng, canvas):
    """The detector's part: a little blur, grain in two sizes, exposure; (SIZE, SIZE) uint8."""
    exposed = canvas * rng.uniform(0.95, 1.05) + rng.uniform(-3, 3)
    grain = 2.2 * clouds(rng, 3, 1) + rng.normal(0, 2.6, canvas.shape)
    return np.clip(np.rint(exposed + grain), 0, 255).astype(np.uint8)


def undeveloped(seed, kind=None):
    """The slice of a seed before exposure: (generator, canvas, lungs, kind), to which a finding may be added."""
    rng = np.random.default_rng(seed)
    kind = CLASSES[rng.integers(len(CLASSES))] if kind is None else kind
    canvas, lungs = chest(rng)
    if rng.random() < 0.5:  # the heart is on either side: nothing may be learned from it
        canvas, lungs = np.ascontiguousarray(canvas[:, ::-1]), np.ascontiguousarray(lungs[:, ::-1])
    return rng, canvas, lungs, kind


def sample(seed, kind=None):
    """The picture of a seed: (uint8 array (SIZE, SIZE), class number, true box or None)."""
    rng, canvas, lungs, kind = undeveloped(seed, kind)
    box = add_finding(rng, canvas, lungs, kind) if kind != "clear" else None
    return develop(rng, canvas), CLASSES.index(kind), box


def lungs_of(seed, kind):
    """The field of the lungs in the picture of a seed."""
    return undeveloped(seed, kind)[2]
