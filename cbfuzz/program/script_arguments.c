/* Script to program: what stands behind the word of a statement. */
#include <stdlib.h>
#include <string.h>

#include "program/note.h"
#include "program/script_parser.h"

static const char *const type_words[] = {"nothing", "an object", "a registration",
                                         "a processor registration"};

static const struct {
    const char *word;
    uint8_t flag;
} attributes[] = {{"multiple", FLAG_MULTIPLE},   {"case_insensitive", FLAG_CASE_INSENSITIVE},
                  {"permanent", FLAG_PERMANENT}, {"openif", FLAG_OPENIF},
                  {"exclusive", FLAG_EXCLUSIVE}, {"kernel_handle", FLAG_KERNEL_HANDLE}};
enum { ATTRIBUTES = sizeof attributes / sizeof *attributes };

static bool parse_attributes(ScriptLine *line, Line *out) {
    char shown[SCRIPT_SHOWN], hint[SCRIPT_HINT];
    for (; line->token.kind == TOKEN_WORD; script_advance(line)) {
        unsigned i = 0;
        while (i < ATTRIBUTES && !script_token_is(&line->token, attributes[i].word))
            i++;
        if (i == ATTRIBUTES) {
            const char *words[ATTRIBUTES + 1] = {0};
            for (unsigned j = 0; j < ATTRIBUTES; j++)
                words[j] = attributes[j].word;
            return script_fail(line, line->token.at, "unknown attribute %s%s",
                               script_shown(&line->token, shown),
                               script_hint(&line->token, words, hint));
        }
        if (out->flags & attributes[i].flag)
            return script_fail(line, line->token.at, "\"%s\" stands here twice",
                               attributes[i].word);
        out->flags |= attributes[i].flag;
    }
    return true;
}

static bool parse_name(Parser *parser, Line *out) {
    ScriptLine *line = &parser->line;
    if (script_token_is(&line->token, "unnamed")) {
        out->flags |= FLAG_UNNAMED;
        script_advance(line);
        return true;
    }
    if (!script_name(line, parser->units, &out->name_length)) return false;
    out->name_at = program_add_name(parser->program, parser->units, out->name_length);
    return true;
}

static bool wrong_type(ScriptLine *line, const Token *token, Type is, Type expected) {
    char shown[SCRIPT_SHOWN];
    return script_fail(line, token->at, "%s is %s, %s is expected", script_shown(token, shown),
                       type_words[is], type_words[expected]);
}

static void add_forward(Parser *parser, Forward forward) {
    if (parser->forward_count == parser->forward_capacity) {
        parser->forward_capacity = 2 * parser->forward_capacity + 16;
        parser->forward = realloc(parser->forward, parser->forward_capacity * sizeof forward);
        if (!parser->forward) {
            fputs("cbfuzz: out of memory\n", stderr);
            _Exit(3);
        }
    }
    parser->forward[parser->forward_count++] = forward;
}

bool script_operand(Parser *parser, Line *out) {
    char shown[SCRIPT_SHOWN];
    ScriptLine *line = &parser->line;
    Program *program = parser->program;
    Token token = line->token;
    Type type = line_info[out->kind].operand;
    if (token.kind != TOKEN_WORD || names_reserved(token.at, token.length))
        return script_fail(line, token.at, "expected %s, found %s", type_words[type],
                           script_shown(&token, shown));
    uint16_t variable = names_find(parser->names, token.at, token.length);
    if (variable == NO_VARIABLE) {
        if (!program->open_block || program->lines[program->open_block - 1].kind != LINE_ROUTINE)
            return script_fail(line, token.at, "%s is not defined above; %s is expected",
                               script_shown(&token, shown), type_words[type]);
        add_forward(parser, (Forward){*line, token, program->line_count});
    } else if (program->variables[variable].type != type) {
        return wrong_type(line, &token, program->variables[variable].type, type);
    }
    out->operand = variable;
    script_advance(line);
    return true;
}

bool script_resolve_forward(Parser *parser) {
    char shown[SCRIPT_SHOWN];
    for (uint32_t i = 0; i < parser->forward_count; i++) {
        Forward *forward = &parser->forward[i];
        const Token *token = &forward->token;
        Line *used = &parser->program->lines[forward->index];
        Type type = line_info[used->kind].operand;
        uint16_t variable = names_find(parser->names, token->at, token->length);
        if (variable == NO_VARIABLE)
            return script_fail(&forward->line, token->at,
                               "%s is not defined in this script; %s is expected",
                               script_shown(token, shown), type_words[type]);
        if (parser->program->variables[variable].type != type)
            return wrong_type(&forward->line, token, parser->program->variables[variable].type,
                              type);
        used->operand = variable;
    }
    return true;
}

