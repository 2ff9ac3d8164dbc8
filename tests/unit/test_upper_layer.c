/*
 * The state table, read a second time from PS3.8: by event, as sentences, instead of as a grid. What no row mentions
 * is an empty cell.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "wire/upper_layer.h"

struct row {
    enum upper_layer_event event;
    const char *states; /* numbers, space between */
    const char *action;
    int next; /* 0: the state itself */
};

/* clang-format off */
static const struct row rows[] = {
    {EVT1,  "1",                          "AE-1",  4},
    {EVT2,  "4",                          "AE-2",  5},
    {EVT3,  "2",                          "AA-1",  13},
    {EVT3,  "5",                          "AE-3",  6},
    {EVT3,  "3 6 7 8 9 10 11 12",         "AA-8",  13},
    {EVT3,  "13",                         "AA-6",  13},
    {EVT4,  "2",                          "AA-1",  13},
    {EVT4,  "5",                          "AE-4",  1},
    {EVT4,  "3 6 7 8 9 10 11 12",         "AA-8",  13},
    {EVT4,  "13",                         "AA-6",  13},
    {EVT5,  "1",                          "AE-5",  2},
    {EVT6,  "2",                          "AE-6",  3},
    {EVT6,  "3 5 6 7 8 9 10 11 12",       "AA-8",  13},
    {EVT6,  "13",                         "AA-7",  13},
    {EVT7,  "3",                          "AE-7",  6},
    {EVT8,  "3",                          "AE-8",  13},
    {EVT9,  "6",                          "DT-1",  6},
    {EVT9,  "8",                          "AR-7",  8},
    {EVT10, "2",                          "AA-1",  13},
    {EVT10, "6",                          "DT-2",  6},
    {EVT10, "7",                          "AR-6",  7},
    {EVT10, "3 5 8 9 10 11 12",           "AA-8",  13},
    {EVT10, "13",                         "AA-6",  13},
    {EVT11, "6",                          "AR-1",  7},
    {EVT12, "2",                          "AA-1",  13},
    {EVT12, "6",                          "AR-2",  8},
    {EVT12, "7",                          "AR-8",  9},
    {EVT12, "3 5 8 9 10 11 12",           "AA-8",  13},
    {EVT12, "13",                         "AA-6",  13},
    {EVT13, "2",                          "AA-1",  13},
    {EVT13, "7 11",                       "AR-3",  1},
    {EVT13, "10",                         "AR-10", 12},
    {EVT13, "3 5 6 8 9 12",               "AA-8",  13},
    {EVT13, "13",                         "AA-6",  13},
    {EVT14, "8 12",                       "AR-4",  13},
    {EVT14, "9",                          "AR-9",  11},
    {EVT15, "4",                          "AA-2",  1},
    {EVT15, "3 5 6 7 8 9 10 11 12",       "AA-1",  13},
    {EVT16, "2 13",                       "AA-2",  1},
    {EVT16, "3 5 6 7 8 9 10 11 12",       "AA-3",  1},
    {EVT17, "2",                          "AA-5",  1},
    {EVT17, "3 4 5 6 7 8 9 10 11 12",     "AA-4",  1},
    {EVT17, "13",                         "AR-5",  1},
    {EVT18, "2 13",                       "AA-2",  1},
    {EVT19, "2",                          "AA-1",  13},
    {EVT19, "3 5 6 7 8 9 10 11 12",       "AA-8",  13},
    {EVT19, "13",                         "AA-7",  13},
};
/* clang-format on */

static int mentions(const char *states, int state)
{
    char wanted[8], list[64];
    snprintf(wanted, sizeof wanted, " %d ", state);
    snprintf(list, sizeof list, " %s ", states);
    return strstr(list, wanted) != NULL;
}

Test(upper_layer, every_cell_is_the_one_of_the_standard)
{
    int filled = 0;
    for (int event = EVT1; event <= EVT19; event++)
        for (int state = STA1; state <= STA13; state++) {
            const char *action = "none";
            int next = state;
            for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                if ((int)rows[i].event == event && mentions(rows[i].states, state)) {
                    cr_assert_str_eq(action, "none", "Evt%d Sta%d has two rows", event, state);
                    action = rows[i].action;
                    next = rows[i].next;
                    filled++;
                }
            struct upper_layer_step step =
                upper_layer_next((enum upper_layer_state)state, (enum upper_layer_event)event, 1);
            cr_expect_str_eq(upper_layer_action_name(step.action), action, "Evt%d Sta%d: %s", event, state,
                             upper_layer_action_name(step.action));
            cr_expect_eq((int)step.next, next, "Evt%d Sta%d: next is Sta%d", event, state, step.next);
        }
    cr_assert_eq(filled, 1 + 1 + 11 + 11 + 1 + 11 + 1 + 1 + 2 + 11 + 1 + 11 + 11 + 3 + 10 + 11 + 12 + 2 + 11);
}

