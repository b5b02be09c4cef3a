/* Reads what scripts spell as one token: numbers, names in quotes, routines, statuses. */
#include <string.h>

#include "program/script_lex.h"
#include "program/status.h"
#include "program/utf8.h"

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool script_number(ScriptLine *line, const char *what, uint64_t most, uint64_t *number) {
    char shown[SCRIPT_SHOWN];
    Token token = line->token;
    if (token.kind != TOKEN_NUMBER)
        return script_fail(line, token.at, "expected %s, found %s", what,
                           script_shown(&token, shown));
    bool hexadecimal =
        token.length > 2 && token.at[0] == '0' && (token.at[1] == 'x' || token.at[1] == 'X');
    unsigned base = hexadecimal ? 16 : 10;
    uint64_t value = 0;
    for (size_t i = hexadecimal ? 2 : 0; i < token.length; i++) {
        int digit = hex_digit(token.at[i]);
        if (digit < 0 || digit >= (int)base)
            return script_fail(
                line, token.at,
                "%s is not a number; numbers are decimal or 0x and hexadecimal digits",
                script_shown(&token, shown));
        if (value > (UINT64_MAX - (unsigned)digit) / base)
            return script_fail(line, token.at, "%s is too large; numbers have at most 64 bits",
                               script_shown(&token, shown));
        value = value * base + (unsigned)digit;
    }
    if (value > most)
        return script_fail(line, token.at, "%s is too large; expected %s",
                           script_shown(&token, shown), what);
    *number = value;
    script_advance(line);
    return true;
}

/* {U+XXXX} at `at`: the code unit, or -1. */
static int32_t escape(const char *at, const char *end) {
    if (end - at < 8 || memcmp(at, "{U+", 3) != 0 || at[7] != '}') return -1;
    int32_t unit = 0;
    for (unsigned i = 3; i < 7; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

bool script_name(ScriptLine *line, uint16_t *units, uint16_t *length) {
    char shown[SCRIPT_SHOWN];
    Token token = line->token;
    if (token.kind == TOKEN_UNCLOSED)
        return script_fail(
            line, token.at,
            "this quote is not closed in its line (a quote in a name is written \"\")");
    if (token.kind != TOKEN_STRING)
        return script_fail(line, token.at, "expected a name in quotes or \"unnamed\", found %s",
                           script_shown(&token, shown));
    const char *at = token.at + 1, *end = token.at + token.length - 1;
    uint32_t count = 0;
    while (at < end) {
        uint32_t character = 0;
        if (*at == '{') {
            int32_t unit = escape(at, end);
            if (unit < 0)
                return script_fail(
                    line, at,
                    "expected {U+ and four hexadecimal digits and }; a brace itself is {U+007B}");
            character = (uint32_t)unit;
            at += 8;
        } else {
            unsigned read = utf8_read(at, (size_t)(end - at), &character);
            at += *at == '"' ? 2 : read;
        }
        if (count + (character > 0xFFFF) >= PROGRAM_NAME_UNITS)
            return script_fail(line, token.at, "a name has at most %d UTF-16 code units",
                               PROGRAM_NAME_UNITS);
        if (character > 0xFFFF) {
            units[count++] = (uint16_t)(0xD800 + ((character - 0x10000) >> 10));
            units[count++] = (uint16_t)(0xDC00 + ((character - 0x10000) & 0x3FF));
        } else {
            units[count++] = (uint16_t)character;
        }
    }
    *length = (uint16_t)count;
    script_advance(line);
    return true;
}

bool script_routine(ScriptLine *line, char letter, unsigned most, uint8_t *routine) {
    char shown[SCRIPT_SHOWN];
    Token token = line->token;
    const char *what = letter == 'F' ? "routine" : "thread";
    bool digits = token.kind == TOKEN_WORD && token.length >= 2 && token.at[0] == letter;
    unsigned number = 0;
    for (size_t i = 1; digits && i < token.length; i++) {
        digits = token.at[i] >= '0' && token.at[i] <= '9' && (i > 1 || token.at[i] != '0');
        if (number <= most) number = number * 10 + (unsigned)(token.at[i] - '0');
    }
    if (!digits)
        return script_fail(line, token.at, "expected a %s, %c1 to %c%u, found %s", what, letter,
                           letter, most, script_shown(&token, shown));
    if (number > most)
        return script_fail(line, token.at, "%s is too high; expected a %s, %c1 to %c%u",
                           script_shown(&token, shown), what, letter, letter, most);
    *routine = (uint8_t)number;
    script_advance(line);
    return true;
}

bool script_status(ScriptLine *line, const char *what, uint32_t *status) {
    char shown[SCRIPT_SHOWN], hint[SCRIPT_HINT];
    Token token = line->token;
    if (token.kind == TOKEN_NUMBER) {
        uint64_t number;
        if (!script_number(line, "an NTSTATUS of 32 bits", UINT32_MAX, &number)) return false;
        *status = (uint32_t)number;
        return true;
    }
    if (token.kind != TOKEN_WORD || token.length < 7 || memcmp(token.at, "STATUS_", 7) != 0)
        return script_fail(line, token.at, "expected %s, found %s", what,
                           script_shown(&token, shown));
    if (!status_by_name(token.at, token.length, status)) {
        const char *names[160];
        unsigned count = 0;
        while (count < 159 && status_listed(count)) {
            names[count] = status_listed(count);
            count++;
        }
        names[count] = NULL;
        script_hint(&token, names, hint);
        return script_fail(
            line, token.at, "unknown status %s%s", script_shown(&token, shown),
            hint[0] ? hint : "; one without a name here is written as a number, 0xC0000001");
    }
    script_advance(line);
    return true;
}
