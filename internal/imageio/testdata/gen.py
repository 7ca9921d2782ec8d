"""Writes the pictures in read/ with what Pillow sees in them (NAME.npy), and
fit.npys with what Pillow and torchvision make of resizing.

    cd internal/imageio/testdata && python3 gen.py

Written with Pillow 9.4.0 (libjpeg-turbo 2.1.5), NumPy 1.24.2 and torchvision
0.14.1; another libjpeg may give other bytes.
"""
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps
from torchvision import transforms

W, H = 23, 17


def scene(w=W, h=H):
    """A colourful picture: gradients, a hard-edged block, a disc."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    rgb = np.stack([x / w, y / h, 1 - x / w], -1) * 220 + 15
    rgb[2:7, 3:9] = (230, 30, 40)
    rgb[(x - 16) ** 2 + (y - 10) ** 2 < 18] = (20, 180, 250)
    return Image.fromarray(rgb.astype("u1"))


def over(im, background):
    """The picture on a background, as RGB."""
    im = im.convert("RGBA")
    paper = Image.new("RGBA", im.size, (background,) * 3 + (255,))
    return Image.alpha_composite(paper, im).convert("RGB")


def expect(name, seen):
    a = np.asarray(seen)
    np.save(f"read/{name}.npy", a if a.dtype == np.float32 else a.astype("u1"))


def save(name, im, seen=None, **options):
    """Saves a picture, with what Pillow reads again unless told otherwise."""
    im.save(f"read/{name}", **options)
    if seen is None:
        seen = ImageOps.exif_transpose(Image.open(f"read/{name}"))
        if seen.mode == "1":
            seen = seen.convert("L")
        if seen.mode not in ("L", "RGB"):
            seen = seen.convert("RGB")
    expect(name, seen)


def png16(name, samples, colour_type):
    """Pillow writes no deep colour, so this does."""
    h, w = samples.shape[:2]
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    with open(f"read/{name}", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, colour_type, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pictures():
    rgb = scene()
    gray = rgb.convert("L")
    y, x = np.mgrid[0:H, 0:W]
    alpha = Image.fromarray(((x * 29 + y * 11) % 256).astype("u1"))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    la = gray.copy()
    la.putalpha(alpha)
    deep = (np.asarray(gray).astype("u2") * 257 + (x * 31 % 100)).astype("u2")
    deep_rgb = np.asarray(rgb).astype("u2") * 257 - 9
    exif = lambda n: {"exif": (lambda e: (e.__setitem__(0x0112, n), e)[1])(Image.Exif())}

    # PNG
    save("gray.png", gray)
    save("bits.png", gray.convert("1"))
    save("rgb.png", rgb)
    save("palette.png", rgb.quantize(16))
    save("rgba.png", rgba, over(rgba, 255))
    save("gray-alpha.png", la, over(la, 255))
    save("palette-alpha.png", rgb.quantize(8), over(Image.new("RGB", (W, H)), 255), transparency=bytes([0, 60, 128, 250]))
    expect("palette-alpha.png", over(Image.open("read/palette-alpha.png"), 255))
    save("exif6.png", rgb, **exif(6))
    png16("gray16.png", deep, 0)
    expect("gray16.png", deep.astype("f4") / np.float32(257))
    png16("rgb16.png", deep_rgb, 2)
    expect("rgb16.png", (deep_rgb / 257).astype("f4"))
    a16 = np.asarray(alpha).astype("u2") * 257
    png16("rgba16.png", np.dstack([deep_rgb, a16]), 6)
    a = (a16 / 65535.0)[..., None]
    expect("rgba16.png", (deep_rgb / 257 * a + 255 * (1 - a)).astype("f4"))

    # JPEG
    save("gray.jpg", gray, quality=90)
    save("rgb444.jpg", rgb, quality=90, subsampling=0)
    save("rgb422.jpg", rgb, quality=90, subsampling=1)
    save("rgb420.jpg", rgb, quality=90, subsampling=2)
    save("progressive.jpg", rgb, quality=90, progressive=True)
    save("narrow.jpg", rgb.crop((0, 0, 3, 17)), quality=95)
    cmyk = Image.merge("CMYK", [gray.point(lambda v: 255 - v), *rgb.split()[:2], alpha.point(lambda v: v // 4)])
    save("cmyk.jpg", cmyk, quality=95)
    # The same bytes declared as YCCK: the marker's last byte is the transform.
    data = open("read/cmyk.jpg", "rb").read()
    at = data.index(b"Adobe") + 11
    with open("read/ycck.jpg", "wb") as f:
        f.write(data[:at] + b"\x02" + data[at + 1 :])
    expect("ycck.jpg", Image.open("read/ycck.jpg").convert("RGB"))
    for n in range(1, 9):
        save(f"exif{n}.jpg", rgb, quality=85, **exif(n))

    # GIF: what Pillow shows of the first frame, transparent parts on white
    two = rgb.quantize(16)
    save("frames.gif", two, save_all=True, append_images=[gray.quantize(8)])
    save("transparent.gif", rgb.quantize(8), Image.new("RGB", (W, H)), transparency=2)
    expect("transparent.gif", over(Image.open("read/transparent.gif"), 255))
    # A frame that covers a part of the screen: the screen's size is at byte 6.
    buf = io.BytesIO()
    rgb.quantize(8).save(buf, "GIF")
    part = bytearray(buf.getvalue())
    at = part.index(b",\0\0\0\0" + struct.pack("<HH", W, H))
    part[6:10] = struct.pack("<HH", W + 6, H + 5)
    part[at + 1 : at + 5] = struct.pack("<HH", 4, 3)
    open("read/part.gif", "wb").write(part)
    screen = Image.new("RGB", (W + 6, H + 5), "white")
    screen.paste(Image.open(buf).convert("RGB"), (4, 3))
    expect("part.gif", screen)

    # BMP, TIFF, WebP
    save("rgb.bmp", rgb)
    save("gray.bmp", gray, Image.merge("RGB", [gray] * 3))
    save("palette.bmp", rgb.quantize(16))
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        save(f"{compression}.tif", rgb, compression=compression)
    save("gray.tif", gray)
    save("group4.tif", gray.convert("1"), compression="group4")
    save("palette.tif", rgb.quantize(16))
    save("rgba.tif", rgba, over(rgba, 255), tiffinfo={338: 2})
    Image.fromarray(deep).save("read/gray16.tif")
    expect("gray16.tif", deep.astype("f4") / np.float32(257))
    save("exif8.tif", rgb, rgb.transpose(Image.Transpose.ROTATE_90), tiffinfo={0x0112: 8})
    save("lossless.webp", rgb, lossless=True)
    save("lossless-alpha.webp", rgba, over(rgba, 255), lossless=True, exact=True)
    save("lossy.webp", rgb, quality=90)
    save("lossy-alpha.webp", rgba, quality=90)
    expect("lossy-alpha.webp", over(Image.open("read/lossy-alpha.webp"), 255))
    save("exif3.webp", rgb, lossless=True, **exif(3))


def pattern(w, h, c):
    """The inputs of the resizes; fit_test.go has the same formula."""
    y, x, k = np.mgrid[0:h, 0:w, 0:c]
    a = (x * x * 3 + y * y * 5 + x * y * 7 + k * 83) % 256
    a[(x // 5 + y // 4) % 3 == 0] = 255
    return a.astype("u1")


def resized(im, mode, w, h, how=Image.Resampling.BILINEAR):
    if mode == 0:
        return im.resize((w, h), how)
    if mode == 2:
        return ImageOps.pad(im, (w, h), how, color=0)
    if w == h and how == Image.Resampling.BILINEAR:
        return transforms.CenterCrop(w)(transforms.Resize(w)(im))
    s = max(w / im.width, h / im.height)
    big = (w, int(w * im.height / im.width)) if s == w / im.width else (int(h * im.width / im.height), h)
    return transforms.CenterCrop((h, w))(im.resize(big, how))


def fits():
    """For each case [w, h, c, width, height, mode, to gray, kind, ...] and what
    comes out. Kinds: 0 8-bit, 1 float, 2 mask, 3 blur by 0.001 width."""
    with open("fit.npys", "wb") as f:
        def case(*args):
            w, h, c, width, height, mode, gray, kind = args
            a = pattern(w, h, c)
            if kind == 0:
                im = Image.fromarray(a.squeeze(-1) if c == 1 else a)
                if gray:
                    im = im.convert("L")
                out = np.asarray(resized(im, mode, width, height))
            elif kind == 1:
                planes = [Image.fromarray(a[..., k].astype("f4") * np.float32(1.37) - 40) for k in range(c)]
                out = np.dstack([np.asarray(resized(p, mode, width, height)) for p in planes])
            elif kind == 2:
                im = Image.fromarray((a[..., 0] < 100).astype("u1") * 255)
                out = np.asarray(resized(im, mode, width, height, Image.Resampling.NEAREST))
            else:
                out = blur(a, width / 1000)
            np.save(f, np.array(args, "i4"))
            np.save(f, out)

        for mode in (0, 1, 2):
            for w, h, c, width, height in [
                (40, 30, 3, 16, 16), (29, 37, 3, 16, 12), (29, 37, 1, 12, 31), (9, 7, 3, 20, 20), (300, 201, 1, 24, 24),
                (101, 33, 3, 14, 15), (16, 16, 3, 16, 16), (20, 40, 1, 20, 10), (2, 3, 3, 9, 7), (1, 1, 1, 5, 4),
                (33, 64, 1, 33, 17), (63, 31, 1, 64, 32), (515, 340, 1, 31, 31),
            ]:
                case(w, h, c, width, height, mode, 0, 0)
            case(41, 30, 3, 18, 17, mode, 1, 0)
            case(40, 30, 3, 17, 13, mode, 0, 1)
            case(10, 14, 1, 23, 19, mode, 0, 1)
        for mode in (0, 1, 2):
            for w, h, width, height in [(40, 30, 17, 16), (9, 7, 20, 20), (31, 64, 33, 20), (24, 24, 24, 24)]:
                case(w, h, 1, width, height, mode, 0, 2)
        for w, h, c, thousandths in [(20, 13, 3, 1500), (20, 13, 1, 300), (9, 6, 1, 7000), (5, 1, 1, 30000)]:
            case(w, h, c, thousandths, 0, 0, 0, 3)


def blur(a, sigma):
    r = int(4 * sigma + 0.5)
    k = np.exp(-0.5 * (np.arange(-r, r + 1) / sigma) ** 2)
    k /= k.sum()
    a = a.astype(float)
    for axis in (1, 0):
        pad = [(0, 0)] * 3
        pad[axis] = (r, r)
        p = np.pad(a, pad, mode="symmetric")
        a = np.apply_along_axis(lambda line: np.convolve(line, k, "valid"), axis, p)
    return a.astype("f4")


pictures()
fits()
