/* A program as a C program that stands alone: calls, what they have shown, and the failure. */
#define _GNU_SOURCE
#include "report/emit.h"

#include <stdlib.h>
#include <string.h>

#include "program/script.h"
#include "program/status.h"
#include "report/emitter.h"

/* What makes and checks the calls: report/standalone/, as it is. */
#define STANDALONE(name, file)                                                                     \
    __asm__(".section .rodata\n" #name ":\n.incbin \"cbfuzz/report/standalone/" file               \
            "\"\n.byte 0\n.previous\n");                                                           \
    extern const char name[] __attribute__((visibility("hidden")))
STANDALONE(standalone_head, "head.c");
STANDALONE(standalone_tail, "tail.c");

/* ---- the call that fails ---- */

/* What must be seen instead, if that is one thing: calls, a status, NULL or a handle. */
static const char *sole_expectation(const Emitter *emitter) {
    const Finding *finding = emitter->emission->finding;
    const char *text = finding->expected;
    bool plain = !strpbrk(text, "[;") && !strstr(text, "  and ") && !strstr(text, " at ") &&
                 !strstr(text, " or ") && !strchr(text, '*');
    bool at_passive = !strstr(emitter->seen.calls[emitter->failing].text, " at ");
    uint32_t status;
    if (finding->judgement.verdict != VERDICT_DIVERGES || finding->judgement.expectation ||
        finding->judgement.detail[0] || !plain)
        return NULL;
    if (strcmp(text, "nothing") == 0) return "";
    if (strcmp(text, "NULL") == 0 || strcmp(text, "handle") == 0) return text;
    if (text[0] == 'F') return at_passive ? text : NULL;
    return status_by_name(text, strlen(text), &status) ? text : NULL;
}

/* Fails by what its call shows, not by how it ends. */
static bool fails_by_what_is_seen(const Emitter *emitter) {
    const Judgement *judgement = &emitter->emission->finding->judgement;
    return judgement->verdict == VERDICT_DIVERGES && !judgement->detail[0];
}

static void print_expected_and_observed(Emitter *emitter) {
    const char *expected = sole_expectation(emitter);
    if (expected) emit_calls_text(emitter->out, expected);
    else fputs("NULL", emitter->out);
    fputs(",\n         ", emitter->out);
    emit_calls_text(emitter->out, emitter->seen.calls[emitter->failing].text);
}

/* Was this call in progress when the one that fails was made? */
static bool is_interrupted(const Emitter *emitter, uint32_t call) {
    if (emitter->failing == emitter->seen.count) return false;
    uint32_t outer = emitter->seen.calls[emitter->failing].parent;
    while (outer != UINT32_MAX && outer != call)
        outer = emitter->seen.calls[outer].parent;
    return outer == call;
}

/* What it has shown, where that is to be checked. */
static void print_seen(Emitter *emitter, uint32_t call) {
    if (call == emitter->failing || is_interrupted(emitter, call)) fputs("NULL", emitter->out);
    else emit_calls_text(emitter->out, emitter->seen.calls[call].text);
}

/* ---- the whole ---- */

static void print_statement_comment(Emitter *emitter, uint32_t index, const char *seen) {
    FILE *out = emitter->out;
    unsigned step = program_step(emitter->program, index);
    char *text = NULL;
    size_t size;
    FILE *line = open_memstream(&text, &size);
    if (!line) return;
    script_print_line(line, emitter->program, index);
    fclose(line);
    fputs("    /* ", out);
    if (step) fprintf(out, "%u. ", step);
    emit_calls_comment(out, text);
    if (seen) {
        fputs(" -> ", out);
        emit_calls_comment(out, *seen ? seen : "nothing");
    }
    fputs(" */\n", out);
    free(text);
}

static void print_top_call(Emitter *emitter, uint32_t call) {
    FILE *out = emitter->out;
    const Seen *seen = &emitter->seen.calls[call];
    bool fails = call == emitter->failing, checked = fails && fails_by_what_is_seen(emitter);
    bool giving_back = seen->line == UINT32_MAX;
    if (giving_back) fprintf(out, "    /* %s */\n", seen->call);
    else
        print_statement_comment(emitter, seen->line,
                                fails ? emitter->emission->finding->expected : seen->text);
    fputs(checked ? "    FAILING_CALL(" : "    CALL(", out);
    if (giving_back) emit_calls_giving_back(out, seen->call);
    else emit_calls_call(emitter, seen->line, false);
    fputs(",\n         ", out);
    if (checked) print_expected_and_observed(emitter);
    else print_seen(emitter, call);
    fputs(");\n", out);
    if (fails && seen->freed[0]) fprintf(out, "    must_exist(%s);\n", seen->freed);
}

/* What a call in a body has shown, each time that it was made. */
static void print_each(Emitter *emitter, uint32_t index) {
    unsigned times = 0;
    fprintf(emitter->out, "static const char *const line_%u[] = {", index);
    for (uint32_t i = 0; i < emitter->seen.count; i++) {
        if (emitter->seen.calls[i].line != index) continue;
        if (times++) fputs(", ", emitter->out);
        print_seen(emitter, i);
    }
    fprintf(emitter->out, "%s};\n", times ? "" : "NULL");
}

