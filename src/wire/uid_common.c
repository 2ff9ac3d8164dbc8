/*
 * uid_common - the storage classes to propose when it is not known what will come: see dicomnet_uid_common_storage in
 * dicomnet/uid.h.
 *
 * First what hospitals have most of, then the less common ones, in the end the rest of the classes for images,
 * documents and waveforms. Left out are classes that are not sent to archives (templates, protocols, delivery
 * instructions) or not by hospitals.
 */
#include "dicomnet/uid.h"

#define STORAGE "1.2.840.10008.5.1.4.1.1."

/* clang-format off */
const char *const dicomnet_uid_common_storage[DICOMNET_UID_COMMON_STORAGE_COUNT] = {
    STORAGE "2",             /* CTImageStorage */
    STORAGE "4",             /* MRImageStorage */
    STORAGE "1",             /* ComputedRadiographyImageStorage */
    STORAGE "1.1",           /* DigitalXRayImageStorageForPresentation */
    STORAGE "6.1",           /* UltrasoundImageStorage */
    STORAGE "3.1",           /* UltrasoundMultiFrameImageStorage */
    STORAGE "7",             /* SecondaryCaptureImageStorage */
    STORAGE "1.2",           /* DigitalMammographyXRayImageStorageForPresentation */
    STORAGE "13.1.3",        /* BreastTomosynthesisImageStorage */
    STORAGE "128",           /* PositronEmissionTomographyImageStorage */
    STORAGE "20",            /* NuclearMedicineImageStorage */
    STORAGE "12.1",          /* XRayAngiographicImageStorage */
    STORAGE "12.2",          /* XRayRadiofluoroscopicImageStorage */
    STORAGE "88.59",         /* KeyObjectSelectionDocumentStorage */
    STORAGE "11.1",          /* GrayscaleSoftcopyPresentationStateStorage */
    STORAGE "88.11",         /* BasicTextSRStorage */
    STORAGE "88.22",         /* EnhancedSRStorage */
    STORAGE "88.33",         /* ComprehensiveSRStorage */
    STORAGE "88.67",         /* XRayRadiationDoseSRStorage */
    STORAGE "104.1",         /* EncapsulatedPDFStorage */
    STORAGE "2.1",           /* EnhancedCTImageStorage */
    STORAGE "4.1",           /* EnhancedMRImageStorage */
    STORAGE "481.1",         /* RTImageStorage */
    STORAGE "481.2",         /* RTDoseStorage */
    STORAGE "481.3",         /* RTStructureSetStorage */
    STORAGE "481.5",         /* RTPlanStorage */
    STORAGE "66.4",          /* SegmentationStorage */
    STORAGE "66",            /* RawDataStorage */
    STORAGE "7.4",           /* MultiFrameTrueColorSecondaryCaptureImageStorage */
    STORAGE "7.2",           /* MultiFrameGrayscaleByteSecondaryCaptureImageStorage */
    STORAGE "7.3",           /* MultiFrameGrayscaleWordSecondaryCaptureImageStorage */
    STORAGE "7.1",           /* MultiFrameSingleBitSecondaryCaptureImageStorage */
    STORAGE "11.2",          /* ColorSoftcopyPresentationStateStorage */
    STORAGE "1.1.1",         /* DigitalXRayImageStorageForProcessing */
    STORAGE "1.2.1",         /* DigitalMammographyXRayImageStorageForProcessing */
    STORAGE "1.3",           /* DigitalIntraOralXRayImageStorageForPresentation */
    STORAGE "1.3.1",         /* DigitalIntraOralXRayImageStorageForProcessing */
    STORAGE "66.1",          /* SpatialRegistrationStorage */
    STORAGE "88.34",         /* Comprehensive3DSRStorage */
    STORAGE "88.50",         /* MammographyCADSRStorage */
    STORAGE "77.1.4",        /* VLPhotographicImageStorage */
    STORAGE "77.1.1",        /* VLEndoscopicImageStorage */
    STORAGE "77.1.2",        /* VLMicroscopicImageStorage */
    STORAGE "77.1.6",        /* VLWholeSlideMicroscopyImageStorage */
    STORAGE "77.1.1.1",      /* VideoEndoscopicImageStorage */
    STORAGE "77.1.4.1",      /* VideoPhotographicImageStorage */
    STORAGE "77.1.5.1",      /* OphthalmicPhotography8BitImageStorage */
    STORAGE "77.1.5.4",      /* OphthalmicTomographyImageStorage */
    STORAGE "9.1.1",         /* TwelveLeadECGWaveformStorage */
    STORAGE "9.1.2",         /* GeneralECGWaveformStorage */
    STORAGE "130",           /* EnhancedPETImageStorage */
    STORAGE "12.1.1",        /* EnhancedXAImageStorage */
    STORAGE "12.2.1",        /* EnhancedXRFImageStorage */
    STORAGE "13.1.1",        /* XRay3DAngiographicImageStorage */
    STORAGE "6.2",           /* EnhancedUSVolumeStorage */
    STORAGE "4.3",           /* EnhancedMRColorImageStorage */
    STORAGE "4.2",           /* MRSpectroscopyStorage */
    STORAGE "30",            /* ParametricMapStorage */
    STORAGE "67",            /* RealWorldValueMappingStorage */
    STORAGE "66.5",          /* SurfaceSegmentationStorage */
    STORAGE "66.3",          /* DeformableSpatialRegistrationStorage */
    STORAGE "66.2",          /* SpatialFiducialsStorage */
    STORAGE "481.4",         /* RTBeamsTreatmentRecordStorage */
    STORAGE "481.6",         /* RTBrachyTreatmentRecordStorage */
    STORAGE "481.7",         /* RTTreatmentSummaryRecordStorage */
    STORAGE "481.8",         /* RTIonPlanStorage */
    STORAGE "481.9",         /* RTIonBeamsTreatmentRecordStorage */
    STORAGE "13.1.4",        /* BreastProjectionXRayImageStorageForPresentation */
    STORAGE "13.1.5",        /* BreastProjectionXRayImageStorageForProcessing */
    STORAGE "13.1.2",        /* XRay3DCraniofacialImageStorage */
    STORAGE "104.2",         /* EncapsulatedCDAStorage */
    STORAGE "104.3",         /* EncapsulatedSTLStorage */
    STORAGE "11.3",          /* PseudoColorSoftcopyPresentationStateStorage */
    STORAGE "11.4",          /* BlendingSoftcopyPresentationStateStorage */
    STORAGE "11.5",          /* XAXRFGrayscaleSoftcopyPresentationStateStorage */
    STORAGE "88.65",         /* ChestCADSRStorage */
    STORAGE "88.69",         /* ColonCADSRStorage */
    STORAGE "88.68",         /* RadiopharmaceuticalRadiationDoseSRStorage */
    STORAGE "88.40",         /* ProcedureLogStorage */
    STORAGE "88.71",         /* AcquisitionContextSRStorage */
    STORAGE "88.72",         /* SimplifiedAdultEchoSRStorage */
    STORAGE "9.2.1",         /* HemodynamicWaveformStorage */
    STORAGE "9.1.3",         /* AmbulatoryECGWaveformStorage */
    STORAGE "9.3.1",         /* CardiacElectrophysiologyWaveformStorage */
    STORAGE "9.4.1",         /* BasicVoiceAudioWaveformStorage */
    STORAGE "77.1.5.2",      /* OphthalmicPhotography16BitImageStorage */
    STORAGE "77.1.3",        /* VLSlideCoordinatesMicroscopicImageStorage */
    STORAGE "77.1.2.1",      /* VideoMicroscopicImageStorage */
    STORAGE "6",             /* UltrasoundImageStorageRetired */
    STORAGE "3",             /* UltrasoundMultiFrameImageStorageRetired */
    STORAGE "5",             /* NuclearMedicineImageStorageRetired */
    STORAGE "104.4",         /* EncapsulatedOBJStorage */
    STORAGE "11.10",         /* SegmentedVolumeRenderingVolumetricPresentationStateStorage */
    STORAGE "11.11",         /* MultipleVolumeRenderingVolumetricPresentationStateStorage */
    STORAGE "11.6",          /* GrayscalePlanarMPRVolumetricPresentationStateStorage */
    STORAGE "11.7",          /* CompositingPlanarMPRVolumetricPresentationStateStorage */
    STORAGE "11.8",          /* AdvancedBlendingPresentationStateStorage */
    STORAGE "11.9",          /* VolumeRenderingVolumetricPresentationStateStorage */
    STORAGE "128.1",         /* LegacyConvertedEnhancedPETImageStorage */
    STORAGE "131",           /* BasicStructuredDisplayStorage */
    STORAGE "14.1",          /* IntravascularOpticalCoherenceTomographyImageStorageForPresentation */
    STORAGE "14.2",          /* IntravascularOpticalCoherenceTomographyImageStorageForProcessing */
    STORAGE "2.2",           /* LegacyConvertedEnhancedCTImageStorage */
    STORAGE "4.4",           /* LegacyConvertedEnhancedMRImageStorage */
    STORAGE "66.6",          /* TractographyResultsStorage */
    STORAGE "68.1",          /* SurfaceScanMeshStorage */
    STORAGE "68.2",          /* SurfaceScanPointCloudStorage */
    STORAGE "77.1.5.3",      /* StereometricRelationshipStorage */
    STORAGE "77.1.5.5",      /* WideFieldOphthalmicPhotographyStereographicProjectionImageStorage */
    STORAGE "77.1.5.6",      /* WideFieldOphthalmicPhotography3DCoordinatesImageStorage */
    STORAGE "77.1.5.7",      /* OphthalmicOpticalCoherenceTomographyEnFaceImageStorage */
    STORAGE "77.1.5.8",      /* OphthalmicOpticalCoherenceTomographyBscanVolumeAnalysisStorage */
    STORAGE "77.1.7",        /* DermoscopicPhotographyImageStorage */
    STORAGE "78.1",          /* LensometryMeasurementsStorage */
    STORAGE "78.2",          /* AutorefractionMeasurementsStorage */
    STORAGE "78.3",          /* KeratometryMeasurementsStorage */
    STORAGE "78.4",          /* SubjectiveRefractionMeasurementsStorage */
    STORAGE "78.5",          /* VisualAcuityMeasurementsStorage */
    STORAGE "78.6",          /* SpectaclePrescriptionReportStorage */
    STORAGE "78.7",          /* OphthalmicAxialMeasurementsStorage */
    STORAGE "78.8",          /* IntraocularLensCalculationsStorage */
    STORAGE "79.1",          /* MacularGridThicknessAndVolumeReportStorage */
    STORAGE "80.1",          /* OphthalmicVisualFieldStaticPerimetryMeasurementsStorage */
    STORAGE "81.1",          /* OphthalmicThicknessMapStorage */
    STORAGE "82.1",          /* CornealTopographyMapStorage */
    STORAGE "88.35",         /* ExtensibleSRStorage */
    STORAGE "88.70",         /* ImplantationPlanSRStorage */
    STORAGE "88.73",         /* PatientRadiationDoseSRStorage */
};
/* clang-format on */
