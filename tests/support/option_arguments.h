/* option_arguments - for the tests of the options: arguments as they are typed, without an argv of one's own. */
#ifndef SUPPORT_OPTION_ARGUMENTS_H
#define SUPPORT_OPTION_ARGUMENTS_H

#include "programs/options.h"

enum { OPTION_ARGUMENTS_MAX = 16 };

/* What was read before into `options` is forgotten. It has to be all zeros before the first time. */
static inline void forget_options(struct options *options)
{
    if (options->program != 0)
        options_fini(options);
}

/* Read what is typed behind the program's name; NULL ends `arguments`. See options_parse. */
static inline enum options_verdict parse_arguments(struct options *options, enum program program,
                                                   const char *const *arguments, char ret_message[OPTIONS_MESSAGE_SIZE])
{
    char *argv[OPTION_ARGUMENTS_MAX + 2] = {(char *)(uintptr_t) "program"};
    int argc = 1;
    for (; arguments[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
    forget_options(options);
    return options_parse(options, program, argc, argv, ret_message);
}

#endif
