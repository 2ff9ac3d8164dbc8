/*
 * pdu_items - the item types inside A-ASSOCIATE PDUs, shared by the two halves of pdu.
 *
 * Every item begins with type (1), reserved (1) and the length of what follows (2, big endian).
 */
#ifndef WIRE_PDU_ITEMS_H
#define WIRE_PDU_ITEMS_H

enum pdu_item_type {
    ITEM_APPLICATION_CONTEXT = 0x10,    /* PS3.8 Table 9-12 */
    ITEM_CONTEXT_RQ = 0x20,             /* PS3.8 Table 9-13 */
    ITEM_CONTEXT_AC = 0x21,             /* PS3.8 Table 9-18 */
    ITEM_ABSTRACT_SYNTAX = 0x30,        /* PS3.8 Table 9-14 */
    ITEM_TRANSFER_SYNTAX = 0x40,        /* PS3.8 Table 9-15 */
    ITEM_USER_INFORMATION = 0x50,       /* PS3.8 Table 9-16 */
    ITEM_MAX_LEN = 0x51,                /* PS3.8 Table D.1-1 */
    ITEM_IMPLEMENTATION_CLASS = 0x52,   /* PS3.7 Table D.3-1 */
    ITEM_ASYNC = 0x53,                  /* PS3.7 Table D.3-7 */
    ITEM_ROLE = 0x54,                   /* PS3.7 Table D.3-9 */
    ITEM_IMPLEMENTATION_VERSION = 0x55, /* PS3.7 Table D.3-3 */
    ITEM_IDENTITY_RQ = 0x58,            /* PS3.7 Table D.3-14 */
    ITEM_IDENTITY_AC = 0x59             /* PS3.7 Table D.3-15 */
};

enum { ITEM_HEADER_LEN = 4, ASSOCIATE_FIXED_LEN = 68 /* of an A-ASSOCIATE body, before its first item */ };

#endif
