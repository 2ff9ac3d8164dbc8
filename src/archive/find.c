/*
 * find - C-FIND (PS3.4 C.4.1): the index gives entities of the level, match.c decides, one match at a time goes out.
 * See archive/archive_private.h.
 *
 * A row is compared key by key, value by value, and the loop is given back in between (turn.c): a list of names against
 * a large archive takes long, and holds up nobody else. It ends when the peer cancels it or goes.
 *
 * Queries are relational (PS3.4 C.4.1.2.2) for everybody: keys of the levels above need not be given. UIDs, and a
 * Patient ID without wildcards, narrow the search in the index; all other keys are compared row by row.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "archive/match.h"
#include "base/charset.h"

/* One attribute that is asked for. */
struct column {
    const struct attribute *attribute;
    char vr[3];
    char *text;            /* of the key, UTF-8 */
    struct match_key *key; /* NULL = any value, or the index has seen to it */
};

struct find {
    struct rest rest;
    struct archive *archive;
    struct dicomnet_query_request *request;
    struct index_cursor *cursor;
    enum dicomnet_query_level level;
    size_t column_count;
    struct column columns[ATTRIBUTES_MAX];
    bool comparing; /* a row, as far as these two say */
    size_t column;
    struct match_position position;
    bool unsupported; /* there were keys that the archive does not know */
    struct dicomnet_identifier match;
};

static void destroy(struct find *find)
{
    for (size_t i = 0; i < find->column_count; i++) {
        free(find->columns[i].text);
        match_key_destroy(find->columns[i].key);
    }
    index_cursor_close(find->cursor);
    dicomnet_identifier_fini(&find->match);
    free(find);
}

/* ---- the request ---- */

/* True for what a request says of how to ask and to answer, by which no entity is matched: level, character set, time
 * zone, who would send it. */
static bool is_no_key(uint32_t tag)
{
    return tag == DICOMNET_TAG_QUERY_RETRIEVE_LEVEL || tag == DICOMNET_TAG_SPECIFIC_CHARACTER_SET ||
           tag == DICOMNET_TAG_RETRIEVE_AE_TITLE || tag == DICOMNET_TAG_INSTANCE_AVAILABILITY || tag == 0x00080201;
}

/* True if the index can find the rows with this key by itself. */
static bool narrows(const struct attribute *attribute, const char *key)
{
    if (attribute->tag == DICOMNET_TAG_PATIENT_ID)
        return strpbrk(key, "*?\\") == NULL && key[strspn(key, " ")] != '\0';
    return attribute->tag == dicomnet_query_level_key(attribute->level);
}

/* A query costs as much as its keys have values, so their number is limited: 0 or -E2BIG. */
static int check_key(const struct column *column, char ret_comment[DICOMNET_COMMENT_SIZE])
{
    size_t most = strcmp(column->vr, "UI") == 0 ? KEY_UIDS_MAX : KEY_VALUES_MAX;
    if (match_count_values(column->vr, column->text) <= most)
        return 0;
    snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%.40s: more than %zu values", column->attribute->name, most);
    return -E2BIG;
}

static int take_key(struct find *find, const struct dicomnet_identifier *identifier,
                    const struct dicomnet_element *element, struct index_keys *keys,
                    char ret_comment[DICOMNET_COMMENT_SIZE])
{
    const struct attribute *attribute = attribute_find(element->tag);
    if (attribute == NULL || attribute->level > find->level || strcmp(element->vr, "SQ") == 0) {
        find->unsupported = find->unsupported || !is_no_key(element->tag);
        return 0;
    }
    struct column *column = &find->columns[find->column_count];
    column->attribute = attribute;
    snprintf(column->vr, sizeof column->vr, "%s", dicomnet_dictionary_vr(element->tag));
    column->text = attribute_read_key(identifier, element, column->vr);
    if (column->text == NULL)
        return -ENOMEM;
    find->column_count++;
    int error = check_key(column, ret_comment);
    if (error != 0 || match_is_universal(column->vr, column->text))
        return error;
    if (narrows(attribute, column->text)) {
        keys->values[attribute->level] = column->text;
        return 0;
    }
    column->key = match_key_create(column->vr, column->text);
    return column->key != NULL ? 0 : -ENOMEM;
}

static int open_cursor(struct find *find, const struct dicomnet_query_request *request,
                       char ret_comment[DICOMNET_COMMENT_SIZE])
{
    struct index_keys keys = {0};
    const struct attribute *wanted[ATTRIBUTES_MAX];
    int error = 0;
    for (struct dicomnet_element element = {0}; error == 0 && dicomnet_identifier_skip(request->identifier, &element);)
        error = take_key(find, request->identifier, &element, &keys, ret_comment);
    for (size_t i = 0; i < find->column_count; i++)
        wanted[i] = find->columns[i].attribute;
    return error != 0 ? error
                      : index_find(find->archive->index, find->level, wanted, find->column_count, &keys, &find->cursor);
}

