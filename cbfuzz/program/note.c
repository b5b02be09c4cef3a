/* Text of notes: what parser and decoder let stand in a program. */
#include "program/note.h"

#include <string.h>

#include "program/utf8.h"

static bool blank(char c) {
    return c == ' ' || c == '\t';
}

bool note_word(LineKind kind, const char *text, size_t length) {
    if (length == 0 || strchr("-_.:=", text[0])) return false;
    if (kind == LINE_PROFILE)
        return (length == 10 && memcmp(text, "documented", 10) == 0) ||
               (length == 7 && memcmp(text, "windows", 7) == 0);
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool both = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        if (!both && (kind == LINE_CLAUSE ||
                      !((c >= 'a' && c <= 'z') || c == '_' || c == '.' || c == ':' || c == '=')))
            return false;
    }
    return true;
}

static void add_words(Program *program, Line *line, const char *text, size_t length) {
    bool one = line->kind == LINE_PROFILE;
    for (size_t at = 0; at < length;) {
        size_t start = at;
        while (at < length && !blank(text[at]))
            at++;
        if (note_word(line->kind, text + start, at - start) &&
            !(one && program->text_count > line->text_at)) {
            if (program->text_count > line->text_at) program_add_text(program, " ", 1);
            program_add_text(program, text + start, (uint32_t)(at - start));
        }
        at += at < length;
    }
}

static void add_comment(Program *program, Line *line, const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        char clean[UTF8_CLEAN];
        unsigned written;
        at += utf8_clean(text + at, length - at, clean, &written);
        program_add_text(program, clean, written);
    }
    while (program->text_count > line->text_at && program->text[program->text_count - 1] == ' ')
        program->text_count--;
}

bool note_add(Program *program, Line *line, const char *text, size_t length) {
    line->text_at = program->text_count;
    if (line->kind == LINE_COMMENT) add_comment(program, line, text, length);
    else add_words(program, line, text, length);
    line->text_length = program->text_count - line->text_at;
    if (line->text_length == 0) line->text_at = 0;
    return line->kind == LINE_COMMENT || line->text_length > 0;
}

bool note_next(const Program *program, const Line *line, uint32_t *at, char word[NOTE_WORD]) {
    const char *text = program->text + line->text_at;
    uint32_t length = 0;
    if (*at >= line->text_length) return false;
    for (; *at < line->text_length && text[*at] != ' '; ++*at)
        if (length + 1 < NOTE_WORD) word[length++] = text[*at];
    word[length] = 0;
    ++*at; /* words are a blank apart */
    return true;
}
