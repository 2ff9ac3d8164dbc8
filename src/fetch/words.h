/*
 * words - what is said of a query that has ended: to a person, and to the log.
 */
#ifndef FETCH_WORDS_H
#define FETCH_WORDS_H

#include <stddef.h>

#include "fetch/run.h"

/* "C-FIND: status A900 (identifier does not match SOP class): comment" */
void words_describe_query(const struct dicomnet_query *query, char *ret_text, size_t size);

/* The record query.ended; the records to come are about no study then. */
void words_log_query_ended(struct run *run, const struct dicomnet_query *query);

#endif
