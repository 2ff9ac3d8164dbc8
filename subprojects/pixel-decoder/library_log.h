/*
 * library_log - what DCMTK's libraries say while they decode: nothing is printed, and what it means for the pixels is
 * known.
 *
 * IJG's decoder and DCMTK's codecs go on after damage, with pixels that they made up, and only warn of it.
 */
#ifndef LIBRARY_LOG_H
#define LIBRARY_LOG_H

#include <string>

/* Once, at the program's start. */
void library_log_begin();

/* Forget what was said before. */
void library_log_clear();

/*
 * The first warning or error since then that tells of pixels that are not right; "" if there was none. Some tell of
 * headers that are not as they should be and that decide nothing: these are passed over.
 */
std::string library_log_damage();

#endif
