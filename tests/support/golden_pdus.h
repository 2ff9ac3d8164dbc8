/*
 * golden_pdus - one PDU of each type as it stands on the wire, written by hand from the tables of PS3.8 section 9.3.
 *
 * Numbers in comments are the byte numbers of the tables; lengths were counted by hand. Use sizeof - 1: the strings'
 * own NUL is no part of the PDU.
 */
#ifndef SUPPORT_GOLDEN_PDUS_H
#define SUPPORT_GOLDEN_PDUS_H

/* clang-format off */

#define AE_PAD_11 "           "
#define AE_PAD_10 "          "
#define ZERO_32 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* A-ASSOCIATE-RQ: Table 9-11. */
static const char golden_associate_rq[] =
    "\x01" "\x00"                                /* 1     PDU type; 2 reserved */
    "\x00\x00\x01\x2A"                           /* 3-6   PDU length: 68 + 25 + 81 + 50 + 74 = 298 */
    "\x00\x01"                                   /* 7-8   protocol version */
    "\x00\x00"                                   /* 9-10  reserved */
    "STORE" AE_PAD_11                            /* 11-26 called AE title */
    "SENDER" AE_PAD_10                           /* 27-42 calling AE title */
    ZERO_32                                      /* 43-74 reserved */
    /* Application context item, Table 9-12 */
    "\x10" "\x00"                                /* 1     item type; 2 reserved */
    "\x00\x15"                                   /* 3-4   item length: 21 */
    "1.2.840.10008.3.1.1.1"                      /* 5..   application context name */
    /* Presentation context item, Table 9-13 */
    "\x20" "\x00"                                /* 1     item type; 2 reserved */
    "\x00\x4D"                                   /* 3-4   item length: 4 + 29 + 23 + 21 = 77 */
    "\x01" "\x00" "\x00" "\x00"                  /* 5     presentation context ID; 6-8 reserved */
    "\x30" "\x00" "\x00\x19"                     /*       abstract syntax sub-item, Table 9-14: 25 */
    "1.2.840.10008.5.1.4.1.1.2"
    "\x40" "\x00" "\x00\x13"                     /*       transfer syntax sub-item, Table 9-15: 19 */
    "1.2.840.10008.1.2.1"
    "\x40" "\x00" "\x00\x11"                     /*       another: 17 */
    "1.2.840.10008.1.2"
    /* Presentation context item, Table 9-13 */
    "\x20" "\x00" "\x00\x2E"                     /* 1-4   item length: 4 + 21 + 21 = 46 */
    "\x03" "\x00" "\x00" "\x00"                  /* 5     presentation context ID; 6-8 reserved */
    "\x30" "\x00" "\x00\x11"
    "1.2.840.10008.1.1"
    "\x40" "\x00" "\x00\x11"
    "1.2.840.10008.1.2"
    /* User information item, Table 9-16 */
    "\x50" "\x00"                                /* 1     item type; 2 reserved */
    "\x00\x46"                                   /* 3-4   item length: 8 + 11 + 8 + 33 + 10 = 70 */
    "\x51" "\x00" "\x00\x04"                     /*       maximum length, Table D.1-1 */
    "\x00\x00\x40\x00"                           /*       16,384 */
    "\x52" "\x00" "\x00\x07"                     /*       implementation class UID, PS3.7 Table D.3-1 */
    "1.2.3.4"
    "\x53" "\x00" "\x00\x04"                     /*       asynchronous operations window, PS3.7 Table D.3-7 */
    "\x00\x08" "\x00\x01"                        /*       invoked 8, performed 1 */
    "\x54" "\x00" "\x00\x1D"                     /*       SCP/SCU role selection, PS3.7 Table D.3-9: 2 + 25 + 2 */
    "\x00\x19"                                   /*       UID length */
    "1.2.840.10008.5.1.4.1.1.2"
    "\x00" "\x01"                                /*       SCU role no, SCP role yes */
    "\x55" "\x00" "\x00\x06"                     /*       implementation version name, PS3.7 Table D.3-3 */
    "TEST_1";

