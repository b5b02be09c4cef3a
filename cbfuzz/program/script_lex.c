/* Tokens of a script line, and errors with their place. */
#include "program/script_lex.h"

#include <stdarg.h>
#include <string.h>

#include "program/utf8.h"

uint32_t script_column(const ScriptLine *line, const char *at) {
    uint32_t column = 1;
    for (const char *c = line->start; c < at; c++)
        column += ((uint8_t)*c & 0xC0) != 0x80;
    return column;
}

bool script_fail(ScriptLine *line, const char *at, const char *format, ...) {
    ScriptError *error = line->error;
    error->line = line->number;
    error->column = script_column(line, at);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof error->message) { /* cut: not within a character */
        size_t cut = sizeof error->message - 1;
        while (cut > 0 && ((uint8_t)error->message[cut - 1] & 0xC0) == 0x80)
            cut--;
        if (cut > 0 && (uint8_t)error->message[cut - 1] >= 0xC0) cut--;
        error->message[cut] = 0;
    }
    return false;
}

bool script_line_open(ScriptLine *line, const char *text, const char *end, const char **after) {
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    line->start = text;
    line->end = newline ? newline : end;
    *after = newline ? newline + 1 : end;
    if (line->end > text && line->end[-1] == '\r') line->end--;
    for (const char *at = text; at < line->end;) {
        uint32_t character = 0;
        if (*at >= 0x20 && *at < 0x7F) {
            at++;
            continue;
        }
        unsigned length = utf8_read(at, (size_t)(line->end - at), &character);
        if (length == 0)
            return script_fail(line, at, "byte 0x%02X is not UTF-8 text", (uint8_t)*at);
        if (length == 1 && character != '\t')
            return script_fail(
                line, at, "byte 0x%02X is a control character; in a name it is written {U+%04X}",
                (unsigned)character, (unsigned)character);
        if (character >= 0x80 && character < 0xA0)
            return script_fail(line, at,
                               "U+%04X is a control character; in a name it is written {U+%04X}",
                               (unsigned)character, (unsigned)character);
        at += length;
    }
    line->next = text;
    script_advance(line);
    return true;
}

static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

/* Behind the closing quote; NULL if there is none. */
static const char *closing(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at != '"') continue;
        if (at + 1 == end || at[1] != '"') return at + 1;
        at++;
    }
    return NULL;
}

void script_advance(ScriptLine *line) {
    const char *at = line->next, *end = line->end;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    const char *behind = at;
    TokenKind kind = TOKEN_SIGN;
    if (at == end) {
        kind = TOKEN_END;
    } else if (letter(*at) || digit(*at)) {
        kind = letter(*at) ? TOKEN_WORD : TOKEN_NUMBER;
        while (behind < end && (letter(*behind) || digit(*behind)))
            behind++;
    } else if (*at == '"') {
        behind = closing(at, end);
        kind = behind ? TOKEN_STRING : TOKEN_UNCLOSED;
        if (!behind) behind = end;
    } else if (*at == '#') {
        kind = TOKEN_COMMENT;
        behind = end;
    } else if (end - at >= 2 && at[0] == '-' && at[1] == '>') {
        kind = TOKEN_ARROW;
        behind = at + 2;
    } else {
        uint32_t character;
        behind += utf8_read(at, (size_t)(end - at), &character);
    }
    line->token = (Token){kind, at, (size_t)(behind - at)};
    line->next = behind;
}

bool script_token_is(const Token *token, const char *word) {
    return token->kind == TOKEN_WORD && strlen(word) == token->length &&
           memcmp(token->at, word, token->length) == 0;
}

bool script_token_sign(const Token *token, char sign) {
    return token->kind == TOKEN_SIGN && token->length == 1 && *token->at == sign;
}

const char *script_shown(const Token *token, char shown[SCRIPT_SHOWN]) {
    if (token->kind == TOKEN_END) return "the end of the line";
    if (token->kind == TOKEN_COMMENT) return "a comment";
    enum { MOST = SCRIPT_SHOWN - UTF8_CLEAN - 8 };
    size_t count = 0;
    bool quotes = token->kind != TOKEN_STRING && token->kind != TOKEN_UNCLOSED;
    if (quotes) shown[count++] = '"';
    for (size_t at = 0; at < token->length;) {
        if (count > MOST || at >= 48) {
            memcpy(shown + count, "...", 3);
            count += 3;
            break;
        }
        unsigned written;
        at += utf8_clean(token->at + at, token->length - at, shown + count, &written);
        count += written;
    }
    if (quotes) shown[count++] = '"';
    shown[count] = 0;
    return shown;
}

/* Levenshtein's distance; words of the language are short. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    unsigned row[40];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_length];
}

const char *script_hint(const Token *token, const char *const *words, char hint[SCRIPT_HINT]) {
    const char *nearest = NULL;
    unsigned best = 3;
    hint[0] = 0;
    if (token->kind != TOKEN_WORD || token->length > 36) return hint;
    for (; *words; words++) {
        size_t length = strlen(*words);
        if (length < 3 || length >= 39) continue;
        unsigned far = distance(token->at, token->length, *words, length);
        if (far < best && far * 2 < length) {
            best = far;
            nearest = *words;
        }
    }
    if (nearest) snprintf(hint, SCRIPT_HINT, "; did you mean \"%s\"?", nearest);
    return hint;
}
