/* fold - see archive/fold.h. */
#include "archive/fold.h"

#include <stdint.h>

/* Letters without case and accent, for each character from U+00C0 and from U+1E00; "." where there is none such. */
static const char latin[] = "aaaaaa.ceeeeiiii.nooooo.ouuuuy..aaaaaa.ceeeeiiii.nooooo.ouuuuy.y"       /* U+00C0 */
                            "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkk.lllllll"       /* U+0100 */
                            "lllnnnnnn...oooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";      /* U+0140 */
static const char more_latin[] = "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"  /* U+1E00 */
                                 "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"  /* U+1E40 */
                                 "wwwwwwwwwwxxxxyyzzzzzzhtwy......aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"  /* U+1E80 */
                                 "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"; /* U+1EC0 */

/* Runs of capitals: the small letter is `delta` further. In a run of pairs only every second one is a capital. */
static const struct run {
    uint16_t first, last;
    int16_t delta;
    uint8_t step;
} runs[] = {
    {0x00C6, 0x00C6, 32, 1},   /* AE */
    {0x00D0, 0x00D0, 32, 1},   /* ETH */
    {0x00DE, 0x00DE, 32, 1},   /* THORN */
    {0x0132, 0x0132, 1, 1},    /* IJ */
    {0x014A, 0x014A, 1, 1},    /* ENG */
    {0x0152, 0x0152, 1, 1},    /* OE */
    {0x0386, 0x0386, 0x2B, 1}, /* Greek: alpha with tonos becomes alpha, and so on */
    {0x0388, 0x0388, 0x2D, 1},    {0x0389, 0x0389, 0x2E, 1},  {0x038A, 0x038A, 0x2F, 1},
    {0x038C, 0x038C, 0x33, 1},    {0x038E, 0x038E, 0x37, 1},  {0x038F, 0x038F, 0x3A, 1},
    {0x0390, 0x0390, 0x29, 1},    {0x0391, 0x03A9, 32, 1},    {0x03AA, 0x03AA, 0x0F, 1},
    {0x03AB, 0x03AB, 0x1A, 1},    {0x03AC, 0x03AC, 0x05, 1},  {0x03AD, 0x03AD, 0x08, 1},
    {0x03AE, 0x03AE, 0x09, 1},    {0x03AF, 0x03AF, 0x0A, 1},  {0x03B0, 0x03B0, 0x15, 1},
    {0x03C2, 0x03C2, 1, 1}, /* the sigma at the end of a word */
    {0x03CA, 0x03CA, -0x11, 1},   {0x03CB, 0x03CB, -0x06, 1}, {0x03CC, 0x03CC, -0x0D, 1},
    {0x03CD, 0x03CD, -0x08, 1},   {0x03CE, 0x03CE, -0x05, 1}, {0x0401, 0x0401, 0x34, 1}, /* Cyrillic: io is ie */
    {0x0419, 0x0419, 0x1F, 1},                                                           /* short i is i */
    {0x0439, 0x0439, -1, 1},      {0x0400, 0x040F, 80, 1},    {0x0410, 0x042F, 32, 1},
    {0x0451, 0x0451, -0x1C, 1},   {0x0460, 0x0480, 1, 2},     {0x048A, 0x04BE, 1, 2},
    {0x04D0, 0x052E, 1, 2},       {0x0531, 0x0556, 48, 1}, /* Armenian */
    {0x1E9E, 0x1E9E, -0x1DBF, 1},                          /* sharp S */
    {0xFF21, 0xFF3A, 32, 1},                               /* full width */
};

/* The combining accents, which are dropped. */
enum { ACCENTS_FIRST = 0x0300, ACCENTS_LAST = 0x036F };

/* The letter of a table for this character; 0 if it has none. */
static uint32_t find_base(const char *table, size_t count, uint32_t first, uint32_t character)
{
    if (character < first || character - first >= count || table[character - first] == '.')
        return 0;
    return (uint8_t)table[character - first];
}

static uint32_t fold_character(uint32_t character)
{
    if (character < 0x80)
        return character >= 'A' && character <= 'Z' ? character + 32 : character;
    uint32_t base = find_base(latin, sizeof latin - 1, 0x00C0, character);
    if (base == 0)
        base = find_base(more_latin, sizeof more_latin - 1, 0x1E00, character);
    if (base != 0)
        return base;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const struct run *run = &runs[i];
        if (character >= run->first && character <= run->last && (character - run->first) % run->step == 0)
            return (uint32_t)((int32_t)character + run->delta);
    }
    return character;
}

/* A character of 2 or 3 bytes; those of 4 have no case that matters here. Returns its length, 1 if it is none. */
static size_t decode(const uint8_t *text, uint32_t *ret_character)
{
    *ret_character = text[0];
    if ((text[0] & 0xE0) == 0xC0 && (text[1] & 0xC0) == 0x80) {
        *ret_character = (uint32_t)(text[0] & 0x1F) << 6 | (text[1] & 0x3F);
        return 2;
    }
    if ((text[0] & 0xF0) == 0xE0 && (text[1] & 0xC0) == 0x80 && (text[2] & 0xC0) == 0x80) {
        *ret_character = (uint32_t)(text[0] & 0x0F) << 12 | (uint32_t)(text[1] & 0x3F) << 6 | (text[2] & 0x3F);
        return 3;
    }
    return 1;
}

static size_t encode(uint32_t character, uint8_t *ret_bytes)
{
    if (character < 0x80) {
        ret_bytes[0] = (uint8_t)character;
        return 1;
    }
    if (character < 0x800) {
        ret_bytes[0] = (uint8_t)(0xC0 | character >> 6);
        ret_bytes[1] = (uint8_t)(0x80 | (character & 0x3F));
        return 2;
    }
    ret_bytes[0] = (uint8_t)(0xE0 | character >> 12);
    ret_bytes[1] = (uint8_t)(0x80 | (character >> 6 & 0x3F));
    ret_bytes[2] = (uint8_t)(0x80 | (character & 0x3F));
    return 3;
}

size_t fold_name(const char *text, char *ret_text)
{
    const uint8_t *from = (const uint8_t *)text;
    uint8_t *to = (uint8_t *)ret_text;
    while (*from != '\0') {
        uint32_t character;
        size_t len = decode(from, &character);
        if (len == 1 && *from >= 0x80)
            *to++ = *from; /* of a longer character, or of none */
        else if (character < ACCENTS_FIRST || character > ACCENTS_LAST)
            to += encode(fold_character(character), to);
        from += len;
    }
    *to = '\0';
    return (size_t)(to - (uint8_t *)ret_text);
}
