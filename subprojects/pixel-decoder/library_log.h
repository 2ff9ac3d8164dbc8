/*
 * library_log - what DCMTK's libraries say while they decode: nothing is printed, and the first warning is kept.
 *
 * IJG's decoder and DCMTK's codecs go on after damage, with pixels that they made up, and only warn of it.
 */
#ifndef LIBRARY_LOG_H
#define LIBRARY_LOG_H

#include <string>

/* Once, at the program's start. */
void library_log_begin();

/* The first warning or error since the last call; "" if there was none. */
std::string library_log_take();

#endif