Test(upper_layer, the_acceptor_of_a_collision_waits_for_the_answer)
{
    cr_assert_eq(upper_layer_next(STA7, EVT12, 1).next, STA9);
    cr_assert_eq(upper_layer_next(STA7, EVT12, 0).next, STA10);
    for (int event = EVT1; event <= EVT19; event++)
        for (int state = STA1; state <= STA13; state++) {
            if (event == EVT12 && state == STA7)
                continue;
            struct upper_layer_step requestor =
                upper_layer_next((enum upper_layer_state)state, (enum upper_layer_event)event, 1);
            struct upper_layer_step acceptor =
                upper_layer_next((enum upper_layer_state)state, (enum upper_layer_event)event, 0);
            cr_assert(requestor.action == acceptor.action && requestor.next == acceptor.next);
        }
}

/* Whatever a peer sends or does while a connection is there, the table has an answer. */
Test(upper_layer, nothing_a_peer_does_is_unforeseen)
{
    static const enum upper_layer_event of_peer[] = {EVT3, EVT4, EVT6, EVT10, EVT12, EVT13, EVT16, EVT17, EVT19};
    for (size_t i = 0; i < sizeof of_peer / sizeof of_peer[0]; i++)
        for (int state = STA2; state <= STA13; state++)
            if (state != STA4)
                cr_assert_neq(upper_layer_next((enum upper_layer_state)state, of_peer[i], 0).action, ACTION_NONE);
}

static void assert_path(int requestor, const enum upper_layer_event *events, const char *wanted)
{
    char seen[128] = "";
    enum upper_layer_state state = STA1;
    for (; *events != 0; events++) {
        struct upper_layer_step step = upper_layer_next(state, *events, requestor);
        cr_assert_neq(step.action, ACTION_NONE);
        state = step.next;
        strcat(strcat(seen, upper_layer_state_name(state)), " ");
    }
    cr_assert_str_eq(seen, wanted);
}

#define PATH(...) ((const enum upper_layer_event[]){__VA_ARGS__, 0})

Test(upper_layer, associations_run_their_course)
{
    assert_path(1, PATH(EVT1, EVT2, EVT3, EVT9, EVT10, EVT11, EVT10, EVT13),
                "Sta4 Sta5 Sta6 Sta6 Sta6 Sta7 Sta7 Sta1 ");
    assert_path(0, PATH(EVT5, EVT6, EVT7, EVT10, EVT12, EVT9, EVT14, EVT17),
                "Sta2 Sta3 Sta6 Sta6 Sta8 Sta8 Sta13 Sta1 ");
    assert_path(1, PATH(EVT1, EVT2, EVT4), "Sta4 Sta5 Sta1 ");
    assert_path(0, PATH(EVT5, EVT6, EVT8, EVT18), "Sta2 Sta3 Sta13 Sta1 ");
    assert_path(1, PATH(EVT1, EVT2, EVT3, EVT11, EVT12, EVT14, EVT13), "Sta4 Sta5 Sta6 Sta7 Sta9 Sta11 Sta1 ");
    assert_path(0, PATH(EVT5, EVT6, EVT7, EVT11, EVT12, EVT13, EVT14, EVT17),
                "Sta2 Sta3 Sta6 Sta7 Sta10 Sta12 Sta13 Sta1 ");
    assert_path(1, PATH(EVT1, EVT2, EVT3, EVT19, EVT10, EVT17), "Sta4 Sta5 Sta6 Sta13 Sta13 Sta1 ");
}

Test(upper_layer, every_name_is_its_own)
{
    for (int action = ACTION_NONE; action <= AA8; action++)
        for (int other = ACTION_NONE; other < action; other++)
            cr_assert_str_neq(upper_layer_action_name((enum upper_layer_action)action),
                              upper_layer_action_name((enum upper_layer_action)other));
}
