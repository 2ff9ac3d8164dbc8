/* address_race - see address_race.h. */
#include "net/address_race.h"

#include <assert.h>
#include <errno.h>

void address_race_order(const int *families, size_t count, size_t *ret_order)
{
    size_t first = 0, other = 0; /* where to look for the next of the first's family, and of another */
    bool wants_first = true;
    for (size_t i = 0; i < count; i++) {
        while (first < count && families[first] != families[0])
            first++;
        while (other < count && families[other] == families[0])
            other++;
        bool takes_first = other == count || (wants_first && first < count);
        ret_order[i] = takes_first ? first++ : other++;
        wants_first = !takes_first;
    }
}

void address_race_init(struct address_race *race, size_t count, uint32_t timeout_ms)
{
    assert(count <= ADDRESS_RACE_MAX);
    *race = (struct address_race){.count = (unsigned)count, .stagger_ms = ADDRESS_RACE_STAGGER_MS};
    if (timeout_ms == 0 || count < 2)
        return;
    uint32_t most_ms = timeout_ms / 2 / (uint32_t)(count - 1);
    if (race->stagger_ms > most_ms)
        race->stagger_ms = most_ms > ADDRESS_RACE_STAGGER_MIN_MS ? most_ms : ADDRESS_RACE_STAGGER_MIN_MS;
}

void address_race_started(struct address_race *race, uint64_t now_ms)
{
    assert(race->started < race->count);
    race->started++;
    race->started_ms = now_ms;
    race->next_now = false;
}

static bool is_of_no_way(int error)
{
    return error == -ENETUNREACH || error == -EHOSTUNREACH || error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

void address_race_failed(struct address_race *race, int error)
{
    assert(race->failed < race->started);
    race->failed++;
    race->next_now = true;
    if (race->error == 0 || !is_of_no_way(error))
        race->error = error;
}

enum address_race_step address_race_next(const struct address_race *race, uint64_t now_ms, uint32_t *ret_wait_ms)
{
    uint64_t passed_ms = now_ms - race->started_ms;
    *ret_wait_ms = 0;
    if (race->failed == race->count)
        return ADDRESS_RACE_OVER;
    if (race->started == race->count)
        return ADDRESS_RACE_WAIT;
    if (race->started == 0 || race->next_now || passed_ms >= race->stagger_ms)
        return ADDRESS_RACE_START;
    *ret_wait_ms = race->stagger_ms - (uint32_t)passed_ms;
    return ADDRESS_RACE_WAIT;
}
