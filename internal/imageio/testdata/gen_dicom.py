"""Writes the DICOM files in dicom/ with what pydicom sees in each frame
(NAME.FRAME.npy): its measurements, through the window that the file has or that
is meant (see the list at the end), brought to 0..255.

    cd internal/imageio/testdata && python3 gen_dicom.py

Written with pydicom 2.3.1, NumPy 1.24.2 and Pillow 9.4.0.
"""
import io

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_pixel_data_frame
from pydicom.filewriter import dcmwrite
from pydicom.pixel_data_handlers.util import (apply_color_lut, apply_modality_lut, apply_voi_lut, apply_windowing,
                                                    convert_color_space)
from pydicom.sequence import Sequence
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
                         ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless, generate_uid)

W, H = 19, 13
y, x = np.mgrid[0:H, 0:W].astype(float)
WAVE = np.sin(x * x / 30 + y / 3) * np.cos(y * y / 25 - x / 7) / 2 + 0.5  # 0..1


def base(bits, stored, photometric="MONOCHROME2", signed=0, samples=1, frames=1):
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.SOPInstanceUID = generate_uid(entropy_srcs=["occlude"])
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.PatientName = "Nobody"
    # A list of undefined length with a list in it: something to step over.
    inner = Dataset()
    inner.CodeValue, inner.CodeMeaning = "T-28000", "lung"
    outer = Dataset()
    outer.AnatomicRegionSequence = Sequence([inner])
    ds.RequestAttributesSequence = Sequence([outer, inner])
    ds["RequestAttributesSequence"].is_undefined_length = True
    inner.is_undefined_length_sequence_item = True
    ds.SamplesPerPixel, ds.PhotometricInterpretation = samples, photometric
    ds.Rows, ds.Columns = H, W
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, stored, stored - 1, signed
    return ds


def save(name, ds, syntax=ExplicitVRLittleEndian, naked=False):
    """naked: without preamble; a syntax of None: without meta information too."""
    ds.is_little_endian = syntax != ExplicitVRBigEndian
    ds.is_implicit_VR = syntax in (None, ImplicitVRLittleEndian)
    if syntax:
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = syntax
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.file_meta.ImplementationClassUID = "1.2.826.0.1.3680043.8.498.1"
    elif hasattr(ds, "file_meta"):
        del ds.file_meta
    ds.preamble = None if naked else b"\0" * 128
    dcmwrite(f"dicom/{name}.dcm", ds, write_like_original=naked)


def see(name, ds, values, frame=1, window=None, span=None):
    """Stores what is seen of stored values through the file's window, one that is given, or a span."""
    a = apply_modality_lut(values, ds).astype(float)
    if span is not None:
        low, high = span(a)
        a = (a - low) / (high - low) * 255
    else:
        if window is not None:
            ds = Dataset.from_json(ds.to_json())
            ds.WindowCenter, ds.WindowWidth = window
            if "VOILUTFunction" in ds:
                del ds.VOILUTFunction
        a = apply_windowing(a, ds)
        low, high = (0, 2 ** ds.BitsStored - 1)
        if ds.PixelRepresentation:
            low, high = -(2 ** (ds.BitsStored - 1)), 2 ** (ds.BitsStored - 1) - 1
        slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
        low, high = low * slope + intercept, high * slope + intercept
        a = (a - low) / (high - low) * 255
    if ds.PhotometricInterpretation == "MONOCHROME1":
        a = 255 - a
    np.save(f"dicom/{name}.{frame}.npy", a.astype("f4"))


def ints(low, high, dtype):
    return np.round(low + WAVE * (high - low)).astype(dtype)


# A slice of a CT, signed, with two windows; also through another one (name-40-80).
ct = base(16, 16, signed=1)
ct.RescaleSlope, ct.RescaleIntercept = 1, -24
ct.WindowCenter, ct.WindowWidth = [40, 300], [400, 1500]
a = ints(-1000, 1200, "<i2")
ct.PixelData = a.tobytes()
save("ct", ct)
see("ct", ct, a)
see("ct-given", ct, a, window=(40, 80))

