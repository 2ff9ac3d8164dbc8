/*
 * charset - the texts of a data set as UTF-8, by its Specific Character Set (0008,0005) (PS3.3 C.12.1.1.2).
 *
 * Single sets, UTF-8, GBK and GB18030, and code extensions (ISO 2022 escapes, PS3.5 6.1.2.5) by way of iconv. What a
 * peer sends in no set, or in another than it says, is shown as well as it can be: nothing here fails on its input.
 */
#ifndef REPORT_CHARSET_H
#define REPORT_CHARSET_H

#include "dicomnet/span.h"

struct charset;
struct text;

/* One for many data sets: it keeps what iconv needs for the sets it has met. NULL if out of memory. */
struct charset *charset_create(void);

/* NULL is fine. */
void charset_destroy(struct charset *charset);

/* From now on: the value of (0008,0005) as it stands there, "" if there is none. */
void charset_select(struct charset *charset, const char *terms);

/*
 * Append the bytes as UTF-8. Bytes that are no character become U+FFFD. Without a set, what is UTF-8 stays, and what is
 * not is taken for ISO 8859-1.
 */
void charset_put_utf8(struct charset *charset, struct text *text, struct span bytes);

#endif
