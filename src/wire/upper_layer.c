/*
 * upper_layer - PS3.8 Table 9-10 as an array. See wire/upper_layer.h.
 *
 * The grid below stands as the standard prints it: one row an event, one column a state. In Tables 9-6 to 9-9 every
 * action names one next state, so the grid holds actions alone and `next_states` the rest; the two exceptions, AE-6
 * and AR-8, are said in the header.
 */
#include "wire/upper_layer.h"

#include <assert.h>

enum { STATE_COUNT = STA13, EVENT_COUNT = EVT19 };

/* An event that cannot be in a state: an empty cell. */
#define NIL ACTION_NONE

/* clang-format off */
static const unsigned char actions[EVENT_COUNT][STATE_COUNT] = {
    /*              Sta1  Sta2  Sta3  Sta4  Sta5  Sta6  Sta7  Sta8  Sta9  Sta10 Sta11 Sta12 Sta13 */
    [EVT1  - 1] = { AE1,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL }, /* assoc. request */
    [EVT2  - 1] = { NIL,  NIL,  NIL,  AE2,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL }, /* connected */
    [EVT3  - 1] = { NIL,  AA1,  AA8,  NIL,  AE3,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA6 }, /* AC received */
    [EVT4  - 1] = { NIL,  AA1,  AA8,  NIL,  AE4,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA6 }, /* RJ received */
    [EVT5  - 1] = { AE5,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL }, /* peer connects */
    [EVT6  - 1] = { NIL,  AE6,  AA8,  NIL,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA7 }, /* RQ received */
    [EVT7  - 1] = { NIL,  NIL,  AE7,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL }, /* accept */
    [EVT8  - 1] = { NIL,  NIL,  AE8,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL }, /* reject */
    [EVT9  - 1] = { NIL,  NIL,  NIL,  NIL,  NIL,  DT1,  NIL,  AR7,  NIL,  NIL,  NIL,  NIL,  NIL }, /* P-DATA request */
    [EVT10 - 1] = { NIL,  AA1,  AA8,  NIL,  AA8,  DT2,  AR6,  AA8,  AA8,  AA8,  AA8,  AA8,  AA6 }, /* P-DATA received */
    [EVT11 - 1] = { NIL,  NIL,  NIL,  NIL,  NIL,  AR1,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL }, /* release request */
    [EVT12 - 1] = { NIL,  AA1,  AA8,  NIL,  AA8,  AR2,  AR8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA6 }, /* REL-RQ received */
    [EVT13 - 1] = { NIL,  AA1,  AA8,  NIL,  AA8,  AA8,  AR3,  AA8,  AA8,  AR10, AR3,  AA8,  AA6 }, /* REL-RP received */
    [EVT14 - 1] = { NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  AR4,  AR9,  NIL,  NIL,  AR4,  NIL }, /* release answer */
    [EVT15 - 1] = { NIL,  NIL,  AA1,  AA2,  AA1,  AA1,  AA1,  AA1,  AA1,  AA1,  AA1,  AA1,  NIL }, /* abort request */
    [EVT16 - 1] = { NIL,  AA2,  AA3,  NIL,  AA3,  AA3,  AA3,  AA3,  AA3,  AA3,  AA3,  AA3,  AA2 }, /* ABORT received */
    [EVT17 - 1] = { NIL,  AA5,  AA4,  AA4,  AA4,  AA4,  AA4,  AA4,  AA4,  AA4,  AA4,  AA4,  AR5 }, /* closed */
    [EVT18 - 1] = { NIL,  AA2,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  NIL,  AA2 }, /* ARTIM expired */
    [EVT19 - 1] = { NIL,  AA1,  AA8,  NIL,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA8,  AA7 }, /* invalid PDU */
};

/* Next state and name of each action (Tables 9-6 to 9-9). */
static const struct {
    enum upper_layer_state next;
    const char *name;
} next_states[] = {
    [AE1] = { STA4,  "AE-1" }, [AE2] = { STA5,  "AE-2" }, [AE3] = { STA6,  "AE-3" }, [AE4] = { STA1,  "AE-4" },
    [AE5] = { STA2,  "AE-5" }, [AE6] = { STA3,  "AE-6" }, [AE7] = { STA6,  "AE-7" }, [AE8] = { STA13, "AE-8" },
    [DT1] = { STA6,  "DT-1" }, [DT2] = { STA6,  "DT-2" },
    [AR1] = { STA7,  "AR-1" }, [AR2] = { STA8,  "AR-2" }, [AR3] = { STA1,  "AR-3" }, [AR4] = { STA13, "AR-4" },
    [AR5] = { STA1,  "AR-5" }, [AR6] = { STA7,  "AR-6" }, [AR7] = { STA8,  "AR-7" }, [AR8] = { STA9,  "AR-8" },
    [AR9] = { STA11, "AR-9" }, [AR10] = { STA12, "AR-10" },
    [AA1] = { STA13, "AA-1" }, [AA2] = { STA1,  "AA-2" }, [AA3] = { STA1,  "AA-3" }, [AA4] = { STA1,  "AA-4" },
    [AA5] = { STA1,  "AA-5" }, [AA6] = { STA13, "AA-6" }, [AA7] = { STA13, "AA-7" }, [AA8] = { STA13, "AA-8" },
};
/* clang-format on */

struct upper_layer_step upper_layer_next(enum upper_layer_state state, enum upper_layer_event event, int requestor)
{
    assert(state >= STA1 && state <= STA13);
    assert(event >= EVT1 && event <= EVT19);
    enum upper_layer_action action = actions[event - 1][state - 1];
    if (action == ACTION_NONE)
        return (struct upper_layer_step){.action = ACTION_NONE, .next = state};
    enum upper_layer_state next = next_states[action].next;
    if (action == AR8 && !requestor)
        next = STA10;
    return (struct upper_layer_step){.action = action, .next = next};
}

const char *upper_layer_state_name(enum upper_layer_state state)
{
    static const char *const names[STATE_COUNT] = {"Sta1", "Sta2", "Sta3",  "Sta4",  "Sta5",  "Sta6", "Sta7",
                                                   "Sta8", "Sta9", "Sta10", "Sta11", "Sta12", "Sta13"};
    assert(state >= STA1 && state <= STA13);
    return names[state - 1];
}

const char *upper_layer_action_name(enum upper_layer_action action)
{
    assert(action >= ACTION_NONE && action <= AA8);
    return action == ACTION_NONE ? "none" : next_states[action].name;
}