# The same in the oldest manner, 12 bits, with padding, no window: least to greatest.
old = base(16, 12)
old.RescaleSlope, old.RescaleIntercept = 2, -1024
old.PixelPaddingValue = 4095
a = ints(5, 3000, "<u2")
padded = a.copy()
padded[:, :3] = 4095
old.PixelData = padded.tobytes()
save("implicit", old, ImplicitVRLittleEndian)
measured = apply_modality_lut(a[:, 3:], old)
see("implicit", old, np.minimum(padded, a[:, 3:].max()), span=lambda m: (measured.min(), measured.max()))
see("implicit-full", old, padded, span=lambda m: (-1024, 4095 * 2 - 1024))
save("naked", old, None, naked=True)
save("meta-only", old, ExplicitVRLittleEndian, naked=True)

# A mammogram: MONOCHROME1, a sigmoid.
mg = base(16, 14, "MONOCHROME1")
mg.WindowCenter, mg.WindowWidth, mg.VOILUTFunction = "8000.5", "5000", "SIGMOID"
a = ints(0, 16383, "<u2")
mg.PixelData = a.tobytes()
save("mammogram", mg)
see("mammogram", mg, a)

# Big endian, LINEAR_EXACT, a fraction for a slope.
be = base(16, 10)
be.RescaleSlope, be.RescaleIntercept = "0.25", "-3.5"
be.WindowCenter, be.WindowWidth, be.VOILUTFunction = 120, 200, "LINEAR_EXACT"
a = ints(0, 1023, ">u2")
be.PixelData = a.tobytes()
save("big-endian", be, ExplicitVRBigEndian)
see("big-endian", be, a)

# 8 bits without a window are grays already; deflated.
g8 = base(8, 8)
a = ints(0, 255, "u1")
g8.PixelData = a.tobytes() + b"\0" * (a.size % 2)
save("gray8", g8)
save("deflated", g8, DeflatedExplicitVRLittleEndian)
np.save("dicom/gray8.1.npy", a.astype("f4"))

# Three frames of one window.
frames = base(16, 12, frames=3)
frames.WindowCenter, frames.WindowWidth = 1800, 2500
stack = np.stack([np.roll(ints(0, 4095, "<u2"), 3 * i, 1) for i in range(3)])
frames.PixelData = stack.tobytes()
save("frames", frames)
for i in range(3):
    see("frames", frames, stack[i], i + 1)

# The enhanced kind: shared slope, a window for each frame.
enhanced = base(16, 12, frames=3)
shared, rescale = Dataset(), Dataset()
rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 1.5, -500, "HU"
shared.PixelValueTransformationSequence = Sequence([rescale])
enhanced.SharedFunctionalGroupsSequence = Sequence([shared])
groups = []
for i in range(3):
    group, voi = Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth = 500 + 700 * i, 900 + 600 * i
    group.FrameVOILUTSequence = Sequence([voi])
    groups.append(group)
enhanced.PerFrameFunctionalGroupsSequence = Sequence(groups)
enhanced["PerFrameFunctionalGroupsSequence"].is_undefined_length = True
enhanced.PixelData = stack.tobytes()
for name, syntax in ("enhanced", ExplicitVRLittleEndian), ("enhanced-implicit", ImplicitVRLittleEndian):
    save(name, enhanced, syntax)
    for i, group in enumerate(groups):
        flat = Dataset.from_json(enhanced.to_json())
        flat.update(rescale)
        flat.update(group.FrameVOILUTSequence[0])
        see(name, flat, stack[i], i + 1)

# A table in the slope's place, and one in the window's.
lut = base(16, 10)
a = ints(0, 1023, "<u2")
curve = np.round(4000 * (np.arange(900) / 899) ** 2).astype("<u2")
table = Dataset()
table.LUTDescriptor, table.ModalityLUTType = [900, 50, 16], "OD"
table.LUTData = curve.tobytes()
lut.ModalityLUTSequence = Sequence([table])
lut.WindowCenter, lut.WindowWidth = 1500, 2500
lut.PixelData = a.tobytes()
save("modality", lut)
m = apply_modality_lut(a, lut).astype(float)
np.save("dicom/modality.1.npy", (np.clip((m - 1499.5) / 2499 + 0.5, 0, 1) * 255).astype("f4"))

voi = base(16, 12)
voi.RescaleSlope, voi.RescaleIntercept = 1, 0
a = ints(0, 4095, "<u2")
table = Dataset()
table.LUTDescriptor = [3000, 500, 14]
table.LUTData = np.round(16383 * np.sin(np.linspace(0, np.pi / 2, 3000))).astype("<u2").tobytes()
voi.VOILUTSequence = Sequence([table])
voi.PixelData = a.tobytes()
save("table", voi)
np.save("dicom/table.1.npy", (apply_voi_lut(apply_modality_lut(a, voi).astype("u2"), voi) / 16383 * 255).astype("f4"))