/* A-ASSOCIATE-AC: Table 9-17. */
static const char golden_associate_ac[] =
    "\x02" "\x00"                                /* 1     PDU type; 2 reserved */
    "\x00\x00\x00\xCA"                           /* 3-6   PDU length: 68 + 25 + 31 + 12 + 66 = 202 */
    "\x00\x01"                                   /* 7-8   protocol version */
    "\x00\x00"                                   /* 9-10  reserved */
    "STORE" AE_PAD_11                            /* 11-26 as in the request */
    "SENDER" AE_PAD_10                           /* 27-42 as in the request */
    ZERO_32                                      /* 43-74 as in the request */
    "\x10" "\x00" "\x00\x15"                     /*       application context item, Table 9-12 */
    "1.2.840.10008.3.1.1.1"
    /* Presentation context item, Table 9-18 */
    "\x21" "\x00" "\x00\x1B"                     /* 1-4   item length: 4 + 23 = 27 */
    "\x01" "\x00"                                /* 5     presentation context ID; 6 reserved */
    "\x00"                                       /* 7     result: acceptance */
    "\x00"                                       /* 8     reserved */
    "\x40" "\x00" "\x00\x13"                     /* 9..   transfer syntax sub-item */
    "1.2.840.10008.1.2.1"
    /* Presentation context item, Table 9-18 */
    "\x21" "\x00" "\x00\x08"                     /* 1-4   item length: 4 + 4 */
    "\x03" "\x00"                                /* 5     presentation context ID; 6 reserved */
    "\x03"                                       /* 7     result: abstract syntax not supported */
    "\x00"                                       /* 8     reserved */
    "\x40" "\x00" "\x00\x00"                     /* 9..   transfer syntax sub-item, not significant */
    /* User information item, Table 9-16 */
    "\x50" "\x00" "\x00\x3E"                     /* 1-4   item length: 8 + 11 + 33 + 10 = 62 */
    "\x51" "\x00" "\x00\x04"
    "\x00\x01\x00\x00"                           /*       65,536 */
    "\x52" "\x00" "\x00\x07"
    "1.2.3.5"
    "\x54" "\x00" "\x00\x1D"
    "\x00\x19"
    "1.2.840.10008.5.1.4.1.1.2"
    "\x01" "\x00"                                /*       SCU role yes, SCP role no */
    "\x55" "\x00" "\x00\x06"
    "PEER_7";

/* A-ASSOCIATE-RJ: Table 9-21. */
static const char golden_reject[] =
    "\x03" "\x00"                                /* 1     PDU type; 2 reserved */
    "\x00\x00\x00\x04"                           /* 3-6   PDU length */
    "\x00"                                       /* 7     reserved */
    "\x01"                                       /* 8     result: rejected-permanent */
    "\x01"                                       /* 9     source: service-user */
    "\x07";                                      /* 10    reason: called AE title not recognized */

/* P-DATA-TF: Table 9-22, with PDV items after Table 9-23. */
static const char golden_data[] =
    "\x04" "\x00"                                /* 1     PDU type; 2 reserved */
    "\x00\x00\x00\x1E"                           /* 3-6   PDU length: 10 + 6 + 8 + 6 = 30 */
    "\x00\x00\x00\x06"                           /* 1-4   item length: 2 + 4 */
    "\x01"                                       /* 5     presentation context ID */
    "\x03"                                       /* 6     message control header: command, last */
    "CMD1"
    "\x00\x00\x00\x02"                           /* 1-4   item length: 2, no data */
    "\x01" "\x00"                                /* 5-6   data set, not last */
    "\x00\x00\x00\x04"
    "\x01" "\x00"
    "AB"
    "\x00\x00\x00\x02"                           /* 1-4   item length: 2, no data */
    "\x01" "\x02";                               /* 5-6   data set, last */

/* A-RELEASE-RQ: Table 9-24. */
static const char golden_release_rq[] =
    "\x05" "\x00"                                /* 1     PDU type; 2 reserved */
    "\x00\x00\x00\x04"                           /* 3-6   PDU length */
    "\x00\x00\x00\x00";                          /* 7-10  reserved */

/* A-RELEASE-RP: Table 9-25. */
static const char golden_release_rp[] =
    "\x06" "\x00"
    "\x00\x00\x00\x04"
    "\x00\x00\x00\x00";

/* A-ABORT: Table 9-26. */
static const char golden_abort[] =
    "\x07" "\x00"                                /* 1     PDU type; 2 reserved */
    "\x00\x00\x00\x04"                           /* 3-6   PDU length */
    "\x00\x00"                                   /* 7-8   reserved */
    "\x02"                                       /* 9     source: service-provider */
    "\x06";                                      /* 10    reason: invalid PDU parameter value */

/* clang-format on */

#define GOLDEN_LEN(array) (sizeof(array) - 1)

#endif
