/* option_choices - see option_choices.h. */
#include "programs/option_choices.h"

#include "dicomnet/dimse.h"
#include "dicomnet/log.h"
#include "dicomnet/query_retrieve.h"
#include "dicomnet/tls.h"
#include "engine/intake.h"
#include "instance/fallback.h"
#include "programs/option_groups.h"

const struct option_choice option_priorities[] = {
    {"low", DICOMNET_PRIORITY_LOW}, {"medium", DICOMNET_PRIORITY_MEDIUM}, {"high", DICOMNET_PRIORITY_HIGH}, {NULL, 0}};

const struct option_choice option_conflicts[] = {
    {"fail", CONFLICT_FAIL}, {"first", CONFLICT_FIRST}, {"all", CONFLICT_ALL}, {NULL, 0}};
const struct option_choice option_transcodes[] = {{"never", TRANSCODE_NEVER},
                                                  {"uncompressed", TRANSCODE_UNCOMPRESSED},
                                                  {"lossless", TRANSCODE_LOSSLESS},
                                                  {"lossy", TRANSCODE_LOSSY},
                                                  {NULL, 0}};
const struct option_choice option_tls_versions[] = {{"1.2", DICOMNET_TLS_1_2}, {"1.3", DICOMNET_TLS_1_3}, {NULL, 0}};
const struct option_choice option_tls_clients[] = {
    {"none", TLS_CLIENT_NONE}, {"request", TLS_CLIENT_REQUEST}, {"require", TLS_CLIENT_REQUIRE}, {NULL, 0}};
/* RFC 2474, 2597, 3246, 5865, 8622: the six bits of the code point, and two of zero behind them. */
const struct option_choice option_traffic_classes[] = {
    {"ef", 46 << 2},   {"af11", 10 << 2}, {"af12", 12 << 2}, {"af13", 14 << 2}, {"af21", 18 << 2}, {"af22", 20 << 2},
    {"af23", 22 << 2}, {"af31", 26 << 2}, {"af32", 28 << 2}, {"af33", 30 << 2}, {"af41", 34 << 2}, {"af42", 36 << 2},
    {"af43", 38 << 2}, {"cs0", 0 << 2},   {"cs1", 8 << 2},   {"cs2", 16 << 2},  {"cs3", 24 << 2},  {"cs4", 32 << 2},
    {"cs5", 40 << 2},  {"cs6", 48 << 2},  {"cs7", 56 << 2},  {"le", 1 << 2},    {"va", 44 << 2},   {NULL, 0}};

const struct option_choice option_automatic[] = {{"auto", 0}, {NULL, 0}};

/* The names after "debug" work and are not advertised. */
const struct option_choice option_log_levels[] = {
    {"error", DICOMNET_LOG_ERROR}, {"warn", DICOMNET_LOG_WARN},    {"info", DICOMNET_LOG_INFO},
    {"debug", DICOMNET_LOG_DEBUG}, {"trace", DICOMNET_LOG_DEBUG},  {"critical", DICOMNET_LOG_ERROR},
    {"fatal", DICOMNET_LOG_ERROR}, {"warning", DICOMNET_LOG_WARN}, {NULL, 0}};

const struct option_choice option_query_levels[] = {
    {"patient", DICOMNET_QUERY_LEVEL_PATIENT}, {"study", DICOMNET_QUERY_LEVEL_STUDY},
    {"series", DICOMNET_QUERY_LEVEL_SERIES},   {"image", DICOMNET_QUERY_LEVEL_IMAGE},
    {"instance", DICOMNET_QUERY_LEVEL_IMAGE},  {NULL, 0}};