# A palette of 200 colours, of 16 bits each.
palette = base(8, 8, "PALETTE COLOR")
a = ints(0, 255, "u1")
for i, name in enumerate(("Red", "Green", "Blue")):
    setattr(palette, f"{name}PaletteColorLookupTableDescriptor", [200, 20, 16])
    setattr(palette, f"{name}PaletteColorLookupTableData",
            np.round(32767 * (1 + np.cos(np.arange(200) / 9 + i))).astype("<u2").tobytes())
palette.PixelData = a.tobytes() + b"\0" * (a.size % 2)
save("palette", palette)
np.save("dicom/palette.1.npy", (apply_color_lut(a, palette) / 65535 * 255).astype("f4"))

# Colours: by pixel, by plane, as luma and differences.
rgb = np.stack([ints(0, 255, "u1"), ints(255, 0, "u1"), np.roll(ints(20, 200, "u1"), 4, 0)], -1)
colour = base(8, 8, "RGB", samples=3)
colour.PlanarConfiguration = 0
colour.PixelData = rgb.tobytes() + b"\0" * (rgb.size % 2)
save("rgb", colour)
np.save("dicom/rgb.1.npy", rgb.astype("f4"))
colour.PlanarConfiguration = 1
colour.PixelData = rgb.transpose(2, 0, 1).tobytes() + b"\0" * (rgb.size % 2)
save("planar", colour)
np.save("dicom/planar.1.npy", rgb.astype("f4"))
colour.PhotometricInterpretation, colour.PlanarConfiguration = "YBR_FULL", 0
colour.PixelData = rgb.tobytes() + b"\0" * (rgb.size % 2)
save("ybr", colour)
np.save("dicom/ybr.1.npy", convert_color_space(rgb, "YBR_FULL", "RGB").astype("f4"))


def jpeg(a, **options):
    f = io.BytesIO()
    Image.fromarray(a).save(f, "JPEG", quality=92, **options)
    return f.getvalue() + b"\0" * (f.tell() % 2)


def seen(stream):
    return np.asarray(Image.open(io.BytesIO(stream)))


# JPEG Baseline: gray through a window, in colour, three frames in several pieces.
j = base(8, 8)
j.WindowCenter, j.WindowWidth = 100, 120
stream = jpeg(ints(0, 255, "u1"))
j.PixelData = encapsulate([stream])
j["PixelData"].is_undefined_length = True
save("jpeg", j, JPEGBaseline8Bit)
see("jpeg", j, seen(stream))

j = base(8, 8, "YBR_FULL_422", samples=3)
j.PlanarConfiguration = 0
stream = jpeg(rgb, subsampling="4:2:2")
j.PixelData = encapsulate([stream])
j["PixelData"].is_undefined_length = True
save("jpeg-colour", j, JPEGBaseline8Bit)
np.save("dicom/jpeg-colour.1.npy", seen(stream).astype("f4"))

streams = [jpeg(np.roll(ints(0, 255, "u1"), 5 * i, 0)) for i in range(3)]
for name, table in ("jpeg-offsets", True), ("jpeg-pieces", False):
    j = base(8, 8, frames=3)
    j.PixelData = encapsulate(streams, fragments_per_frame=2, has_bot=table)
    j["PixelData"].is_undefined_length = True
    save(name, j, JPEGBaseline8Bit)
    assert [seen(f).shape for f in generate_pixel_data_frame(j.PixelData, 3)] == [(H, W)] * 3
    for i, stream in enumerate(streams):
        np.save(f"dicom/{name}.{i + 1}.npy", seen(stream).astype("f4"))

# Compressed by runs: the mammogram, colours, three frames.
for name, ds in ("rle", mg), ("rle-colour", colour):
    if name == "rle-colour":
        ds.PhotometricInterpretation, ds.PlanarConfiguration = "RGB", 0
        ds.PixelData = rgb.tobytes() + b"\0" * (rgb.size % 2)
        np.save(f"dicom/{name}.1.npy", rgb.astype("f4"))
    else:
        see(name, ds, ints(0, 16383, "<u2"))
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.compress(RLELossless)
    save(name, ds, RLELossless)
frames.is_little_endian, frames.is_implicit_VR = True, False
frames.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
frames.compress(RLELossless)
save("rle-frames", frames, RLELossless)
for i in range(3):
    see("rle-frames", frames, stack[i], i + 1)
