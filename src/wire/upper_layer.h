/*
 * upper_layer - the state machine of the DICOM upper layer (PS3.8 section 9.2), as data.
 *
 * States, events and actions keep the standard's names, so that the table in upper_layer.c can be checked against
 * Table 9-10 by eye. Nothing here does I/O: the caller gives an event and is told which action to perform and which
 * state comes next. The association (net) performs the actions.
 *
 *   requestor  Sta1 -> Sta4 -> Sta5 -> Sta6 -> Sta7 -> Sta1
 *              idle    connecting  await AC   data    await RP
 *   acceptor   Sta1 -> Sta2 -> Sta3 -> Sta6 -> Sta8 -> Sta13 -> Sta1
 *              idle    await RQ  decide  data   release asked, await close
 */
#ifndef WIRE_UPPER_LAYER_H
#define WIRE_UPPER_LAYER_H

enum upper_layer_state {
    STA1 = 1, /* idle */
    STA2,     /* transport connection open, awaiting A-ASSOCIATE-RQ */
    STA3,     /* awaiting the local A-ASSOCIATE response */
    STA4,     /* awaiting the transport connection to open */
    STA5,     /* awaiting A-ASSOCIATE-AC or -RJ */
    STA6,     /* association established, ready for data transfer */
    STA7,     /* awaiting A-RELEASE-RP */
    STA8,     /* awaiting the local A-RELEASE response */
    STA9,     /* release collision, requestor: awaiting the local A-RELEASE response */
    STA10,    /* release collision, acceptor: awaiting A-RELEASE-RP */
    STA11,    /* release collision, requestor: awaiting A-RELEASE-RP */
    STA12,    /* release collision, acceptor: awaiting the local A-RELEASE response */
    STA13     /* awaiting the transport connection to close */
};

enum upper_layer_event {
    EVT1 = 1, /* A-ASSOCIATE request (local user) */
    EVT2,     /* transport connect confirm (local transport service) */
    EVT3,     /* A-ASSOCIATE-AC PDU received */
    EVT4,     /* A-ASSOCIATE-RJ PDU received */
    EVT5,     /* transport connection indication */
    EVT6,     /* A-ASSOCIATE-RQ PDU received */
    EVT7,     /* A-ASSOCIATE response: accept (local user) */
    EVT8,     /* A-ASSOCIATE response: reject (local user) */
    EVT9,     /* P-DATA request (local user) */
    EVT10,    /* P-DATA-TF PDU received */
    EVT11,    /* A-RELEASE request (local user) */
    EVT12,    /* A-RELEASE-RQ PDU received */
    EVT13,    /* A-RELEASE-RP PDU received */
    EVT14,    /* A-RELEASE response (local user) */
    EVT15,    /* A-ABORT request (local user) */
    EVT16,    /* A-ABORT PDU received */
    EVT17,    /* transport connection closed */
    EVT18,    /* ARTIM timer expired */
    EVT19     /* unrecognized or invalid PDU received */
};

/* The actions of PS3.8 Tables 9-6 to 9-9. */
enum upper_layer_action {
    ACTION_NONE, /* the event is not possible in this state */
    AE1,         /* open the transport connection */
    AE2,         /* send A-ASSOCIATE-RQ */
    AE3,         /* A-ASSOCIATE confirmation (accept) to the local user */
    AE4,         /* A-ASSOCIATE confirmation (reject); close the connection */
    AE5,         /* connection response; start ARTIM */
    AE6,         /* stop ARTIM; A-ASSOCIATE indication, or send RJ and start ARTIM */
    AE7,         /* send A-ASSOCIATE-AC */
    AE8,         /* send A-ASSOCIATE-RJ; start ARTIM */
    DT1,         /* send P-DATA-TF */
    DT2,         /* P-DATA indication */
    AR1,         /* send A-RELEASE-RQ */
    AR2,         /* A-RELEASE indication */
    AR3,         /* A-RELEASE confirmation; close the connection */
    AR4,         /* send A-RELEASE-RP; start ARTIM */
    AR5,         /* stop ARTIM */
    AR6,         /* P-DATA indication (while a release is under way) */
    AR7,         /* send P-DATA-TF (while a release is under way) */
    AR8,         /* A-RELEASE indication (collision): next is Sta9 for the requestor, Sta10 for the acceptor */
    AR9,         /* send A-RELEASE-RP */
    AR10,        /* A-RELEASE confirmation */
    AA1,         /* send A-ABORT (user); start or restart ARTIM */
    AA2,         /* stop ARTIM; close the connection */
    AA3,         /* A-ABORT or A-P-ABORT indication; close the connection */
    AA4,         /* A-P-ABORT indication */
    AA5,         /* stop ARTIM */
    AA6,         /* ignore the PDU */
    AA7,         /* send A-ABORT */
    AA8          /* send A-ABORT (provider); A-P-ABORT indication; start ARTIM */
};

struct upper_layer_step {
    enum upper_layer_action action;
    enum upper_layer_state next;
};

/*
 * The cell of Table 9-10 for a state and an event. AE6 returns STA3 as next (a caller that rejects goes on with EVT8
 * from there); AR8 needs `requestor` to choose between STA9 and STA10. Where the table is empty, action is ACTION_NONE
 * and next is the state itself.
 */
struct upper_layer_step upper_layer_next(enum upper_layer_state state, enum upper_layer_event event, int requestor);

const char *upper_layer_state_name(enum upper_layer_state state);
const char *upper_layer_action_name(enum upper_layer_action action);

#endif
