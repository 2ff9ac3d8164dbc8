/*
 * dicom_json - a data set in the DICOM JSON Model (PS3.18 Annex F).
 *
 *   {"00080052":{"vr":"CS","Value":["STUDY"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"DOE^JANE"}]}}
 *
 * One object, on one line, written straight into a text: no tree is built. Texts are UTF-8, and (0008,0005), if it is
 * there, says so; numbers are numbers, also in DS and IS where JSON can write them as they are; bytes are InlineBinary.
 */
#ifndef REPORT_DICOM_JSON_H
#define REPORT_DICOM_JSON_H

struct charset;
struct dicomnet_identifier;
struct text;

/* Append the data set. */
void dicom_json_put(struct text *text, const struct dicomnet_identifier *identifier, struct charset *charset);

#endif
