/* synthetic_files - see synthetic_files.h. */
#include "programs/synthetic_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "dicomnet/error.h"
#include "files/part10_writer.h"
#include "files/synthetic.h"
#include "programs/interrupt.h"
#include "report/format.h"

enum { FOLDER_MODE = 0750, FILE_MODE = 0640 };

struct job {
    const struct synthetic_spec *spec;
    const char *folder;
    char path[PATH_MAX]; /* what is being made, for the error */
    uint64_t studies, instances, bytes;
};

static volatile sig_atomic_t interrupted;

/* The functions below return 0 or a negative errno; job->path says then of what. */

static int make_folder(struct job *job)
{
    struct part10_folder folder;
    if ((size_t)snprintf(job->path, sizeof job->path, "%s", job->folder) >= sizeof job->path)
        return -ENAMETOOLONG;
    int error = part10_folder_open(&folder, job->path, false);
    if (error == 0)
        part10_folder_close(&folder);
    return error;
}

static int make_study_folder(struct job *job, uint64_t study)
{
    int len = snprintf(job->path, sizeof job->path, "%s/study-%" PRIu64, job->folder, study + 1);
    if ((size_t)len >= sizeof job->path)
        return -ENAMETOOLONG;
    return mkdir(job->path, FOLDER_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

static int write_instance(struct job *job, uint64_t study, uint64_t number)
{
    struct synthetic_instance instance;
    int len = snprintf(job->path, sizeof job->path, "%s/study-%" PRIu64 "/image-%" PRIu64 ".dcm", job->folder,
                       study + 1, number + 1);
    if ((size_t)len >= sizeof job->path)
        return -ENAMETOOLONG;
    int fd = open(job->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return -errno;
    synthetic_instance_init(&instance, &job->spec->options, study, number);
    int error = synthetic_instance_write(&instance, fd);
    if (close(fd) < 0 && error == 0)
        error = -errno;
    if (error != 0)
        unlink(job->path);
    else
        job->bytes += instance.source.len;
    return error;
}

static int write_study(struct job *job, uint64_t study)
{
    int error = make_study_folder(job, study);
    for (uint64_t number = 0; number < job->spec->instances && error == 0 && !interrupted; number++) {
        error = write_instance(job, study, number);
        if (error != 0)
            break;
        job->studies += number == 0;
        job->instances++;
    }
    return error;
}

static void say_what_is_there(const struct job *job, uint64_t duration_us)
{
    char size[FORMAT_SIZE], duration[FORMAT_SIZE];
    format_bytes(size, (double)job->bytes);
    format_duration(duration, duration_us);
    fprintf(stderr, "wrote %" PRIu64 " stud%s, %" PRIu64 " instance%s, %s, in %s: %s\n", job->studies,
            job->studies == 1 ? "y" : "ies", job->instances, job->instances == 1 ? "" : "s", size, duration,
            job->folder);
}

int synthetic_files_write(const struct synthetic_spec *spec, const char *folder, bool quiet)
{
    struct job job = {.spec = spec, .folder = folder};
    uint64_t begun_us = clock_monotonic_us();
    interrupt_note(&interrupted);
    int error = make_folder(&job);
    for (uint64_t study = 0; study < spec->studies && error == 0 && !interrupted; study++)
        error = write_study(&job, study);
    if (error != 0)
        fprintf(stderr, "dicom-sender: --output-dir: '%s': %s\n", job.path, dicomnet_error_text(error));
    else if (interrupted)
        fprintf(stderr, "dicom-sender: interrupted\n");
    if (!quiet && (error == 0 || job.instances > 0))
        say_what_is_there(&job, clock_monotonic_us() - begun_us);
    if (error != 0)
        return job.instances > 0 ? 2 : 1;
    return interrupted ? 130 : 0;
}
