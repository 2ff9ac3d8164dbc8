/*
 * options: the value of an option that is marked as secret is shown nowhere.
 *
 * This test has a table of its own: no option of the programs is secret today. The linker takes it in place of
 * options_table.c.
 */
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "option_arguments.h"
#include "programs/option_groups.h"
#include "programs/options_table.h"

#define FIELD(group, type, member)                                                                                     \
    {                                                                                                                  \
        group, offsetof(struct type, member), sizeof((struct type *)NULL)->member                                      \
    }

const struct option_row option_rows[] = {
    {.name = "password",
     .letter = 'W',
     .also = "-pass",
     .programs = PROGRAM_SENDER,
     .heading = "Test",
     .takes = OPTION_TEXT,
     .value = "TEXT",
     .field = FIELD(GROUP_SESSION, session_options, discover.pattern),
     .secret = true,
     .help = "a secret text"},
    {.name = "pin",
     .letter = 'I',
     .programs = PROGRAM_SENDER,
     .heading = "Test",
     .takes = OPTION_UNSIGNED,
     .value = "N",
     .min = 1000,
     .max = 9999,
     .field = FIELD(GROUP_SESSION, session_options, retry),
     .secret = true,
     .help = "a secret number"},
    {.name = "ledger",
     .programs = PROGRAM_SENDER,
     .heading = "Test",
     .takes = OPTION_TEXT,
     .value = "FILE",
     .field = FIELD(GROUP_LEDGER, ledger_group, ledger),
     .help = "no secret"},
    {.name = "input",
     .programs = PROGRAM_SENDER,
     .heading = "Test",
     .takes = OPTION_INPUT,
     .value = "PATH",
     .field = FIELD(GROUP_SENDING, sending_group, inputs),
     .help = "no secret"},
};
const size_t option_row_count = sizeof option_rows / sizeof option_rows[0];

static struct dicom_sender_options options;
static char message[OPTIONS_MESSAGE_SIZE];
static char shown[512];

static enum options_verdict parse(const char *const *arguments)
{
    enum options_verdict verdict = parse_arguments(&options.common, PROGRAM_SENDER, arguments, message);
    shown[0] = '\0';
    for (size_t i = 0; i < options.common.shown_count; i++) {
        size_t len = strlen(shown);
        snprintf(shown + len, sizeof shown - len, "%s%s", i > 0 ? " " : "", options.common.shown[i]);
    }
    return verdict;
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})
#define SHOWN(text, ...)                                                                                               \
    do {                                                                                                               \
        cr_assert_eq(PARSE(__VA_ARGS__), OPTIONS_RUN, "%s", message);                                                  \
        cr_assert_str_eq(shown, text);                                                                                 \
    } while (0)
#define WRONG(text, ...)                                                                                               \
    do {                                                                                                               \
        cr_assert_eq(PARSE(__VA_ARGS__), OPTIONS_WRONG);                                                               \
        cr_assert_str_eq(message, text);                                                                               \
    } while (0)

static void finish(void)
{
    forget_options(&options.common);
}
TestSuite(option_secrets, .fini = finish);

Test(option_secrets, every_way_to_type_one)
{
    SHOWN("--password (secret) x", "--password", "hunter2", "x");
    cr_assert_str_eq(options.session.discover.pattern, "hunter2", "it is read all the same");
    SHOWN("--password=(secret) x", "--password=hunter2", "x");
    cr_assert_str_eq(options.session.discover.pattern, "hunter2");
    SHOWN("-W (secret) x", "-W", "hunter2", "x");
    SHOWN("-pass=(secret) x", "-pass=hunter2", "x");
    SHOWN("x -I(secret)", "x", "-I1234");
    cr_assert_eq(options.session.retry, 1234);
    SHOWN("--ledger l --password (secret) --ledger=m x", "--ledger", "l", "--password", "--hunter2", "--ledger=m", "x");
    cr_assert_str_eq(options.session.discover.pattern, "--hunter2");
    SHOWN("--password (secret) --password (secret) x", "--password", "a", "--password", "b", "x");
    SHOWN("x -- --password y", "x", "--", "--password", "y"); /* paths */
}

Test(option_secrets, wrong_ones_are_not_repeated)
{
    WRONG("--pin: its value is not a number from 1000 to 9999", "--pin", "hunter2", "x");
    WRONG("-I: its value is not a number from 1000 to 9999", "-I77", "x");
    WRONG("-W: its value is missing: it takes TEXT", "-W");
    WRONG("--password: its value is empty", "--password=", "x");
    WRONG("unknown option '--pasword'; the nearest is --password (all: dicom-sender --help)", "--pasword=hunter2", "x");
    WRONG("-W: its value goes into an argument of its own", "-Whunter2", "x");
}

Test(option_secrets, list_of_given_options)
{
    size_t cursor = 0;
    const char *name;
    char value[64], all[256] = "";
    cr_assert_eq(PARSE("--password", "hunter2", "--pin=1234", "--ledger", "l", "x"), OPTIONS_RUN, "%s", message);
    while (options_next_given(&options.common, &cursor, &name, value, sizeof value))
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s=%s ", name, value);
    cr_assert_str_eq(all, "password=(secret) pin=(secret) ledger=l ");
}