static bool parse_level(ScriptLine *line, Line *out) {
    static const char *const levels[] = {"PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL", NULL};
    char shown[SCRIPT_SHOWN], hint[SCRIPT_HINT];
    for (unsigned i = 0; levels[i]; i++)
        if (script_token_is(&line->token, levels[i])) {
            out->number[0] = i;
            script_advance(line);
            return true;
        }
    return script_fail(line, line->token.at,
                       "expected PASSIVE_LEVEL, APC_LEVEL or DISPATCH_LEVEL, found %s%s",
                       script_shown(&line->token, shown), script_hint(&line->token, levels, hint));
}

/* A word that may stand at the end of the arguments. */
static void parse_optional(ScriptLine *line, const char *word, uint8_t flag, Line *out) {
    if (script_token_is(&line->token, word)) {
        out->flags |= flag;
        script_advance(line);
    }
}

static bool parse_count(ScriptLine *line, Line *out) {
    const char *at = line->token.at;
    if (!script_number(line, "a number from 1 to 65535", 65535, &out->number[0])) return false;
    return out->number[0] > 0 ||
           script_fail(line, at,
                       "allocations are counted from 1; expected a number from 1 to 65535");
}

static bool parse_words(Parser *parser, Line *out) {
    ScriptLine *line = &parser->line;
    char shown[SCRIPT_SHOWN];
    const char *what = out->kind == LINE_CLAUSE    ? "the id of a clause (capitals, digits, \"-\")"
                       : out->kind == LINE_PROFILE ? "documented or windows"
                                                   : "the id of a reading";
    const char *start = line->token.at, *at = start;
    for (unsigned count = 0;; count++) {
        while (at < line->end && (*at == ' ' || *at == '\t'))
            at++;
        const char *word = at;
        while (at < line->end && *at != ' ' && *at != '\t' && *at != '#')
            at++;
        if (at == word && count > 0) break;
        Token token = {TOKEN_WORD, word, (size_t)(at - word)};
        if (at == word) token.kind = at < line->end ? TOKEN_COMMENT : TOKEN_END;
        if (out->kind == LINE_PROFILE && count == 1)
            return script_fail(line, word, "expected a comment or the end of the line, found %s",
                               script_shown(&token, shown));
        if (!note_word(out->kind, word, token.length))
            return script_fail(line, word, "expected %s, found %s", what,
                               script_shown(&token, shown));
    }
    note_add(parser->program, out, start, (size_t)(at - start));
    line->next = at;
    script_advance(line);
    return true;
}

static bool parse_brace(ScriptLine *line) {
    char shown[SCRIPT_SHOWN];
    if (!script_token_sign(&line->token, '{'))
        return script_fail(line, line->token.at, "expected \"{\", found %s",
                           script_shown(&line->token, shown));
    script_advance(line);
    return true;
}

bool script_arguments(Parser *parser, Line *out) {
    ScriptLine *line = &parser->line;
    const char *context = "the context, a number";
    switch (line_info[out->kind].arguments) {
    case ARGUMENTS_NONE: return true;
    case ARGUMENTS_NAME_AND_ATTRIBUTES:
        return parse_name(parser, out) && parse_attributes(line, out);
    case ARGUMENTS_ROUTINE_AND_CONTEXT:
        return script_routine(line, 'F', PROGRAM_ROUTINES, &out->routine) &&
               script_number(line, context, UINT64_MAX, &out->number[0]);
    case ARGUMENTS_ROUTINE_CONTEXT_AND_EXISTING:
        if (!script_routine(line, 'F', PROGRAM_ROUTINES, &out->routine) ||
            !script_number(line, context, UINT64_MAX, &out->number[0]))
            return false;
        parse_optional(line, "add_existing", FLAG_ADD_EXISTING, out);
        return true;
    case ARGUMENTS_TWO_NUMBERS:
        return script_number(line, "the first argument, a number", UINT64_MAX, &out->number[0]) &&
               script_number(line, "the second argument, a number", UINT64_MAX, &out->number[1]);
    case ARGUMENTS_LEVEL: return parse_level(line, out);
    case ARGUMENTS_FAILS: parse_optional(line, "fails", FLAG_FAILS, out); return true;
    case ARGUMENTS_COUNT: return parse_count(line, out);
    case ARGUMENTS_ROUTINE:
        return script_routine(line, 'F', PROGRAM_ROUTINES, &out->routine) && parse_brace(line);
    case ARGUMENTS_THREAD:
        return script_routine(line, 'T', PROGRAM_THREADS, &out->routine) && parse_brace(line);
    case ARGUMENTS_STATUS: {
        uint32_t status = 0;
        if (!script_status(line, "a STATUS_...", &status)) return false;
        out->number[0] = status;
        if (line->token.kind != TOKEN_NUMBER) return true;
        bool read =
            script_number(line, "a processor's number", PROGRAM_PROCESSORS - 1, &out->number[1]);
        out->number[1]++;
        return read;
    }
    case ARGUMENTS_TEXT: return parse_words(parser, out);
    }
    return true;
}
