/* decoder_main - the program dicom-decoder: answers the requests that come through its standard input. */
#ifndef DECODER_MAIN_H
#define DECODER_MAIN_H

#ifdef __cplusplus
extern "C" {
#endif

/* Answer until the socket is closed (0), or until something that is no request comes (1). */
int decoder_main(void);

#ifdef __cplusplus
}
#endif

#endif
