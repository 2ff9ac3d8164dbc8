/* decoder - see files/decoder.h. */
#include "files/decoder.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/decoder_link.h"

enum { PATH_SIZE = 4096 };

static const char PROGRAM[] = "dicom-decoder";

struct decoder {
    struct decoder_link link;
    struct decoder_job *job; /* under way: asked for and not yet answered; NULL = none */
    unsigned frame_timeout_ms;
    char program[PATH_SIZE]; /* "" = it has to be found */
};

struct decoder *decoder_create(const struct decoder_options *options)
{
    static const struct decoder_options defaults;
    struct decoder *decoder = malloc(sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    if (options == NULL)
        options = &defaults;
    *decoder = (struct decoder){.link = {.fd = -1},
                                .frame_timeout_ms = options->frame_timeout_ms != 0 ? options->frame_timeout_ms
                                                                                   : DECODER_FRAME_TIMEOUT_MS};
    if (options->program != NULL)
        snprintf(decoder->program, sizeof decoder->program, "%s", options->program);
    return decoder;
}

void decoder_destroy(struct decoder *decoder)
{
    if (decoder == NULL)
        return;
    assert(decoder->job == NULL);
    if (decoder->link.fd >= 0)
        (void)decoder_link_end(&decoder->link, false);
    free(decoder);
}

/* ---- how a job ends ---- */

static void end_job(struct decoder_job *job, int result)
{
    job->is_done = true;
    job->result = result;
}

static void fail_job(struct decoder_job *job, const char *text)
{
    snprintf(job->text, sizeof job->text, "%s", text);
    end_job(job, DICOMNET_ERROR_SOURCE_UNDECODABLE);
}

/* How the process came to its end, for people. */
static void describe_end(int status, char *ret_text, size_t size)
{
    if (status >= 0 && WIFSIGNALED(status))
        snprintf(ret_text, size,
                 WTERMSIG(status) == SIGKILL ? "the decoder was killed (signal %d)"
                                             : "the decoder crashed on this frame (signal %d)",
                 WTERMSIG(status));
    else if (status >= 0 && WIFEXITED(status))
        snprintf(ret_text, size, "the decoder ended without an answer (exit code %d)", WEXITSTATUS(status));
    else
        snprintf(ret_text, size, "the decoder ended without an answer");
}

/* ---- the process ---- */

/* The program beside this one, or where it is installed. */
static void find_program(char *ret_path, size_t size)
{
    char self[PATH_SIZE];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = NULL;
    if (len > 0) {
        self[len] = '\0';
        slash = strrchr(self, '/');
    }
    if (slash != NULL) {
        int wanted = snprintf(ret_path, size, "%.*s/%s", (int)(slash - self), self, PROGRAM);
        if (wanted > 0 && (size_t)wanted < size && access(ret_path, X_OK) == 0)
            return;
    }
    snprintf(ret_path, size, "%s/%s", DECODER_FOLDER, PROGRAM);
}

/* A process that waits for a request. One that has ended by itself, or speaks unasked, makes place for another. */
static bool have_process(struct decoder *decoder, struct decoder_job *job)
{
    char found[PATH_SIZE];
    const char *program = decoder->program;
    int error;
    if (decoder->link.fd >= 0 && decoder_link_is_idle(&decoder->link))
        return true;
    if (decoder->link.fd >= 0)
        (void)decoder_link_end(&decoder->link, false);
    if (program[0] == '\0') {
        find_program(found, sizeof found);
        program = found;
    }
    if (decoder_link_start(&decoder->link, program, &error))
        return true;
    snprintf(job->text, sizeof job->text, "the program that decodes cannot be started: %s: %.160s", strerror(error),
             program);
    end_job(job, DICOMNET_ERROR_SOURCE_UNDECODABLE);
    return false;
}

/* Fetch the answer for the job that is under way. */
static void fetch(struct decoder *decoder)
{
    struct decoder_job *job = decoder->job;
    struct decoder_response response;
    const char *detail;
    decoder->job = NULL;
    enum decoder_link_result result =
        decoder_link_hear(&decoder->link, job->pixels, job->frame_len, decoder->frame_timeout_ms, &response, &detail);
    if (result == DECODER_LINK_OK) {
        memcpy(job->photometric, response.photometric, sizeof job->photometric);
        if (response.status == DECODER_OK)
            end_job(job, 0);
        else
            fail_job(job, response.text[0] != '\0' ? response.text : "the decoder did not say why");
        return;
    }
    int status = decoder_link_end(&decoder->link, result == DECODER_LINK_ENDED);
    if (result == DECODER_LINK_ENDED)
        describe_end(status, job->text, sizeof job->text);
    else if (result == DECODER_LINK_TIMEOUT)
        snprintf(job->text, sizeof job->text, "the decoder did not come to an end within %u ms",
                 decoder->frame_timeout_ms);
    else
        snprintf(job->text, sizeof job->text, "the decoder is not to be trusted: %s", detail);
    end_job(job, DICOMNET_ERROR_SOURCE_UNDECODABLE);
}

/* ---- jobs ---- */

void decoder_begin(struct decoder *decoder, struct decoder_job *job)
{
    assert(!job->is_begun);
    if (decoder->job != NULL)
        fetch(decoder);
    job->is_begun = true;
    job->is_done = false;
    job->text[0] = '\0';
    if (!have_process(decoder, job))
        return;
    struct decoder_request request = {.magic = DECODER_MAGIC,
                                      .items_begin = job->items_begin,
                                      .items_end = job->items_end,
                                      .frame_len = job->frame_len,
                                      .image = *job->image};
    /* What a process that does not take it has to say for itself is heard when the answer does not come. */
    (void)decoder_link_ask(&decoder->link, &request, job->fd);
    decoder->job = job;
}

int decoder_finish(struct decoder *decoder, struct decoder_job *job)
{
    if (!job->is_begun)
        decoder_begin(decoder, job);
    if (!job->is_done) {
        assert(decoder->job == job);
        fetch(decoder);
    }
    job->is_begun = false;
    return job->result;
}

void decoder_cancel(struct decoder *decoder, struct decoder_job *job)
{
    job->is_begun = false;
    if (decoder->job != job)
        return;
    decoder->job = NULL;
    (void)decoder_link_end(&decoder->link, false);
}
