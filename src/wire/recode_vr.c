/* recode_vr - which VR an element gets that has none, and how the words of values swap. See recode_private.h. */
#include <string.h>

#include "dicomnet/dictionary.h"
#include "wire/recode_private.h"
#include "wire/vr.h"

/* clang-format off */

/* Where PS3.6 says "US or SS": as Pixel Representation says (PS3.3 C.7.6.3.1, C.11.1, C.11.2). */
static const uint32_t signed_by_pixels[] = {
    0x00189810, 0x00221452, 0x00280071, 0x00280104, 0x00280105, 0x00280106, 0x00280107, 0x00280108, 0x00280109,
    0x00280110, 0x00280111, 0x00280120, 0x00280121, 0x00281100, 0x00281101, 0x00281102, 0x00281103, 0x00281111,
    0x00281112, 0x00281113, 0x00283002, 0x00409211, 0x00409216, 0x00603004, 0x00603006};

/* Where PS3.6 leaves another choice, and what PS3.5 A.1 makes of it in implicit VR: OW. */
static const uint32_t words[] = {
    0x00143050, 0x00143070, /* dark current and air counts */
    0x00281200, 0x00283006, /* data of look-up tables: US or OW */
    0x54000110, 0x54000112, 0x5400100A, /* channel minimum, maximum and padding; Waveform Data is below */
    0x7FE00010};

/* Groups and elements that repeat (PS3.6 chapter 6, of retired ones too): bits that count, what they are, VR. */
static const struct {
    uint32_t mask, tag;
    char vr[3];
} repeating[] = {
    {0xFF00FFFF, 0x50000005, "US"}, {0xFF00FFFF, 0x50000010, "US"}, {0xFF00FFFF, 0x50000020, "CS"},
    {0xFF00FFFF, 0x50000022, "LO"}, {0xFF00FFFF, 0x50000030, "SH"}, {0xFF00FFFF, 0x50000040, "SH"},
    {0xFF00FFFF, 0x50000103, "US"}, {0xFF00FFFF, 0x50000104, "US"}, {0xFF00FFFF, 0x50000105, "US"},
    {0xFF00FFFF, 0x50000106, "SH"}, {0xFF00FFFF, 0x50000110, "US"}, {0xFF00FFFF, 0x50000112, "US"},
    {0xFF00FFFF, 0x50000114, "US"}, {0xFF00FFFF, 0x50001001, "CS"}, {0xFF00FFFF, 0x50002000, "US"},
    {0xFF00FFFF, 0x50002002, "US"}, {0xFF00FFFF, 0x50002004, "US"}, {0xFF00FFFF, 0x50002006, "UL"},
    {0xFF00FFFF, 0x50002008, "UL"}, {0xFF00FFFF, 0x5000200A, "UL"}, {0xFF00FFFF, 0x5000200C, "OW"},
    {0xFF00FFFF, 0x5000200E, "LT"}, {0xFF00FFFF, 0x50002500, "LO"}, {0xFF00FFFF, 0x50002600, "SQ"},
    {0xFF00FFFF, 0x50002610, "US"}, {0xFF00FFFF, 0x50003000, "OW"},
    {0xFF00FFFF, 0x60000010, "US"}, {0xFF00FFFF, 0x60000011, "US"}, {0xFF00FFFF, 0x60000012, "US"},
    {0xFF00FFFF, 0x60000015, "IS"}, {0xFF00FFFF, 0x60000022, "LO"}, {0xFF00FFFF, 0x60000040, "CS"},
    {0xFF00FFFF, 0x60000045, "LO"}, {0xFF00FFFF, 0x60000050, "SS"}, {0xFF00FFFF, 0x60000051, "US"},
    {0xFF00FFFF, 0x60000052, "US"}, {0xFF00FFFF, 0x60000060, "CS"}, {0xFF00FFFF, 0x60000061, "SH"},
    {0xFF00FFFF, 0x60000062, "SH"}, {0xFF00FFFF, 0x60000063, "CS"}, {0xFF00FFFF, 0x60000066, "AT"},
    {0xFF00FFFF, 0x60000068, "US"}, {0xFF00FFFF, 0x60000069, "US"}, {0xFF00FFFF, 0x60000100, "US"},
    {0xFF00FFFF, 0x60000102, "US"}, {0xFF00FFFF, 0x60000110, "CS"}, {0xFF00FFFF, 0x60000200, "US"},
    {0xFF00FFFF, 0x60000800, "CS"}, {0xFF00FFFF, 0x60000802, "US"}, {0xFF00FFFF, 0x60000803, "AT"},
    {0xFF00FFFF, 0x60000804, "US"}, {0xFF00FFFF, 0x60001001, "CS"}, {0xFF00FFFF, 0x60001100, "US"},
    {0xFF00FFFF, 0x60001101, "US"}, {0xFF00FFFF, 0x60001102, "US"}, {0xFF00FFFF, 0x60001103, "US"},
    {0xFF00FFFF, 0x60001200, "US"}, {0xFF00FFFF, 0x60001201, "US"}, {0xFF00FFFF, 0x60001202, "US"},
    {0xFF00FFFF, 0x60001203, "US"}, {0xFF00FFFF, 0x60001301, "IS"}, {0xFF00FFFF, 0x60001302, "DS"},
    {0xFF00FFFF, 0x60001303, "DS"}, {0xFF00FFFF, 0x60001500, "LO"}, {0xFF00FFFF, 0x60003000, "OW"},
    {0xFF00FFFF, 0x60004000, "LT"},
    {0xFF00FFFF, 0x7F000010, "OW"}, {0xFF00FFFF, 0x7F000011, "US"}, {0xFF00FFFF, 0x7F000020, "OW"},
    {0xFF00FFFF, 0x7F000030, "OW"}, {0xFF00FFFF, 0x7F000040, "OW"},
    {0xFFFFFF00, 0x00203100, "CS"},
    {0xFFFFFF0F, 0x00280400, "US"}, {0xFFFFFF0F, 0x00280401, "US"}, {0xFFFFFF0F, 0x00280402, "LO"},
    {0xFFFFFF0F, 0x00280403, "AT"}, {0xFFFFFF0F, 0x00280800, "CS"}, {0xFFFFFF0F, 0x00280802, "US"},
    {0xFFFFFF0F, 0x00280803, "AT"}, {0xFFFFFF0F, 0x00280804, "US"}, {0xFFFFFF0F, 0x00280808, "AT"},
    {0xFFFF000F, 0x10000000, "US"}, {0xFFFF000F, 0x10000001, "US"}, {0xFFFF000F, 0x10000002, "US"},
    {0xFFFF000F, 0x10000003, "US"}, {0xFFFF000F, 0x10000004, "US"}, {0xFFFF000F, 0x10000005, "US"},
    {0xFFFF0000, 0x10100000, "US"}};
