/* Script to program: one line at a time, names resolved as they come. */
#include <stdlib.h>
#include <string.h>

#include "program/note.h"
#include "program/script_expect.h"
#include "program/script_parser.h"

enum { SCRIPT_BYTES = 1 << 30 /* offsets in a program have 32 bits, cleaning may lengthen text */ };

/* What the place of a statement forbids. */
static bool check_place(Parser *parser, const Token *word, LineKind kind) {
    const Program *program = parser->program;
    const Line *block = program->open_block ? &program->lines[program->open_block - 1] : NULL;
    if (line_info[kind].class == CLASS_BLOCK && block)
        return script_fail(&parser->line, word->at,
                           "a block cannot stand in the block that line %u opened",
                           (unsigned)parser->block_line);
    if (kind == LINE_SET_STATUS && (!block || block->kind != LINE_ROUTINE))
        return script_fail(&parser->line, word->at,
                           "set_status stands only in the body of a routine");
    if (kind == LINE_PROFILE && program->has_profile)
        return script_fail(&parser->line, word->at, "the profile is already given in line %u",
                           (unsigned)program_note(program, LINE_PROFILE)->line);
    return true;
}

/* A second block of one routine or thread. */
static bool check_block(Parser *parser, const Line *out, const char *at) {
    const Program *program = parser->program;
    for (uint32_t i = 0; i < program->line_count; i++)
        if (program->lines[i].kind == out->kind && program->lines[i].routine == out->routine)
            return script_fail(&parser->line, at, "%c%u already has a block, in line %u",
                               out->kind == LINE_ROUTINE ? 'F' : 'T', out->routine,
                               (unsigned)program->lines[i].line);
    return true;
}

static bool unknown_statement(ScriptLine *line) {
    char shown[SCRIPT_SHOWN], hint[SCRIPT_HINT];
    const char *words[LINE_KINDS + 1];
    unsigned count = 0;
    for (unsigned i = 0; i < LINE_KINDS; i++)
        words[count++] = line_info[i].word;
    words[count] = NULL;
    if (line->token.kind != TOKEN_WORD)
        return script_fail(line, line->token.at, "expected a statement, found %s",
                           script_shown(&line->token, shown));
    return script_fail(line, line->token.at, "unknown statement %s%s",
                       script_shown(&line->token, shown), script_hint(&line->token, words, hint));
}

static bool append(Parser *parser, const Line *out, const char *at) {
    bool full = false;
    program_append(parser->program, *out, &full);
    if (!full) return true;
    if (line_info[out->kind].class == CLASS_NOTE)
        return script_fail(&parser->line, at, "more than %d comments and notes", PROGRAM_NOTES);
    return script_fail(&parser->line, at, "more than %d statements", PROGRAM_STATEMENTS);
}

static bool append_comment(Parser *parser, uint8_t flags) {
    const Token *token = &parser->line.token;
    Line out = {
        .kind = LINE_COMMENT, .flags = flags, .result = NO_VARIABLE, .operand = NO_VARIABLE};
    out.line = parser->line.number;
    out.column = script_column(&parser->line, token->at);
    size_t skip = token->length > 1 && (token->at[1] == ' ' || token->at[1] == '\t') ? 2 : 1;
    note_add(parser->program, &out, token->at + skip, token->length - skip);
    return append(parser, &out, token->at);
}

/* Checks the name left of "=". */
static bool check_new_name(Parser *parser, const Token *name) {
    char shown[SCRIPT_SHOWN];
    ScriptLine *line = &parser->line;
    uint16_t variable = names_find(parser->names, name->at, name->length);
    if (names_reserved(name->at, name->length))
        return script_fail(line, name->at, "%s is a word of the language and cannot be a name",
                           script_shown(name, shown));
    if (variable != NO_VARIABLE) {
        const Program *program = parser->program;
        return script_fail(line, name->at,
                           "%s is already defined in line %u; a name on the left is new",
                           script_shown(name, shown),
                           (unsigned)program->lines[program->variables[variable].defined_by].line);
    }
    return true;
}

