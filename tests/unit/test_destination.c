/* destination: all the ways to name a peer, and the file of peers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/destination.h"
#include "programs/option_groups.h"

enum { ARGUMENTS_MAX = 16 };

static char folder[] = "/tmp/test_destination_XXXXXX";
static char peers_path[128];
static struct destination destination;
static char message[OPTIONS_MESSAGE_SIZE];

static void begin(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(peers_path, sizeof peers_path, "%s/peers.json", folder);
    setenv("XDG_CONFIG_HOME", folder, 1);
}

static void finish(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}
TestSuite(destination, .init = begin, .fini = finish);

/* Options of dicom-sender to a destination; 0 or -1 and `message`. */
static int find(const char *const *arguments)
{
    destination_fini(&destination);
    struct dicom_sender_options options;
    char *argv[ARGUMENTS_MAX + 2] = {(char *)(uintptr_t) "dicom-sender"};
    int argc = 1;
    for (; arguments[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
    argv[argc++] = (char *)(uintptr_t) "path";
    enum options_verdict verdict = options_parse(&options.common, PROGRAM_SENDER, argc, argv, message);
    cr_assert_eq(verdict, OPTIONS_RUN, "%s", message);
    int result = destination_find(&options.common, &destination, message, sizeof message);
    options_fini(&options.common);
    return result;
}

#define FIND(...) find((const char *const[]){__VA_ARGS__, NULL})
#define IS(expected, ...)                                                                                              \
    do {                                                                                                               \
        cr_assert_eq(FIND(__VA_ARGS__), 0, "%s", message);                                                             \
        cr_assert_str_eq(destination.text, expected);                                                                  \
    } while (0)
#define WRONG(expected, ...)                                                                                           \
    do {                                                                                                               \
        cr_assert_lt(FIND(__VA_ARGS__), 0);                                                                            \
        cr_assert_str_eq(message, expected);                                                                           \
    } while (0)

static void write_peers(const char *text)
{
    FILE *file = fopen(peers_path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(destination, by_options)
{
    IS("PACS@h:4242", "-H", "h", "-p", "4242", "-a", "PACS");
    cr_assert_str_eq(destination.association.calling_ae, "DICOM_SENDER");
    IS("ANY-SCP@h:104", "--host", "h");
    IS("ANY-SCP@[::1]:104", "--host", "::1");
    IS("ANY-SCP@[::1]:104", "--host", "[::1]");
    cr_assert_str_eq(destination.host, "::1");
    WRONG("--host: 'h;x' is not a host name or an address", "--host", "h;x");
}

Test(destination, by_text)
{
    IS("PACS@h:4242", "pacs://PACS@h:4242");
    IS("ANY-SCP@h:104", "pacs://h");
    IS("ANY-SCP@h:104", "pacs://h/");
    IS("ANY-SCP@h:11", "pacs://h:11");
    IS("PACS@h:4242", "PACS@h:4242");
    IS("A@B:C@h:4242", "A@B:C@h:4242");
    IS("MY PACS@h:4242", "MY PACS@h:4242");
    IS("PACS@[fe80::1%lo]:4242", "PACS@[fe80::1%lo]:4242");
    IS("PACS@[fe80::1%lo]:4242", "pacs://PACS@[fe80::1%25lo]:4242");
    IS("ANY-SCP@[::1]:104", "pacs://[::1]");
    IS("OTHER@h:5", "PACS@h:4242", "-a", "OTHER", "-p", "5");
}

Test(destination, wrong_text)
{
    WRONG("'pacs://h:0': port '0' is not a number from 1 to 65535", "pacs://h:0");
    WRONG("'pacs://h:': port '' is not a number from 1 to 65535", "pacs://h:");
    WRONG("'PACS@h:99999': port '99999' is not a number from 1 to 65535", "PACS@h:99999");
    WRONG("'pacs://h:1x': port '1x' is not a number from 1 to 65535", "pacs://h:1x");
    WRONG("'pacs://': '' is not a host name or an address", "pacs://");
    WRONG("'pacs://a b': 'a b' is not a host name or an address", "pacs://a b");
    WRONG("'pacs://::1': an IPv6 address stands in brackets: [::1]:104", "pacs://::1");
    WRONG("'pacs://[::1': a bracket is not closed", "pacs://[::1");
    WRONG("'pacs://[::1]x': after ']' comes nothing but ':PORT'", "pacs://[::1]x");
    WRONG("'12345678901234567@h:104': the AE title has more than 16 characters: it is 1 to 16 ASCII characters, no "
          "backslash, no control characters, not all spaces",
          "12345678901234567@h:104");
    WRONG(
        "'pacs://@h': the AE title is empty: it is 1 to 16 ASCII characters, no backslash, no control characters, not "
        "all spaces",
        "pacs://@h");
}

Test(destination, shapes)
{
    static const struct {
        const char *text;
        enum destination_shape shape;
    } rows[] = {{"pacs://", DESTINATION_URL},
                {"PACS://h", DESTINATION_URL},
                {"Pacs://A@h:1", DESTINATION_URL},
                {"https://h/", DESTINATION_URL},
                {"A@h:1", DESTINATION_AE_HOST_PORT},
                {"MY PACS@h:4242", DESTINATION_AE_HOST_PORT},
                {"A@[::1]:1", DESTINATION_AE_HOST_PORT},
                {"A@h", DESTINATION_AE_HOST},
                {"A@::1", DESTINATION_AE_HOST},
                {"A@[::1]", DESTINATION_AE_HOST},
                {"h:104", DESTINATION_HOST_PORT},
                {"10.0.0.5:104", DESTINATION_HOST_PORT},
                {"[::1]:104", DESTINATION_HOST_PORT},
                {"h", DESTINATION_HOST},
                {"::1", DESTINATION_HOST},
                {"pacs.example.org", DESTINATION_HOST},
                {"104", DESTINATION_NONE},
                {"@h:104", DESTINATION_NONE},
                {"A@:104", DESTINATION_NONE},
                {"A@h:", DESTINATION_NONE},
                {"A@h:x", DESTINATION_NONE},
                {"./A@h:104", DESTINATION_NONE},
                {"/data/A@h:104", DESTINATION_NONE},
                {"*.dcm", DESTINATION_NONE},
                {"/data/x://y", DESTINATION_NONE},
                {"a b", DESTINATION_NONE},
                {"", DESTINATION_NONE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(destination_shape(rows[i].text), rows[i].shape, "%s", rows[i].text);
}

/* What is said in one word, in two, by --connect or by --host is the same destination. */
Test(destination, all_ways_are_one)
{
    IS("PACS@h:4242", "PACS://PACS@h:4242");
    IS("PACS@h:4242", "PACS@h", "4242");
    IS("PACS@h:4242", "PACS@h", "-p", "4242");
    IS("PACS@h:4242", "h", "4242", "-aec", "PACS");
    IS("PACS@h:4242", "h:4242", "-aec", "PACS");
    IS("PACS@h:4242", "-c", "PACS@h:4242");
    IS("PACS@h:4242", "--connect", "PACS@h:4242");
    IS("PACS@h:4242", "--host", "h:4242", "-a", "PACS");
    IS("PACS@h:4242", "--host", "PACS@h:4242");
    IS("PACS@h:4242", "--host", "pacs://PACS@h:4242");
    IS("ANY-SCP@[::1]:4242", "::1", "4242");
    IS("ANY-SCP@[::1]:4242", "[::1]:4242");
    IS("ANY-SCP@[::1]:4242", "--host", "[::1]:4242");
    IS("A@[::1]:4242", "A@::1", "4242");
    IS("ANY-SCP@10.0.0.5:11112", "10.0.0.5", "11112");
    cr_assert_str_eq(destination.association.calling_ae, "DICOM_SENDER");
    IS("ANY-SCP@h:104", "pacs://h", "-b", "ME");
    cr_assert_str_eq(destination.association.calling_ae, "ME");
    cr_assert(destination.default_port);
    IS("ANY-SCP@h:104", "h", "104");
    cr_assert_not(destination.default_port);
    WRONG("'h': port '99999' is not a number from 1 to 65535", "h", "99999");
    WRONG("'https://h': the URLs of a destination are pacs://[AE@]HOST[:PORT] and, over TLS, pacss://[AE@]HOST[:PORT]; "
          "HTTP is not there yet",
          "https://h");
}

Test(destination, over_tls)
{
    IS("ANY-SCP@h:104", "pacs://h");
    cr_assert_null(destination.association.tls);
    IS("PACS@h:2762 over TLS", "PACSS://PACS@h/");
    cr_assert_not_null(destination.association.tls);
    IS("PACS@h:11112 over TLS", "pacss://PACS@h:11112");
    IS("ANY-SCP@h:2762 over TLS", "--host", "h", "--tls");
    IS("ANY-SCP@h:104 over TLS", "--host", "h", "--tls", "--port", "104");
    IS("ANY-SCP@h:2762 over TLS, unchecked", "--host", "h", "-ic");
    IS("ANY-SCP@h:104 over TLS", "h", "104", "--tls-server-name", "other");
    WRONG("TLS: '/nowhere/ca.pem': No such file or directory", "h", "104", "--tls-ca", "/nowhere/ca.pem");
    WRONG("--tls-key-password-file: '/nowhere/password': No such file or directory", "h", "104",
          "--tls-key-password-file", "/nowhere/password");
    WRONG("--tls-insecure checks nothing: leave out --tls-ca and --tls-pin, or it", "h", "104", "-ic", "--tls-ca", "a");
}

Test(destination, over_tls_as_the_file_of_peers_says)
{
    write_peers("{\"default\": \"a\", \"peers\": {\"a\": {\"host\": \"h\", \"tls\": true}, "
                "\"b\": {\"host\": \"h\", \"port\": 11112, \"tls\": {\"insecure\": true, \"server_name\": \"n\"}}, "
                "\"c\": {\"host\": \"h\", \"tls\": {\"ca\": \"/nowhere/ca.pem\", \"min\": \"1.3\"}}, "
                "\"d\": {\"host\": \"h\", \"tls\": false}}}");
    IS("ANY-SCP@h:2762 over TLS", "--config", peers_path);
    IS("ANY-SCP@h:11112 over TLS, unchecked", "--config", peers_path, "--peer", "b");
    cr_assert_str_eq(destination.tls.server_name, "n");
    IS("ANY-SCP@h:11112 over TLS, unchecked", "--config", peers_path, "--peer", "b", "--tls-server-name", "mine");
    cr_assert_str_eq(destination.tls.server_name, "mine");
    WRONG("TLS: '/nowhere/ca.pem': No such file or directory", "--config", peers_path, "--peer", "c");
    IS("ANY-SCP@h:2762 over TLS, unchecked", "--config", peers_path, "--peer", "c", "--tls-insecure");
    IS("ANY-SCP@h:104", "--config", peers_path, "--peer", "d");
    write_peers("{\"peers\": {\"a\": {\"host\": \"h\", \"tls\": {\"cacert\": \"x\"}}}}");
    cr_assert_lt(FIND("--config", peers_path, "--peer", "a"), 0);
    cr_assert_not_null(strstr(message, "peer 'a': \"cacert\" is not one of ca, cert, key"), "%s", message);
    write_peers("{\"peers\": {\"a\": {\"host\": \"h\", \"tls\": {\"min\": \"1.1\"}}}}");
    cr_assert_lt(FIND("--config", peers_path, "--peer", "a"), 0);
    cr_assert_not_null(strstr(message, "\"min\" is not \"1.2\" or \"1.3\""), "%s", message);
}

Test(destination, none)
{
    char expected[512];
    snprintf(expected, sizeof expected,
             "no destination: give --host HOST [--port PORT] [--ae-title AE], or pacs://[AE@]HOST[:PORT], "
             "[AE@]HOST:PORT or [AE@]HOST PORT, or --peer NAME, or a default peer in %s/dicom-sender/peers.json, or "
             "--loopback",
             folder);
    WRONG(expected, "x");
    unsetenv("XDG_CONFIG_HOME");
    setenv("HOME", "/nowhere", 1);
    cr_assert_eq(FIND("x"), DESTINATION_MISSING);
    cr_assert_not_null(strstr(message, "/nowhere/.config/dicom-sender/peers.json"));
    unsetenv("HOME");
    cr_assert_eq(FIND("x"), DESTINATION_MISSING);
    cr_assert_not_null(strstr(message, "--loopback"));
}

Test(destination, loopback)
{
    IS("the loopback receiver", "--loopback");
    cr_assert(destination.loopback);
}

#define PEERS                                                                                                          \
    "{\"default\": \"main\", \"peers\": {\"main\": {\"host\": \"pacs.example.org\", \"port\": 4242, \"ae_title\": "    \
    "\"PACS\", \"calling_ae\": \"GATEWAY\"}, \"test\": {\"host\": \"127.0.0.1\"}}}"

Test(destination, peers)
{
    write_peers(PEERS);
    IS("PACS@pacs.example.org:4242", "--config", peers_path);
    cr_assert_str_eq(destination.association.calling_ae, "GATEWAY");
    IS("ANY-SCP@127.0.0.1:104", "--config", peers_path, "--peer", "test");
    cr_assert_str_eq(destination.association.calling_ae, "DICOM_SENDER");
    IS("X@pacs.example.org:1", "--config", peers_path, "--peer", "main", "-a", "X", "-p", "1", "-c", "ME");
    cr_assert_str_eq(destination.association.calling_ae, "ME");

    char expected[256];
    snprintf(expected, sizeof expected, "%s: no peer 'x'; there are main, test", peers_path);
    WRONG(expected, "--config", peers_path, "--peer", "x");
}

Test(destination, default_file)
{
    char path[192], command[640];
    write_peers(PEERS);
    snprintf(path, sizeof path, "%s/dicom-sender", folder);
    snprintf(command, sizeof command, "mkdir %s && cp %s %s/", path, peers_path, path);
    cr_assert_eq(system(command), 0);
    IS("PACS@pacs.example.org:4242", "x");
    IS("ANY-SCP@127.0.0.1:104", "--peer", "test");
    IS("ANY-SCP@h:104", "-H", "h");
}

Test(destination, no_file)
{
    char expected[256];
    snprintf(expected, sizeof expected, "%s: no such file", peers_path);
    WRONG(expected, "--config", peers_path);
    snprintf(expected, sizeof expected, "%s/dicom-sender/peers.json: no such file", folder);
    WRONG(expected, "--peer", "x");
}

Test(destination, wrong_file)
{
    static const char *const wrong[][2] = {
        {"[]", ": not a JSON object with \"peers\" and \"default\""},
        {"{}", ": \"peers\" is missing or no JSON object"},
        {"{\"peers\": {}, \"defaults\": \"x\"}", ": a key that is neither \"peers\" nor \"default\": 'defaults'"},
        {"{\"peers\": {}, \"default\": \"x\"}", ": \"default\" does not name one of its peers"},
        {"{\"peers\": {}, \"default\": 5}", ": \"default\" does not name one of its peers"},
        {"{\"peers\": {}}", ": it names no \"default\" peer"},
        {"{\"peers\": {\"a\": 5}}", ": not a JSON object: peer 'a'"},
        {"{\"peers\": {\"a\": {}}}", ": peer 'a': \"host\" is missing"},
        {"{\"peers\": {\"a\": {\"host\": 5}}}", ": peer 'a': \"host\" is not a text"},
        {"{\"peers\": {\"a\": {\"host\": \"h\", \"port\": 70000}}}",
         ": peer 'a': \"port\" is not a number from 1 to 65535"},
        {"{\"peers\": {\"a\": {\"host\": \"h\", \"aet\": \"X\"}}}",
         ": peer 'a': \"aet\" is not one of host, port, ae_title, calling_ae, bind, keepalive, tos, "
         "socket_buffer, max_send_pdu, tls, user, password_file, kerberos_file, saml_file, jwt_file, "
         "identity_response"},
        {"{\"default\": \"a\", \"peers\": {\"a\": {\"host\": \"h\", \"ae_title\": \"12345678901234567\"}}}",
         ": peer 'a': \"ae_title\" has more than 16 characters"},
        {"{\"peers\": {\"a\": {\"host\": \"h\", \"bind\": \"here\"}}}", ": peer 'a': \"bind\" is no IP address"},
        {"{\"peers\": {\"a\": {\"host\": \"h\", \"keepalive\": 32768}}}",
         ": peer 'a': \"keepalive\" is not a number from 0 to 32767"},
        {"{\"peers\": {\"a\": {\"host\": \"h\", \"max_send_pdu\": \"16384\"}}}",
         ": peer 'a': \"max_send_pdu\" is not a number from 4096 to 131072"},
        {"{\"peers\": {\"a\": {\"host\": \"h\", \"tos\": 46}}}",
         ": peer 'a': \"tos\" is no traffic class: a name such as ef, or four times a code point"},
        {"{\"default\": \"a\", \"peers\": {\"a\": {\"host\": \"fe80::1\"}}}",
         ": peer 'a': \"host\" is link-local and needs its zone, as in fe80::1%eth0"},
        {"{\"default\": \"a\", \"peers\": {\"a\": {\"host\": \"h h\"}}}",
         ": peer 'a': \"host\" is not a host name or an address"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char expected[512];
        write_peers(wrong[i][0]);
        snprintf(expected, sizeof expected, "%s%s", peers_path, wrong[i][1]);
        WRONG(expected, "--config", peers_path);
    }
    write_peers("{\n\"peers\": nonsense}");
    cr_assert_eq(FIND("--config", peers_path), -1);
    char expected[512];
    snprintf(expected, sizeof expected, "%s:2: ", peers_path);
    cr_assert_eq(strncmp(message, expected, strlen(expected)), 0, "%s", message);
}
