/* insist - what must hold in a test that is no unit test, or in its support. It is checked in builds without asserts
 * too. */
#ifndef SUPPORT_INSIST_H
#define SUPPORT_INSIST_H

#include <stdio.h>
#include <stdlib.h>

#define INSIST(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
