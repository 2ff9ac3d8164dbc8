/*
 * The library as a C++ program sees it: every public header, after one of the system with names like LOG_INFO, and with
 * functions of its own whose names the library has inside. Linked against the static and against the shared library.
 */
#include <syslog.h>

extern "C" { // as some do with every header of a C library
#include <dicomnet/sizes.h>
}
#include <dicomnet/acceptor.h>
#include <dicomnet/association.h>
#include <dicomnet/data_source.h>
#include <dicomnet/dictionary.h>
#include <dicomnet/dimse.h>
#include <dicomnet/error.h>
#include <dicomnet/exchange.h>
#include <dicomnet/file_meta.h>
#include <dicomnet/identifier.h>
#include <dicomnet/log.h>
#include <dicomnet/pdu.h>
#include <dicomnet/query_retrieve.h>
#include <dicomnet/sizes.h>
#include <dicomnet/span.h>
#include <dicomnet/status.h>
#include <dicomnet/storage.h>
#include <dicomnet/tls.h>
#include <dicomnet/uid.h>
#include <dicomnet/verification.h>
#include <dicomnet/version.h>

#include <cstdio>
#include <cstring>

#include <uv.h>

static int wrong;

/* The library's own functions of these names are its private matter. */
extern "C" {
void buffer_free(void) {}
void clock_monotonic_us(void)
{
    wrong = 1;
}
void transport_connect(void)
{
    wrong = 1;
}
}

static void expect(bool holds, const char *what)
{
    if (!holds) {
        std::fprintf(stderr, "not so: %s\n", what);
        wrong = 1;
    }
}

static void on_closed(dicomnet_association *, void *user, const dicomnet_association_end *end)
{
    *static_cast<int *>(user) = end->error;
}

int main()
{
    char version[32];
    std::snprintf(version, sizeof version, "%d.%d.%d", DICOMNET_VERSION_MAJOR, DICOMNET_VERSION_MINOR,
                  DICOMNET_VERSION_PATCH);
    expect(std::strcmp(version, dicomnet_version()) == 0, "the version of the headers is that of the library");

    uv_loop_t loop;
    expect(uv_loop_init(&loop) == 0, "a loop");
    dicomnet_association_handler handler = {};
    handler.closed = on_closed;
    dicomnet_association_proposal proposal = {};
    proposal.abstract_syntax = DICOMNET_UID_VERIFICATION;
    proposal.syntax_count = 1;
    proposal.syntaxes[0] = DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN;
    dicomnet_association_options options = DICOMNET_ASSOCIATION_OPTIONS_INIT;
    options.parameters.host = "127.0.0.1";
    options.parameters.port = 1; /* nobody is there */
    std::strcpy(options.parameters.called_ae, "CALLED");
    std::strcpy(options.parameters.calling_ae, "CALLING");
    options.proposals = &proposal;
    options.proposal_count = 1;

    dicomnet_tls_options tls_options = DICOMNET_TLS_OPTIONS_INIT;
    dicomnet_tls *tls;
    char why[DICOMNET_TLS_WHY_SIZE];
    tls_options.certificate = "/nowhere";
    expect(dicomnet_tls_create(&tls, &tls_options, why) == DICOMNET_ERROR_TLS_OPTIONS && std::strlen(why) > 0,
           "a certificate that is not there");

    dicomnet_association *association;
    int error = 0;
    options.size = 0;
    expect(dicomnet_association_open(&association, &loop, &options, &handler, &error) == DICOMNET_ERROR_OPTIONS_SIZE,
           "a size of 0 is refused");
    options.size = sizeof options;
    expect(dicomnet_association_open(&association, &loop, &options, &handler, &error) == 0, "an association");
    uv_run(&loop, UV_RUN_DEFAULT);
    expect(error == UV_ECONNREFUSED, "the connection is refused");
    expect(uv_loop_close(&loop) == 0, "the loop is empty");
    return wrong;
}