/* The when-th time this line of a body is the call that fails; 0: it is not. */
static unsigned when_it_fails(const Emitter *emitter, uint32_t index) {
    unsigned times = 0;
    if (emitter->failing == emitter->seen.count) return 0;
    for (uint32_t i = 0; i <= emitter->failing; i++)
        times += emitter->seen.calls[i].line == index;
    return emitter->seen.calls[emitter->failing].line == index ? times : 0;
}

static void print_body_call(Emitter *emitter, uint32_t index) {
    FILE *out = emitter->out;
    unsigned when = when_it_fails(emitter, index);
    bool checked = when && fails_by_what_is_seen(emitter);
    fputs("    ", out);
    print_statement_comment(emitter, index, NULL);
    fputs(checked ? "        NEXT_FAILING_CALL(" : "        NEXT_CALL(", out);
    emit_calls_call(emitter, index, true);
    fprintf(out, ",\n             line_%u", index);
    if (checked) {
        fprintf(out, ", %u, ", when);
        print_expected_and_observed(emitter);
    }
    fputs(");\n", out);
    if (when && emitter->seen.calls[emitter->failing].freed[0])
        fprintf(out, "        must_exist(%s);\n", emitter->seen.calls[emitter->failing].freed);
}

static void print_routine(Emitter *emitter, unsigned routine) {
    FILE *out = emitter->out;
    const Program *program = emitter->program;
    uint32_t body = program->body_at[routine], from = body ? body - 1 : 0;
    fputc('\n', out);
    for (uint32_t i = from; body && program->lines[i].kind != LINE_END; i++)
        if (line_info[program->lines[i].kind].class == CLASS_CALL) print_each(emitter, i);
    if (!body) {
        fprintf(out,
                "static VOID NTAPI F%u(PVOID Context, PVOID Argument1, PVOID Argument2) {\n"
                "    enter(\"F%u\", Context, Argument1, Argument2);\n    leave();\n}\n",
                routine, routine);
        return;
    }
    fprintf(out,
            "static VOID NTAPI F%u(PVOID Context, PVOID Argument1, PVOID Argument2) {\n"
            "    if (enter(\"F%u\", Context, Argument1, Argument2)) {\n",
            routine, routine);
    for (uint32_t i = from; body && program->lines[i].kind != LINE_END; i++)
        if (line_info[program->lines[i].kind].class == CLASS_CALL) print_body_call(emitter, i);
    fputs("    }\n    leave();\n}\n", out);
}

static void print_routines(Emitter *emitter) {
    const Program *program = emitter->program;
    bool used[PROGRAM_ROUTINES + 1] = {false};
    for (uint32_t i = 0; i < program->line_count; i++)
        if (line_info[program->lines[i].kind].class == CLASS_CALL)
            used[program->lines[i].routine] = true;
    fputc('\n', emitter->out);
    for (uint32_t i = 0; i < program->variable_count; i++) {
        bool object = program->variables[i].type == TYPE_OBJECT;
        fprintf(emitter->out, "static %s", object ? "PCALLBACK_OBJECT " : "PVOID ");
        emit_calls_variable(emitter->out, program, (uint16_t)i);
        fputs(";\n", emitter->out);
    }
    for (unsigned i = 1; i <= PROGRAM_ROUTINES; i++)
        if (used[i])
            fprintf(emitter->out,
                    "static VOID NTAPI F%u(PVOID Context, PVOID Argument1, PVOID Argument2);\n", i);
    for (unsigned i = 1; i <= PROGRAM_ROUTINES; i++)
        if (used[i]) print_routine(emitter, i);
}

static void print_program(Emitter *emitter) {
    const Finding *finding = emitter->emission->finding;
    fputs("\nstatic void program(void) {\n", emitter->out);
    for (uint32_t i = 0; i < emitter->seen.count; i++)
        if (emitter->seen.calls[i].parent == UINT32_MAX) print_top_call(emitter, i);
    if (finding->judgement.verdict == VERDICT_LEAKS ||
        finding->judgement.verdict == VERDICT_CONFORMS)
        fputs("    left_nothing();\n", emitter->out);
    fputs("}\n", emitter->out);
}

/* Which of the calls is the one that the judgement is about? */
static void find_failing(Emitter *emitter) {
    const Judgement *judgement = &emitter->emission->finding->judgement;
    emitter->failing = emitter->seen.count;
    if (!verdict_is_finding(judgement->verdict) || judgement->verdict == VERDICT_LEAKS) return;
    /* Of an added processor it may be the first of two. */
    for (uint32_t i = emitter->seen.count; i-- > 0;)
        if (emitter->seen.calls[i].number >= judgement->call) emitter->failing = i;
}

bool emit_c(FILE *out, const Emission *emission) {
    Emitter emitter = {.out = out, .emission = emission, .program = emission->program};
    bool good = seen_read(&emitter.seen, emission->program, emission->trace);
    if (good) {
        find_failing(&emitter);
        emit_head_comment(&emitter);
        fputs(standalone_head, out);
        emit_head_own_routines(&emitter);
        emit_head_failure(&emitter);
        emit_calls_names(&emitter);
        emit_calls_values(&emitter);
        emit_calls_statuses(&emitter);
        print_routines(&emitter);
        print_program(&emitter);
        fputs(standalone_tail, out);
    }
    seen_free(&emitter.seen);
    return good && !ferror(out);
}
