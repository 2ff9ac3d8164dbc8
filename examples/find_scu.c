/*
 * find_scu HOST PORT AE LEVEL [KEY[=VALUE]]... - asks by C-FIND (Study Root) and prints what matches, a line for each
 * element: find_scu localhost 104 PACS STUDY PatientName='DOE^*' StudyInstanceUID StudyDate
 *
 * Ends with 0 if the peer told all that it has, 1 if not, 2 if it was not asked.
 */
#include <dicomnet/dictionary.h>
#include <dicomnet/query_retrieve.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct job {
    struct dicomnet_identifier keys;
    struct dicomnet_query query;
};

/* What a peer says may hold anything: a terminal gets no control characters. */
static void print_value(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7F ? '?' : *text);
    putchar('\n');
}

static void on_opened(struct dicomnet_query_user *user, void *context)
{
    struct job *job = context;
    job->query = (struct dicomnet_query){
        .service = DICOMNET_QUERY_FIND, .model = DICOMNET_QUERY_STUDY_ROOT, .identifier = &job->keys};
    job->query.error = dicomnet_query_user_begin(user, &job->query);
    if (job->query.error == 0)
        return;
    fprintf(stderr, "not asked: %s\n", dicomnet_error_text(job->query.error));
    dicomnet_query_user_release(user);
}

/* One match; it is gone when this returns. No other is read meanwhile: a slow reader makes the peer wait. */
static void on_match(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *match)
{
    char text[1024];
    struct dicomnet_element element = {0};
    printf("match %llu\n", (unsigned long long)query->match_count);
    while (dicomnet_identifier_skip(match, &element)) { /* past sequences */
        const char *keyword = dicomnet_dictionary_keyword(element.tag);
        if (!dicomnet_identifier_get_text(match, element.tag, text, sizeof text))
            continue;
        if (keyword[0] != '\0')
            printf("  %s: ", keyword);
        else
            printf("  (%04X,%04X): ", (unsigned)(element.tag >> 16), (unsigned)(element.tag & 0xFFFF));
        print_value(text);
    }
    if (fflush(stdout) != 0) /* nobody reads on: the peer need not go on either */
        dicomnet_query_user_cancel(user);
}

static void on_ended(struct dicomnet_query_user *user, void *context, struct dicomnet_query *query,
                     const struct dicomnet_identifier *failed)
{
    if (query->answered) {
        fprintf(stderr, "%llu matches, status %04X, %s\n", (unsigned long long)query->match_count, query->status,
                dicomnet_query_status_text(query->service, query->status));
    } else {
        fprintf(stderr, "no answer: %s\n", dicomnet_error_text(query->error));
    }
    dicomnet_query_user_release(user);
}

static void on_closed(struct dicomnet_query_user *user, void *context, const struct dicomnet_association_end *end)
{
    char text[160];
    dicomnet_association_describe_end(end, text, sizeof text);
    fprintf(stderr, "association: %s\n", text);
}

static const struct dicomnet_query_user_handler handler = {
    .opened = on_opened, .match = on_match, .ended = on_ended, .closed = on_closed};

/* "PatientName=DOE^*", "StudyDate" (any; it is asked for), "0010,0020=4711". */
static int add_key(struct dicomnet_identifier *keys, char *argument)
{
    uint32_t tag;
    char *value = strchr(argument, '=');
    if (value != NULL)
        *value++ = '\0';
    if (!dicomnet_dictionary_parse_tag(argument, &tag)) {
        fprintf(stderr, "%s is no keyword and no tag\n", argument);
        return -1;
    }
    int error = dicomnet_identifier_set_text(keys, tag, value != NULL ? value : "");
    if (error != 0)
        fprintf(stderr, "%s: %s\n", argument, dicomnet_error_text(error));
    return error;
}

static int run(struct job *job, const char *host, uint16_t port, const char *ae_title)
{
    const struct dicomnet_association_proposal proposal = {
        .abstract_syntax = dicomnet_query_class_uid(DICOMNET_QUERY_STUDY_ROOT, DICOMNET_QUERY_FIND),
        .syntax_count = 2,
        .syntaxes = {DICOMNET_UID_EXPLICIT_VR_LITTLE_ENDIAN, DICOMNET_UID_IMPLICIT_VR_LITTLE_ENDIAN}};
    struct dicomnet_association_options options = {.size = sizeof(struct dicomnet_association_options),
                                                   .parameters = {.host = host,
                                                                  .port = port,
                                                                  .calling_ae = "EXAMPLE",
                                                                  .timeouts = dicomnet_association_default_timeouts},
                                                   .proposals = &proposal,
                                                   .proposal_count = 1};
    const struct dicomnet_query_user_options user_options = {
        .size = sizeof(struct dicomnet_query_user_options), .handler = &handler, .context = job};
    struct dicomnet_query_user *user;
    uv_loop_t loop;
    snprintf(options.parameters.called_ae, sizeof options.parameters.called_ae, "%s", ae_title);
    uv_loop_init(&loop);
    int error = dicomnet_query_user_open(&user, &loop, &options, &user_options);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return error;
}

int main(int argc, char **argv)
{
    static struct job job;
    unsigned long port = argc >= 5 ? strtoul(argv[2], NULL, 10) : 0;
    int error = port == 0 || port > UINT16_MAX ? -1 : 0;
    dicomnet_identifier_init(&job.keys);
    if (error == 0)
        error = dicomnet_identifier_set_text(&job.keys, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, argv[4]);
    for (int i = 5; i < argc && error == 0; i++)
        error = add_key(&job.keys, argv[i]);
    if (error != 0) {
        fprintf(stderr, "usage: find_scu HOST PORT AE PATIENT|STUDY|SERIES|IMAGE [KEY[=VALUE]]...\n");
        dicomnet_identifier_fini(&job.keys);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of the association */
    error = run(&job, argv[1], (uint16_t)port, argv[3]);
    if (error != 0)
        fprintf(stderr, "%s\n", dicomnet_error_text(error));
    dicomnet_identifier_fini(&job.keys);
    return job.query.answered && job.query.status == DICOMNET_STATUS_SUCCESS ? 0 : 1;
}
