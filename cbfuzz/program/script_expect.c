/* Reads what stands behind "->". */
#include "program/script_expect.h"

#include <string.h>

/* What a message says can be expected of this statement. */
static const char *possible(LineKind kind) {
    if (program_expect_fits(kind, EXPECT_STATUS))
        return "a STATUS_..., error, nothing or routine calls like F1(0x10, 0x1, 0x2)";
    if (program_expect_fits(kind, EXPECT_HANDLE))
        return "handle, NULL, nothing or routine calls like F1(0x10, 0x1, 0x2)";
    return "nothing or routine calls like F1(0x10, 0x1, 0x2)";
}

static bool sign(ScriptLine *line, char expected, const char *where) {
    char shown[SCRIPT_SHOWN];
    if (!script_token_sign(&line->token, expected))
        return script_fail(line, line->token.at, "expected \"%c\" %s, found %s", expected, where,
                           script_shown(&line->token, shown));
    script_advance(line);
    return true;
}

static bool value(ScriptLine *line, Value *out) {
    static const struct {
        const char *word;
        ValueKind kind;
    } words[] = {{"start", VALUE_PROCESSOR_START},
                 {"complete", VALUE_PROCESSOR_COMPLETE},
                 {"failure", VALUE_PROCESSOR_FAILURE},
                 {"status", VALUE_STATUS}};
    char shown[SCRIPT_SHOWN];
    Token token = line->token;
    *out = (Value){.kind = VALUE_NUMBER};
    if (token.kind == TOKEN_NUMBER)
        return script_number(line, "a number", UINT64_MAX, &out->number);
    if (script_token_sign(&token, '*')) {
        out->kind = VALUE_ANY;
        script_advance(line);
        return true;
    }
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (script_token_is(&token, words[i].word)) {
            out->kind = (uint8_t)words[i].kind;
            script_advance(line);
            return script_number(line, "a number of 32 bits", UINT32_MAX, &out->number);
        }
    if (token.kind == TOKEN_WORD && token.length >= 7 && memcmp(token.at, "STATUS_", 7) == 0) {
        uint32_t status;
        out->kind = VALUE_STATUS;
        if (!script_status(line, "a STATUS_...", &status)) return false;
        out->number = status;
        return true;
    }
    return script_fail(
        line, token.at,
        "expected a number, \"*\", start N, complete N, failure N or a STATUS_..., found %s",
        script_shown(&token, shown));
}

static bool call(ScriptLine *line, ExpectedCall *out) {
    memset(out, 0, sizeof *out);
    return script_routine(line, 'F', PROGRAM_ROUTINES, &out->routine) &&
           sign(line, '(', "behind the routine") && value(line, &out->context) &&
           sign(line, ',', "behind the context") && value(line, &out->argument1) &&
           sign(line, ',', "behind the first argument") && value(line, &out->argument2) &&
           sign(line, ')', "behind the second argument");
}

static bool is_routine(const Token *token) {
    return token->kind == TOKEN_WORD && token->length >= 2 && token->at[0] == 'F' &&
           token->at[1] >= '0' && token->at[1] <= '9';
}

static bool calls(ScriptLine *line, Program *program, Line *out) {
    uint32_t count = 0;
    out->expect_at = program->call_count;
    while (is_routine(&line->token)) {
        ExpectedCall one;
        if (count == PROGRAM_EXPECTED_CALLS)
            return script_fail(line, line->token.at, "more than %d expected calls",
                               PROGRAM_EXPECTED_CALLS);
        if (!call(line, &one)) return false;
        program_add_calls(program, &one, 1);
        count++;
        if (script_token_sign(&line->token, ',')) {
            char shown[SCRIPT_SHOWN];
            script_advance(line);
            if (!is_routine(&line->token))
                return script_fail(line, line->token.at, "expected a routine call, found %s",
                                   script_shown(&line->token, shown));
        }
    }
    out->expect_count = (uint16_t)count;
    return true;
}

bool script_expectation(ScriptLine *line, Program *program, Line *out) {
    static const struct {
        const char *word;
        Expect expect;
    } words[] = {{"error", EXPECT_ERROR},
                 {"handle", EXPECT_HANDLE},
                 {"NULL", EXPECT_NULL},
                 {"nothing", EXPECT_NOTHING}};
    static const char *const hints[] = {"error", "handle", "NULL", "nothing", NULL};
    char shown[SCRIPT_SHOWN], hint[SCRIPT_HINT];
    Token token = line->token;
    Expect expect = EXPECT_UNSAID;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (script_token_is(&token, words[i].word)) expect = words[i].expect;
    bool status = token.kind == TOKEN_NUMBER || (token.kind == TOKEN_WORD && token.length >= 7 &&
                                                 memcmp(token.at, "STATUS_", 7) == 0);
    if (status) expect = EXPECT_STATUS;
    if (is_routine(&token)) expect = EXPECT_CALLS;
    if (expect == EXPECT_UNSAID)
        return script_fail(line, token.at, "expected %s, found %s%s", possible(out->kind),
                           script_shown(&token, shown), script_hint(&token, hints, hint));
    if (!program_expect_fits(out->kind, expect))
        return script_fail(line, token.at, "%s cannot be expected of %s; expected %s",
                           script_shown(&token, shown), line_info[out->kind].word,
                           possible(out->kind));
    out->expect = (uint8_t)expect;
    if (expect == EXPECT_STATUS) return script_status(line, "a status", &out->expect_status);
    if (expect == EXPECT_CALLS) return calls(line, program, out);
    script_advance(line);
    return true;
}
