/* fake_client - see fake_client.h. */
#include "fake_client.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

void fake_client_connect(struct fake_client *client)
{
    client->said_len = 0;
    client->far_end = (struct far_end){.fd = fake_net_dial(), .received = client->heard, .size = sizeof client->heard};
}

void fake_client_say(struct fake_client *client, struct fuzz_input bytes)
{
    if (bytes.len > sizeof client->said - client->said_len)
        bytes.len = sizeof client->said - client->said_len;
    size_t len = far_end_send(&client->far_end, bytes);
    memcpy(client->said + client->said_len, bytes.data, len);
    client->said_len += len;
}

void fake_client_read(const struct fake_client *client, struct messages *ret_said, struct messages *ret_heard)
{
    messages_begin(ret_said);
    messages_read(ret_said, client->said, client->said_len);
    messages_begin(ret_heard);
    messages_read(ret_heard, client->heard, client->far_end.len);
    FUZZ_CHECK(!ret_heard->broken || client->far_end.total > sizeof client->heard || ret_heard->count == MESSAGES_MAX);
}

static void remove_folder(void)
{
    rmdir(folder);
}

const char *fake_folder(void)
{
    if (folder[0] == '\0') {
        const char *above = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/fuzz-XXXXXX", above != NULL ? above : "/tmp");
        FUZZ_CHECK(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
    return folder;
}

uint64_t fake_folder_empty(bool (*may_be_there)(const char *name))
{
    uint64_t count = 0;
    DIR *dir = opendir(folder);
    FUZZ_CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        FUZZ_CHECK(may_be_there(entry->d_name));
        FUZZ_CHECK(unlinkat(dirfd(dir), entry->d_name, 0) == 0);
        count++;
    }
    closedir(dir);
    return count;
}

bool fake_folder_is_instance(const char *name)
{
    size_t len = strlen(name);
    return name[0] != '.' && len > 4 && strcmp(name + len - 4, ".dcm") == 0;
}
