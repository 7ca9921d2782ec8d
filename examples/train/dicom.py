"""Writes ../images/chest.dcm: two of the drawn slices as a scanner would have stored
them, 12 bits for a pixel, in Hounsfield units, with a window. Frame 1 is clear.png,
frame 2 spiculated.png, the same chest with a finding.

    cd examples/train && python3 dicom.py

Needs pydicom (2.3.1 was used), NumPy and Pillow, and none of the other scripts.
"""
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian

CENTER, WIDTH, INTERCEPT = -250, 1500, -1100

frames = []
for name in "clear.png", "spiculated.png":
    gray = np.asarray(Image.open(f"../images/{name}").convert("L")) / 255
    # The inverse of DICOM's LINEAR window.
    units = (gray - 0.5) * (WIDTH - 1) + CENTER - 0.5
    frames.append(np.round(units - INTERCEPT).astype("<u2"))

ds = Dataset()
ds.is_little_endian, ds.is_implicit_VR = True, False
ds.preamble = b"\0" * 128
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"  # multi-frame secondary capture
ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "2.25.224"
ds.PatientName, ds.PatientID, ds.Modality = "Drawn^Nobody", "0", "OT"
ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.NumberOfFrames = 1, "MONOCHROME2", len(frames)
ds.Rows, ds.Columns = frames[0].shape
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
ds.WindowCenter, ds.WindowWidth = CENTER, WIDTH
ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, INTERCEPT, "HU"
ds.PixelData = np.stack(frames).tobytes()
dcmwrite("../images/chest.dcm", ds, write_like_original=False)
