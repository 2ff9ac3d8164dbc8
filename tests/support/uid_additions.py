"""The rows of PS3.6 Annex A that are newer than Debian's python3-pydicom 2.3.1 (edition 2022a), up to edition 2025b.

Key and rows are of the shape of pydicom's UID_dictionary: name, type, info, retired, keyword. When Debian's package has
a row, it can go from here: make_uid_table.py says so.
"""
EDITION = '2025b'

_SYNTAX = '1.2.840.10008.1.2.'
_STORAGE = '1.2.840.10008.5.1.4.1.1.'


def _rows(kind, root, rows):
    return {root + uid: (name, kind, '', '', keyword) for uid, name, keyword in rows}


UID_ADDITIONS = {
    **_rows('Transfer Syntax', _SYNTAX, (
        ('4.100.1', 'Fragmentable MPEG2 Main Profile / Main Level', 'MPEG2MPMLF'),
        ('4.101.1', 'Fragmentable MPEG2 Main Profile / High Level', 'MPEG2MPHLF'),
        ('4.102.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1', 'MPEG4HP41F'),
        ('4.103.1', 'Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', 'MPEG4HP41BDF'),
        ('4.104.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video', 'MPEG4HP422DF'),
        ('4.105.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video', 'MPEG4HP423DF'),
        ('4.106.1', 'Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', 'MPEG4HP42STEREOF'),
        ('4.110', 'JPEG XL Lossless', 'JPEGXLLossless'),
        ('4.111', 'JPEG XL JPEG Recompression', 'JPEGXLJPEGRecompression'),
        ('4.112', 'JPEG XL', 'JPEGXL'),
        ('4.201', 'High-Throughput JPEG 2000 Image Compression (Lossless Only)', 'HTJ2KLossless'),
        ('4.202', 'High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)', 'HTJ2KLosslessRPCL'),
        ('4.203', 'High-Throughput JPEG 2000 Image Compression', 'HTJ2K'),
        ('4.204', 'JPIP HTJ2K Referenced', 'JPIPHTJ2KReferenced'),
        ('4.205', 'JPIP HTJ2K Referenced Deflate', 'JPIPHTJ2KReferencedDeflate'),
        ('8.1', 'Deflated Image Frame Compression', 'DeflatedImageFrameCompression'),
    )),
    **_rows('SOP Class', _STORAGE, (
        ('6.3', 'Photoacoustic Image Storage', 'PhotoacousticImageStorage'),
        ('9.1.4', 'General 32-bit ECG Waveform Storage', 'General32bitECGWaveformStorage'),
        ('11.12', 'Variable Modality LUT Softcopy Presentation State Storage',
         'VariableModalityLUTSoftcopyPresentationStateStorage'),
        ('66.7', 'Label Map Segmentation Storage', 'LabelMapSegmentationStorage'),
        ('66.8', 'Height Map Segmentation Storage', 'HeightMapSegmentationStorage'),
        ('77.1.8', 'Confocal Microscopy Image Storage', 'ConfocalMicroscopyImageStorage'),
        ('77.1.9', 'Confocal Microscopy Tiled Pyramidal Image Storage', 'ConfocalMicroscopyTiledPyramidalImageStorage'),
        ('88.77', 'Waveform Annotation SR Storage', 'WaveformAnnotationSRStorage'),
        ('201.1', 'Inventory Storage', 'InventoryStorage'),
        ('201.2', 'Inventory - FIND', 'InventoryFind'),
        ('201.3', 'Inventory - MOVE', 'InventoryMove'),
        ('201.4', 'Inventory - GET', 'InventoryGet'),
        ('201.5', 'Inventory Creation', 'InventoryCreation'),
        ('201.6', 'Repository Query', 'RepositoryQuery'),
        ('481.23', 'Enhanced RT Image Storage', 'EnhancedRTImageStorage'),
        ('481.24', 'Enhanced Continuous RT Image Storage', 'EnhancedContinuousRTImageStorage'),
        ('481.25', 'RT Patient Position Acquisition Instruction Storage',
         'RTPatientPositionAcquisitionInstructionStorage'),
        ('601.3', 'Thermography Image Storage', 'ThermographyImageStorage'),
        ('601.4', 'Thermography Multi-frame Image Storage', 'ThermographyMultiFrameImageStorage'),
    )),
    **_rows('Well-known SOP Instance', _STORAGE, (
        ('201.1.1', 'Storage Management SOP Instance', 'StorageManagementInstance'),
    )),
}