/* clang-format on */

static bool is_among(uint32_t tag, const uint32_t *tags, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tags[i] == tag)
            return true;
    return false;
}

static const char *find_repeating(uint32_t tag)
{
    for (size_t i = 0; i < sizeof repeating / sizeof repeating[0]; i++)
        if ((tag & repeating[i].mask) == repeating[i].tag)
            return repeating[i].vr;
    return "UN";
}

const char *recode_vr_find(uint32_t tag, const struct recode_context *context)
{
    if (tag >> 16 & 1 || (tag & 0xFFFF) == 0)
        return dicomnet_dictionary_vr(tag);
    const struct dicomnet_dictionary_entry *entry = dicomnet_dictionary_find_tag(tag);
    if (entry == NULL)
        return find_repeating(tag);
    bool is_number = entry->vr[0] == 'U' || entry->vr[0] == 'O';
    if (!is_number)
        return entry->vr;
    if (tag == 0x54001010) /* Waveform Data: bytes or words (PS3.3 C.10.9.1.5) */
        return context->waveform_bits_allocated == 8 ? "OB" : "OW";
    if (is_among(tag, words, sizeof words / sizeof words[0]))
        return "OW";
    if (is_among(tag, signed_by_pixels, sizeof signed_by_pixels / sizeof signed_by_pixels[0]))
        return context->pixel_representation == 1 ? "SS" : "US";
    return entry->vr;
}

bool recode_vr_is_known(const char vr[2])
{
    return vr_find(vr) != NULL;
}

bool recode_vr_is_short(const char vr[2])
{
    const struct vr_info *info = vr_find(vr);
    return info != NULL && !info->long_length;
}

unsigned recode_vr_word(const char vr[2])
{
    static const struct {
        char vr[3];
        uint8_t word;
    } rows[] = {{"US", 2}, {"SS", 2}, {"OW", 2}, {"AT", 2}, {"UL", 4}, {"SL", 4}, {"FL", 4},
                {"OL", 4}, {"OF", 4}, {"FD", 8}, {"OD", 8}, {"SV", 8}, {"UV", 8}, {"OV", 8}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (recode_vr_is(vr, rows[i].vr))
            return rows[i].word;
    return 1;
}

static void swap_2(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t word;
        memcpy(&word, bytes + 2 * i, sizeof word);
        word = (uint16_t)(word << 8 | word >> 8);
        memcpy(bytes + 2 * i, &word, sizeof word);
    }
}

static void swap_4(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, bytes + 4 * i, sizeof word);
        word = __builtin_bswap32(word);
        memcpy(bytes + 4 * i, &word, sizeof word);
    }
}

static void swap_8(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * i, sizeof word);
        word = __builtin_bswap64(word);
        memcpy(bytes + 8 * i, &word, sizeof word);
    }
}

void recode_swap(uint8_t *bytes, size_t len, unsigned word)
{
    if (word == 2)
        swap_2(bytes, len / 2);
    else if (word == 4)
        swap_4(bytes, len / 4);
    else if (word == 8)
        swap_8(bytes, len / 8);
}
