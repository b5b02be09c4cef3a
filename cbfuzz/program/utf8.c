/* UTF-8: one character at a time, and which characters are shown as themselves. */
#include "program/utf8.h"

#include <stdio.h>

unsigned utf8_read(const char *text, size_t length, uint32_t *character) {
    const uint8_t *byte = (const uint8_t *)text;
    if (length == 0) return 0;
    if (byte[0] < 0x80) {
        *character = byte[0];
        return 1;
    }
    unsigned count = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || count > length) return 0;
    uint32_t value = byte[0] & (0x7F >> count);
    for (unsigned i = 1; i < count; i++) {
        if ((byte[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (byte[i] & 0x3F);
    }
    if ((count == 3 && value < 0x800) || (count == 4 && value < 0x10000) || value > 0x10FFFF ||
        (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *character = value;
    return count;
}

unsigned utf8_write(char *to, uint32_t character) {
    if (character < 0x80) {
        to[0] = (char)character;
        return 1;
    }
    unsigned count = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (unsigned i = count - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    to[0] = (char)(lead[count] | character);
    return count;
}

/* What does not show, in order. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x0000, 0x001F},   /* C0 controls */
    {0x007F, 0x00A0},   /* DEL, C1 controls, no-break space */
    {0x00AD, 0x00AD},   /* soft hyphen */
    {0x0300, 0x036F},   /* combining marks */
    {0x0483, 0x0489},   /* the same, Cyrillic */
    {0x0591, 0x05C7},   /* points, Hebrew */
    {0x0600, 0x0605},   /* format, Arabic */
    {0x0610, 0x061C},   /* marks, Arabic letter mark */
    {0x064B, 0x065F},   /* marks, Arabic */
    {0x06DD, 0x06DD},   /* end of ayah */
    {0x070F, 0x070F},   /* Syriac abbreviation mark */
    {0x115F, 0x1160},   /* Hangul fillers */
    {0x1680, 0x1680},   /* Ogham space */
    {0x17B4, 0x17B5},   /* Khmer inherent vowels */
    {0x180B, 0x180F},   /* Mongolian selectors */
    {0x1AB0, 0x1AFF},   /* combining marks */
    {0x1DC0, 0x1DFF},   /* combining marks */
    {0x2000, 0x200F},   /* spaces, zero width, direction marks */
    {0x2028, 0x202F},   /* line separators, embeddings and overrides */
    {0x205F, 0x206F},   /* spaces, joiners, isolates */
    {0x20D0, 0x20FF},   /* combining marks */
    {0x3000, 0x3000},   /* ideographic space */
    {0x302A, 0x302F},   /* tone marks */
    {0x3099, 0x309A},   /* voiced sound marks */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xD800, 0xF8FF},   /* surrogates, private use */
    {0xFB1E, 0xFB1E},   /* point, Hebrew */
    {0xFDD0, 0xFDEF},   /* noncharacters */
    {0xFE00, 0xFE0F},   /* variation selectors */
    {0xFE20, 0xFE2F},   /* combining half marks */
    {0xFEFF, 0xFEFF},   /* byte order mark */
    {0xFFA0, 0xFFA0},   /* Hangul filler */
    {0xFFF0, 0xFFFF},   /* specials */
    {0x1BCA0, 0x1BCA3}, /* shorthand format */
    {0x1D165, 0x1D182}, /* musical marks */
    {0x1FFFE, 0x1FFFF}, /* noncharacters */
    {0x2FFFE, 0x2FFFF}, /* noncharacters */
    {0x3FFFE, 0x10FFFF} /* not assigned, tags, private use */
};

bool utf8_shows(uint32_t character) {
    if (character < 0x7F) return character >= 0x20;
    for (unsigned i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (character <= hidden[i].last) return character < hidden[i].first;
    return false;
}

unsigned utf8_clean(const char *text, size_t length, char *to, unsigned *written) {
    uint32_t character = 0;
    unsigned count = utf8_read(text, length, &character);
    bool control = count == 0 || character < 0x20 || (character >= 0x7F && character < 0xA0);
    if (character == '\t' && count == 1) {
        to[0] = ' ';
        *written = 1;
    } else if (control) {
        to[0] = '?';
        *written = 1;
    } else if (utf8_shows(character)) {
        *written = utf8_write(to, character);
    } else {
        char escape[UTF8_CLEAN + 1];
        *written = (unsigned)snprintf(escape, sizeof escape, "{U+%04X}", (unsigned)character);
        for (unsigned i = 0; i < *written; i++)
            to[i] = escape[i];
    }
    return count ? count : 1;
}
