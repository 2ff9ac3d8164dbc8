/* A decoder in each of many threads: all start their processes at once, and none hears another's frames. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

#include "expect.h"
#include "files/decoder.h"
#include "rle_frame.h"

enum { THREADS = 8, ROUNDS = 3, FRAMES = 20, SIDE = 10, FRAME_LEN = SIDE * SIDE };

static const struct decoder_image image = RLE_FRAME_IMAGE(SIDE);
static uv_barrier_t barrier;

static void decode_frames(struct decoder *decoder, uint8_t value)
{
    uint8_t pixels[FRAME_LEN], expected[FRAME_LEN];
    int fd = rle_frame_file(SIDE, value);
    REQUIRE(fd >= 0, "no file");
    memset(expected, value, sizeof expected);
    for (int i = 0; i < FRAMES; i++) {
        struct decoder_job job = {
            .fd = fd, .items_end = RLE_FRAME_FILE_LEN, .image = &image, .pixels = pixels, .frame_len = FRAME_LEN};
        memset(pixels, 0, sizeof pixels);
        EXPECT(decoder_finish(decoder, &job) == 0, "%s", job.text);
        EXPECT(memcmp(pixels, expected, sizeof pixels) == 0, "%d, and not %d", pixels[0], value);
    }
    close(fd);
}

static void run(void *context)
{
    uint8_t number = *(const uint8_t *)context;
    const struct decoder_options options = {.program = DECODER_PROGRAM};
    for (int round = 0; round < ROUNDS; round++) {
        struct decoder *decoder = decoder_create(&options);
        REQUIRE(decoder != NULL, "no decoder");
        (void)uv_barrier_wait(&barrier);
        decode_frames(decoder, (uint8_t)(number * 10 + round));
        decoder_destroy(decoder);
    }
}

int main(void)
{
    uv_thread_t threads[THREADS];
    uint8_t numbers[THREADS];
    expect_begin(120);
    REQUIRE(uv_barrier_init(&barrier, THREADS) == 0, "no barrier");
    for (uint8_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        REQUIRE(uv_thread_create(&threads[i], run, &numbers[i]) == 0, "no thread");
    }
    for (int i = 0; i < THREADS; i++)
        uv_thread_join(&threads[i]);
    uv_barrier_destroy(&barrier);
    EXPECT(waitpid(-1, NULL, WNOHANG) < 0, "a process is not reaped");
    return expect_end();
}