uint16_t find_begin(struct archive *archive, struct dicomnet_query_request *request,
                    char ret_comment[DICOMNET_COMMENT_SIZE])
{
    int level = dicomnet_query_level_of(request->identifier);
    bool known = level >= 0 &&
                 !(level == DICOMNET_QUERY_LEVEL_PATIENT && request->model == DICOMNET_QUERY_STUDY_ROOT) &&
                 !(level > DICOMNET_QUERY_LEVEL_STUDY && request->model == DICOMNET_QUERY_PATIENT_STUDY_ONLY);
    if (!known) {
        snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "no Query/Retrieve Level of this information model");
        return DICOMNET_STATUS_DATA_SET_MISMATCH;
    }
    struct find *find = calloc(1, sizeof *find);
    if (find == NULL)
        return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    find->archive = archive;
    find->request = request;
    find->level = (enum dicomnet_query_level)level;
    dicomnet_identifier_init(&find->match);
    int error = open_cursor(find, request, ret_comment);
    if (error != 0) {
        if (ret_comment[0] == '\0')
            snprintf(ret_comment, DICOMNET_COMMENT_SIZE, "%.64s",
                     error == -EIO ? index_problem(archive->index) : dicomnet_error_text(error));
        destroy(find);
        return DICOMNET_STATUS_REFUSED_OUT_OF_RESOURCES;
    }
    request->state = find;
    archive->totals.queries++;
    return DICOMNET_STATUS_PENDING;
}

/* ---- the answer ---- */

/* Compare the row, from where it was left; MATCH_UNFINISHED at the end of the slice. */
static enum match_verdict compare_row(struct find *find, const struct slice *slice)
{
    for (; find->column < find->column_count; find->column++, find->position = (struct match_position){0}) {
        const struct column *column = &find->columns[find->column];
        enum match_verdict verdict = MATCH_YES;
        if (column->key == NULL)
            continue;
        do {
            verdict = match_step(column->key, index_cursor_text(find->cursor, find->column), &find->position);
        } while (verdict == MATCH_UNFINISHED && !slice_is_over(slice));
        if (verdict != MATCH_YES)
            return verdict;
    }
    return MATCH_YES;
}

static int put_text(struct dicomnet_identifier *match, uint32_t tag, const char *vr, const char *text)
{
    if (strcmp(vr, "US") == 0)
        return dicomnet_identifier_set_text(match, tag, text);
    return dicomnet_identifier_set_bytes(match, tag, vr, dicomnet_span_of(text));
}

/* Put the row together as a match; 0 or a negative error. */
static int make_match(struct find *find)
{
    struct dicomnet_identifier *match = &find->match;
    const char *ae = dicomnet_association_called_ae(find->request->association);
    bool ascii = true;
    dicomnet_identifier_clear(match);
    int error = put_text(match, DICOMNET_TAG_QUERY_RETRIEVE_LEVEL, "CS", dicomnet_query_level_name(find->level));
    error = error != 0 ? error : put_text(match, DICOMNET_TAG_RETRIEVE_AE_TITLE, "AE", ae);
    if (error == 0 && dicomnet_identifier_find(find->request->identifier, DICOMNET_TAG_INSTANCE_AVAILABILITY, NULL))
        error = put_text(match, DICOMNET_TAG_INSTANCE_AVAILABILITY, "CS", "ONLINE");
    for (size_t i = 0; i < find->column_count && error == 0; i++) {
        const char *text = index_cursor_text(find->cursor, i);
        ascii = ascii && charset_is_ascii(dicomnet_span_of(text));
        error = put_text(match, find->columns[i].attribute->tag, find->columns[i].vr, text);
    }
    if (error == 0 && !ascii)
        error = put_text(match, DICOMNET_TAG_SPECIFIC_CHARACTER_SET, "CS", "ISO_IR 192");
    return error;
}

static void finish(struct find *find, uint16_t status, const char *comment)
{
    struct dicomnet_query_finish last = {.comment = comment};
    dicomnet_query_request_finish(find->request, status, &last);
}

/* Find the next match: 1, 0 if there is none, 2 if the slice ended before that, or an error. */
static int find_row(struct find *find)
{
    const struct slice slice = slice_begin();
    do {
        if (!find->comparing) {
            int result = index_cursor_next(find->cursor);
            if (result <= 0)
                return result;
            find->comparing = true;
            find->column = 0;
            find->position = (struct match_position){0};
        }
        enum match_verdict verdict = compare_row(find, &slice);
        if (verdict == MATCH_UNFINISHED)
            break;
        find->comparing = false;
        if (verdict == MATCH_YES)
            return 1;
    } while (!slice_is_over(&slice));
    return 2;
}

static void go_on(void *context)
{
    struct find *find = context;
    find_ready(find->request);
}

void find_ready(struct dicomnet_query_request *request)
{
    struct find *find = request->state;
    if (request->cancelled) {
        finish(find, DICOMNET_STATUS_CANCEL, NULL);
        return;
    }
    int result = find_row(find);
    if (result == 2) {
        rest_begin(find->archive, &find->rest, go_on, find);
        return;
    }
    if (result == 1) {
        result = make_match(find);
        find->archive->totals.matches++;
        if (result == 0)
            result = dicomnet_query_request_match(
                request, &find->match, find->unsupported ? DICOMNET_STATUS_PENDING_WARNING : DICOMNET_STATUS_PENDING);
        if (result == 0 || result == DICOMNET_ERROR_NOT_OPEN)
            return;
    }
    if (result == 0)
        finish(find, DICOMNET_STATUS_SUCCESS, NULL);
    else
        finish(find, DICOMNET_STATUS_UNABLE_TO_PROCESS,
               result == -EIO ? index_problem(find->archive->index) : dicomnet_error_text(result));
}

void find_ended(struct dicomnet_query_request *request)
{
    struct find *find = request->state;
    rest_end(&find->rest);
    destroy(find);
}
