/*
 * option_choices - the words that the options of the table (options_table.h) choose from, and what each stands for.
 */
#ifndef PROGRAMS_OPTION_CHOICES_H
#define PROGRAMS_OPTION_CHOICES_H

#include "programs/options_table.h"

/* Each ends with a NULL name. */
extern const struct option_choice option_priorities[];      /* enum dicomnet_dimse_priority */
extern const struct option_choice option_conflicts[];       /* enum intake_conflict */
extern const struct option_choice option_transcodes[];      /* enum transcode */
extern const struct option_choice option_tls_versions[];    /* enum dicomnet_tls_version */
extern const struct option_choice option_tls_clients[];     /* enum tls_client */
extern const struct option_choice option_traffic_classes[]; /* octets: code points of RFC 2474 and its kin, times 4 */
extern const struct option_choice option_automatic[];       /* 0, beside numbers */
extern const struct option_choice option_log_levels[];      /* enum dicomnet_log_level */
extern const struct option_choice option_query_levels[];    /* enum dicomnet_query_level */

#endif
