/* peer_query - see programs/peer_query.h. */
#include "programs/peer_query.h"

#include "programs/options.h"

int peer_query_read(struct peer_query *query, const struct options *common, const struct query_group *group,
                    bool with_attributes)
{
    char message[OPTIONS_MESSAGE_SIZE];
    query->destination = (struct destination){0};
    int result = query_keys_read(&query->keys, group, with_attributes, message, sizeof message);
    if (result == 0)
        result = destination_find(common, &query->destination, message, sizeof message);
    if (result != 0)
        return destination_say(common, result, message);
    destination_warn(&query->destination, common);
    return 0;
}

void peer_query_fini(struct peer_query *query)
{
    query_keys_fini(&query->keys);
    destination_fini(&query->destination);
}