/* Gives the new variable its name. */
static bool define(Parser *parser, const Token *name, Type type) {
    char spelled[NAMES_SPELLED];
    unsigned length = names_default(parser->names, type, spelled);
    if (!name || (name->length == length && memcmp(name->at, spelled, length) == 0)) {
        names_add(parser->names, type, spelled, length);
        return true;
    }
    if (name->length > PROGRAM_IDENTIFIER)
        return script_fail(&parser->line, name->at, "a name on the left has at most %d characters",
                           PROGRAM_IDENTIFIER);
    Variable *variable = &parser->program->variables[parser->program->variable_count - 1];
    variable->name_at = program_add_text(parser->program, name->at, (uint32_t)name->length);
    variable->name_length = (uint32_t)name->length;
    names_add(parser->names, type, name->at, (unsigned)name->length);
    return true;
}

/* What may stand behind the arguments. */
static bool parse_rest(Parser *parser, Line *out, bool *comment) {
    char shown[SCRIPT_SHOWN];
    ScriptLine *line = &parser->line;
    bool call = line_info[out->kind].class == CLASS_CALL;
    if (call && line->token.kind == TOKEN_ARROW) {
        script_advance(line);
        if (!script_expectation(line, parser->program, out)) return false;
        call = false;
    }
    *comment = line->token.kind == TOKEN_COMMENT;
    if (*comment || line->token.kind == TOKEN_END) return true;
    return script_fail(line, line->token.at,
                       "expected %sa comment or the end of the line, found %s",
                       call ? "\"->\", " : "", script_shown(&line->token, shown));
}

static bool parse_statement(Parser *parser, const Token *name) {
    ScriptLine *line = &parser->line;
    Token word = line->token;
    unsigned kind = 0;
    while (kind < LINE_KINDS && !script_token_is(&word, line_info[kind].word))
        kind++;
    if (kind == LINE_KINDS) return unknown_statement(line);
    Line out = {
        .kind = (uint8_t)kind, .result = NO_VARIABLE, .operand = NO_VARIABLE, .line = line->number};
    if (name && line_info[kind].result == TYPE_NONE)
        return script_fail(line, name->at, "%s returns nothing that can be named",
                           line_info[kind].word);
    if (!check_place(parser, &word, kind)) return false;
    script_advance(line);
    const char *argument = line->token.at;
    bool none = line->token.kind == TOKEN_END || line->token.kind == TOKEN_COMMENT ||
                line->token.kind == TOKEN_ARROW;
    out.column = script_column(line, none ? word.at : argument);
    if (line_info[kind].operand != TYPE_NONE && !script_operand(parser, &out)) return false;
    bool comment;
    if (!script_arguments(parser, &out) || !parse_rest(parser, &out, &comment)) return false;
    if (line_info[kind].class == CLASS_BLOCK) {
        if (!check_block(parser, &out, argument)) return false;
        parser->block_line = line->number;
        parser->block_column = script_column(line, word.at);
    }
    if (!append(parser, &out, word.at)) return false;
    if (line_info[kind].result != TYPE_NONE && !define(parser, name, line_info[kind].result))
        return false;
    return !comment || append_comment(parser, FLAG_TRAILING);
}

static bool parse_end(Parser *parser) {
    ScriptLine *line = &parser->line;
    Line out = {
        .kind = LINE_END, .result = NO_VARIABLE, .operand = NO_VARIABLE, .line = line->number};
    out.column = script_column(line, line->token.at);
    if (!parser->program->open_block)
        return script_fail(line, line->token.at,
                           "\"}\" closes nothing: no routine or thread is open here");
    script_advance(line);
    bool comment;
    return parse_rest(parser, &out, &comment) && append(parser, &out, line->token.at) &&
           (!comment || append_comment(parser, FLAG_TRAILING));
}

