/* data_source - the source over a buffer. See dicomnet/data_source.h. */
#include "dicomnet/data_source.h"

#include <string.h>

static ssize_t read_memory(struct dicomnet_data_source *source, uint64_t offset, const struct iovec *gaps,
                           int gap_count)
{
    const struct dicomnet_memory_source *memory = (const struct dicomnet_memory_source *)source;
    ssize_t filled = 0;
    for (int i = 0; i < gap_count; i++) {
        memcpy(gaps[i].iov_base, memory->data + offset, gaps[i].iov_len);
        offset += gaps[i].iov_len;
        filled += (ssize_t)gaps[i].iov_len;
    }
    return filled;
}

void dicomnet_memory_source_init(struct dicomnet_memory_source *source, const uint8_t *data, uint64_t len)
{
    source->source = (struct dicomnet_data_source){.len = len, .read = read_memory};
    source->data = data;
}