static bool parse_line(Parser *parser) {
    ScriptLine *line = &parser->line;
    if (line->token.kind == TOKEN_END) return true;
    if (line->token.kind == TOKEN_COMMENT) return append_comment(parser, 0);
    if (script_token_sign(&line->token, '}')) return parse_end(parser);
    Token name = line->token;
    if (name.kind != TOKEN_WORD) return unknown_statement(line);
    const char *back = line->next;
    script_advance(line);
    if (script_token_sign(&line->token, '=')) {
        script_advance(line);
        return check_new_name(parser, &name) && parse_statement(parser, &name);
    }
    line->next = back;
    line->token = name;
    return parse_statement(parser, NULL);
}

static bool parse_all(Parser *parser, const char *text, size_t length) {
    const char *end = text + length;
    for (const char *at = text, *after; at < end; at = after) {
        parser->line.number++;
        if (!script_line_open(&parser->line, at, end, &after) || !parse_line(parser)) return false;
    }
    if (parser->program->open_block) {
        ScriptError *error = parser->line.error;
        script_fail(&parser->line, parser->line.start,
                    "this block is not closed; expected \"}\" on a line of its own");
        error->line = parser->block_line;
        error->column = parser->block_column;
        return false;
    }
    return script_resolve_forward(parser);
}

bool script_parse(Program *program, const char *text, size_t length, ScriptError *error) {
    program_clear(program);
    *error = (ScriptError){.line = 1, .column = 1};
    if (length > SCRIPT_BYTES) {
        snprintf(error->message, sizeof error->message, "a script has at most %d bytes",
                 SCRIPT_BYTES);
        return false;
    }
    if (length == 0) return true;
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        length -= 3;
    }
    Parser *parser = malloc(sizeof *parser);
    if (!parser) {
        fputs("cbfuzz: out of memory\n", stderr);
        _Exit(3);
    }
    parser->line = (ScriptLine){.error = error};
    parser->program = program;
    parser->names = names_new();
    parser->forward = NULL;
    parser->forward_count = parser->forward_capacity = 0;
    bool parsed = parse_all(parser, text, length);
    names_free(parser->names);
    free(parser->forward);
    free(parser);
    if (!parsed) program_clear(program);
    return parsed;
}

/* Words without one of the language: a script in which nothing is right. Shorter ones are bytes. */
static bool is_prose(const char *text, size_t length) {
    enum { TELLING_LINE = 8, TELLING_TEXT = 16 };
    bool spaces = false;
    for (size_t i = 0; i < length; i++) {
        if ((text[i] < ' ' || text[i] > '~') && !memchr("\t\r\n", text[i], 3)) return false;
        spaces |= text[i] == ' ' && i > 0;
    }
    return spaces && length >= (text[length - 1] == '\n' ? TELLING_LINE : TELLING_TEXT);
}

/* A line of no more than a few characters may be chance, so that short words do not count. */
bool script_recognize(const char *text, size_t length) {
    enum { TELLING_WORD = 4, TELLING_COMMENT = 5 };
    ScriptError error;
    ScriptLine line = {.error = &error};
    bool recognized = false, comments = false, others = false;
    if (length == 0 || (uint8_t)text[0] == 0xCB) /* bytes; see bytes.h */
        return false;
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        length -= 3;
    }
    for (const char *at = text, *end = text + length, *after; at < end; at = after) {
        if (!script_line_open(&line, at, end, &after)) return false;
        if (recognized || line.token.kind == TOKEN_END) continue;
        comments |= line.token.kind == TOKEN_COMMENT;
        others |= line.token.kind != TOKEN_COMMENT;
        recognized = line.token.kind == TOKEN_COMMENT && line.token.length >= TELLING_COMMENT;
        for (unsigned kind = 0; kind < LINE_KINDS && !recognized; kind++)
            recognized = script_token_is(&line.token, line_info[kind].word);
        if (line.token.kind == TOKEN_WORD && !recognized) {
            script_advance(&line);
            if (!script_token_sign(&line.token, '=')) continue;
            script_advance(&line);
            recognized = line.token.kind == TOKEN_WORD && line.token.length >= TELLING_WORD;
        }
    }
    return recognized || (comments && !others) || is_prose(text, length);
}
