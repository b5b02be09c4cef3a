/* A program as a C program that stands alone: calls, what they have shown, and the failure. */
#define _GNU_SOURCE
#include "report/emit.h"

#include <stdlib.h>
#include <string.h>

#include "program/dictionary.h"
#include "program/names.h"
#include "program/script.h"
#include "program/status.h"
#include "report/report.h"
#include "report/seen.h"

/* What makes and checks the calls: report/standalone/, as it is. */
#define STANDALONE(name, file)                                                                     \
    __asm__(".section .rodata\n" #name ":\n.incbin \"cbfuzz/report/standalone/" file               \
            "\"\n.byte 0\n.previous\n");                                                           \
    extern const char name[] __attribute__((visibility("hidden")))
STANDALONE(standalone_head, "head.c");
STANDALONE(standalone_tail, "tail.c");

enum { VALUES = 512, UNITS = 256 };

/* What is being emitted. */
typedef struct {
    FILE *out;
    const Emission *emission;
    const Program *program;
    SeenList seen;
    uint32_t failing;                  /* call that fails; seen.count: none, or at the end */
    uint32_t names[UNITS], name_count; /* lines that brought a name for the first time */
} Emitter;

/* ---- constants ---- */

static const uint16_t *units_of(const Program *program, const Line *line) {
    return line->name_at < dictionary_unit_count ? dictionary_units + line->name_at
                                                 : program->units + line->name_at;
}

static bool is_create(const Line *line) {
    return line->kind == LINE_CREATE || line->kind == LINE_OPEN;
}

/* The number of a line's name; 0: it is one of too many and written out. */
static unsigned name_number(Emitter *emitter, uint32_t index) {
    const Program *program = emitter->program;
    const Line *line = &program->lines[index];
    for (unsigned i = 0; i < emitter->name_count; i++) {
        const Line *other = &program->lines[emitter->names[i]];
        if (other->name_length == line->name_length &&
            memcmp(units_of(program, other), units_of(program, line), 2u * line->name_length) == 0)
            return i + 1;
    }
    if (emitter->name_count == UNITS) return 0;
    emitter->names[emitter->name_count++] = index;
    return emitter->name_count;
}

/* L"..." ; what follows an escape stands in a string of its own. */
static void print_name(FILE *out, const Program *program, const Line *line) {
    const uint16_t *units = units_of(program, line);
    fputs("L\"", out);
    for (unsigned i = 0; i < line->name_length; i++) {
        if (units[i] == '\\' || units[i] == '"') fprintf(out, "\\%c", units[i]);
        else if (units[i] >= 0x20 && units[i] < 0x7F && units[i] != '?') fputc(units[i], out);
        else fprintf(out, "\\x%X\" L\"", units[i]);
    }
    fputc('"', out);
}

static void print_names(Emitter *emitter) {
    const Program *program = emitter->program;
    for (uint32_t i = 0; i < program->line_count; i++)
        if (is_create(&program->lines[i]) && !(program->lines[i].flags & FLAG_UNNAMED))
            name_number(emitter, i);
    for (unsigned i = 0; i < emitter->name_count; i++) {
        fprintf(emitter->out, "#define NAME_%u ", i + 1);
        print_name(emitter->out, program, &program->lines[emitter->names[i]]);
        fputc('\n', emitter->out);
    }
}

static void print_value(FILE *out, const char *kind, uint64_t value) {
    if (value) fprintf(out, "%s_%llX", kind, (unsigned long long)value);
    else fputs("NULL", out);
}

static void define_value(Emitter *emitter, const char *kind, uint64_t value, uint64_t *known,
                         unsigned *count) {
    for (unsigned i = 0; i < *count; i++)
        if (known[i] == value) return;
    if (!value || *count == VALUES) return;
    known[(*count)++] = value;
    fprintf(emitter->out, "#define %s_%llX ((PVOID)0x%llx)\n", kind, (unsigned long long)value,
            (unsigned long long)value);
}

static void print_values(Emitter *emitter) {
    uint64_t contexts[VALUES], arguments[VALUES];
    unsigned context_count = 0, argument_count = 0;
    for (uint32_t i = 0; i < emitter->program->line_count; i++) {
        const Line *line = &emitter->program->lines[i];
        if (line->kind == LINE_REGISTER || line->kind == LINE_REGISTER_PROCESSOR_CHANGE)
            define_value(emitter, "CONTEXT", line->number[0], contexts, &context_count);
        if (line->kind == LINE_NOTIFY || line->kind == LINE_POWER_STATE)
            for (unsigned a = 0; a < 2; a++)
                define_value(emitter, "ARGUMENT", line->number[a], arguments, &argument_count);
    }
}

/* The statuses that stand in what was seen, so that they have their names. */
static void print_statuses(Emitter *emitter) {
    const char *name;
    fputs("\nstatic const struct {\n    NTSTATUS status;\n    const char *name;\n"
          "} statuses[] = {\n    {STATUS_SUCCESS, \"STATUS_SUCCESS\"},\n",
          emitter->out);
    for (unsigned i = 0; (name = status_listed(i)) != NULL; i++) {
        bool stands = false;
        uint32_t status;
        for (uint32_t c = 0; c < emitter->seen.count && !stands; c++)
            stands = emitter->seen.calls[c].text && strstr(emitter->seen.calls[c].text, name);
        if (!stands || strcmp(name, "STATUS_SUCCESS") == 0 ||
            !status_by_name(name, strlen(name), &status))
            continue;
        fprintf(emitter->out, "    {(NTSTATUS)0x%08X, \"%s\"},\n", status, name);
    }
    fputs("};\n", emitter->out);
}

/* ---- words ---- */

/* As a C string. */
static void print_text(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        if (*text == '?') fputs("\\?", out);
        else fputc(*text, out);
    }
    fputc('"', out);
}

/* Into a comment: nothing that ends it. */
static void print_comment(FILE *out, const char *text) {
    for (; *text; text++) {
        fputc(*text, out);
        if (*text == '*' && text[1] == '/') fputc(' ', out);
    }
}

/* Names of scripts may be words of C. */
static void print_variable(FILE *out, const Program *program, uint16_t variable) {
    if (variable == NO_VARIABLE) {
        fputs("NULL", out);
        return;
    }
    fputs(program->variables[variable].type == TYPE_OBJECT ? "object_" : "registration_", out);
    script_print_variable(out, program, variable);
}

static void print_attributes(FILE *out, uint8_t flags) {
    static const struct {
        uint8_t flag;
        const char *name;
    } names[] = {{FLAG_CASE_INSENSITIVE, "OBJ_CASE_INSENSITIVE"},
                 {FLAG_PERMANENT, "OBJ_PERMANENT"},
                 {FLAG_OPENIF, "OBJ_OPENIF"},
                 {FLAG_EXCLUSIVE, "OBJ_EXCLUSIVE"},
                 {FLAG_KERNEL_HANDLE, "OBJ_KERNEL_HANDLE"}};
    const char *between = "";
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(flags & names[i].flag)) continue;
        fprintf(out, "%s%s", between, names[i].name);
        between = " | ";
    }
    if (!*between) fputc('0', out);
}

static void print_level(FILE *out, uint64_t level) {
    script_print_level(out, (unsigned)level);
}

/* ---- calls ---- */

/* In a body it may run again: what it stores must be NULL each time. */
static void print_create(Emitter *emitter, uint32_t index, bool in_body) {
    FILE *out = emitter->out;
    const Program *program = emitter->program;
    const Line *line = &program->lines[index];
    unsigned name = line->flags & FLAG_UNNAMED ? 0 : name_number(emitter, index);
    if (in_body) {
        fputs("(", out);
        print_variable(out, program, line->result);
        fputs(" = NULL, ", out);
    }
    fputs("created(ExCreateCallback(&", out);
    print_variable(out, program, line->result);
    if (line->flags & FLAG_UNNAMED) {
        fputs(", UNNAMED(", out);
    } else {
        fputs(", NAMED(", out);
        if (name) fprintf(out, "NAME_%u, ", name);
        else print_name(out, program, line), fputs(", ", out);
    }
    print_attributes(out, line->flags);
    fprintf(out, "), %s, %s), &", line->kind == LINE_CREATE ? "TRUE" : "FALSE",
            line->flags & FLAG_MULTIPLE ? "TRUE" : "FALSE");
    print_variable(out, program, line->result);
    fputs(in_body ? "))" : ")", out);
}

static void print_with_operand(Emitter *emitter, const char *routine, const Line *line) {
    fprintf(emitter->out, "%s(", routine);
    print_variable(emitter->out, emitter->program, line->operand);
}

/* The call as C; a statement without a routine of its own is one of the support's. */
static void print_call(Emitter *emitter, uint32_t index, bool in_body) {
    FILE *out = emitter->out;
    const Line *line = &emitter->program->lines[index];
    switch ((LineKind)line->kind) {
    case LINE_CREATE:
    case LINE_OPEN: print_create(emitter, index, in_body); return;
    case LINE_REGISTER:
        fputs("registered(", out);
        print_variable(out, emitter->program, line->result);
        fputs(" = ", out);
        print_with_operand(emitter, "ExRegisterCallback", line);
        fprintf(out, ", F%u, ", line->routine);
        print_value(out, "CONTEXT", line->number[0]);
        fputs("))", out);
        return;
    case LINE_REGISTER_PROCESSOR_CHANGE:
        fputs("registered(", out);
        print_variable(out, emitter->program, line->result);
        fprintf(out, " = register_change(F%u, ", line->routine);
        print_value(out, "CONTEXT", line->number[0]);
        fprintf(out, ", %s))",
                line->flags & FLAG_ADD_EXISTING ? "KE_PROCESSOR_CHANGE_ADD_EXISTING" : "0");
        return;
    case LINE_NOTIFY:
        print_with_operand(emitter, "ExNotifyCallback", line);
        fputs(", ", out);
        break;
    case LINE_POWER_STATE: fputs("power_state(", out); break;
    case LINE_UNREGISTER: print_with_operand(emitter, "ExUnregisterCallback", line); break;
    case LINE_REFERENCE: print_with_operand(emitter, "ObReferenceObject", line); break;
    case LINE_DEREFERENCE: print_with_operand(emitter, "ObDereferenceObject", line); break;
    case LINE_MAKE_TEMPORARY: print_with_operand(emitter, "ObMakeTemporaryObject", line); break;
    case LINE_DEREGISTER_PROCESSOR_CHANGE:
        print_with_operand(emitter, "KeDeregisterProcessorChangeCallback", line);
        break;
    case LINE_IRQL:
        fputs("nt_set_irql(", out);
        print_level(out, line->number[0]);
        break;
    case LINE_SET_SYSTEM_TIME: fputs("set_system_time(", out); break;
    case LINE_ADD_PROCESSOR:
        fprintf(out, "add_processor(%s", line->flags & FLAG_FAILS ? "TRUE" : "FALSE");
        break;
    case LINE_FAIL_ALLOCATION:
        fprintf(out, "nt_fail_allocation(%u", (unsigned)line->number[0]);
        break;
    case LINE_SET_STATUS:
        fprintf(out, "set_status((NTSTATUS)0x%08X", (unsigned)line->number[0]);
        break;
    default: return;
    }
    if (line->kind == LINE_NOTIFY || line->kind == LINE_POWER_STATE) {
        print_value(out, "ARGUMENT", line->number[0]);
        fputs(", ", out);
        print_value(out, "ARGUMENT", line->number[1]);
    }
    fputc(')', out);
}

/* "(giving back) unregister registration 2" */
static bool print_giving_back(FILE *out, const char *text) {
    static const struct {
        const char *words, *routine, *kind;
    } calls[] = {
        {"unregister registration", "ExUnregisterCallback", "registration"},
        {"deregister_processor_change registration", "KeDeregisterProcessorChangeCallback",
         "registration"},
        {"dereference object", "ObDereferenceObject", "object"},
        {"make_temporary object", "ObMakeTemporaryObject", "object"},
    };
    text += strlen("(giving back) ");
    if (strncmp(text, "irql ", 5) == 0) {
        fprintf(out, "nt_set_irql(%s)", text + 5);
        return true;
    }
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t length = strlen(calls[i].words);
        if (strncmp(text, calls[i].words, length) != 0) continue;
        fprintf(out, "%s(%s(%s))", calls[i].routine, calls[i].kind, text + length + 1);
        return true;
    }
    return false;
}

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
    if (expected) print_text(emitter->out, expected);
    else fputs("NULL", emitter->out);
    fputs(",\n         ", emitter->out);
    print_text(emitter->out, emitter->seen.calls[emitter->failing].text);
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
    else print_text(emitter->out, emitter->seen.calls[call].text);
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
    print_comment(out, text);
    if (seen) {
        fputs(" -> ", out);
        print_comment(out, *seen ? seen : "nothing");
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
    if (giving_back) print_giving_back(out, seen->call);
    else print_call(emitter, seen->line, false);
    fputs(",\n         ", out);
    if (checked) print_expected_and_observed(emitter);
    else print_seen(emitter, call);
    fputs(");\n", out);
    if (fails && seen->freed) fprintf(out, "    must_exist(%u);\n", seen->freed);
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
    print_call(emitter, index, true);
    fprintf(out, ",\n             line_%u", index);
    if (checked) {
        fprintf(out, ", %u, ", when);
        print_expected_and_observed(emitter);
    }
    fputs(");\n", out);
    if (when && emitter->seen.calls[emitter->failing].freed)
        fprintf(out, "        must_exist(%u);\n", emitter->seen.calls[emitter->failing].freed);
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
        print_variable(emitter->out, program, (uint16_t)i);
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

/* "diverges NOTIFY-ORDER", "bugchecks PoolDoubleFree", "leaks": as the support says it. */
static void print_failure(Emitter *emitter) {
    const Judgement *judgement = &emitter->emission->finding->judgement;
    char subject[80];
    const char *what = "";
    if (judgement->verdict == VERDICT_DIVERGES) what = verdict_subject(judgement, subject);
    if (judgement->verdict == VERDICT_BUGCHECKS || judgement->verdict == VERDICT_CRASHES)
        what = judgement->kind;
    fprintf(emitter->out, "\n#define FAILURE \"%s%s%s\"\n#define EXPECTED ",
            verdict_name(judgement->verdict), *what ? " " : "", what);
    print_text(emitter->out, emitter->emission->finding->expected);
    fputc('\n', emitter->out);
}

static void print_command(Emitter *emitter) {
    const Emission *emission = emitter->emission;
    FILE *out = emitter->out;
    char path[4200];
    char *absolute = realpath(emission->implementation->path, NULL);
    char *stem = strdup(emission->output);
    char *dot = stem ? strrchr(stem, '.') : NULL;
    if (dot && strcmp(dot, ".c") == 0) *dot = 0;
    else dot = NULL;
    fputs(" *   ", out);
    report_word(out, emission->compiler);
    fputs(" -g -fsanitize=address -fshort-wchar -fms-extensions -Wno-microsoft -I", out);
    snprintf(path, sizeof path, "%s/cbfuzz", emission->root);
    report_word(out, path);
    fputs(" -I", out);
    snprintf(path, sizeof path, "%s/cbfuzz/nt/include", emission->root);
    report_word(out, path);
    fputc(' ', out);
    report_word(out, emission->output);
    fputc(' ', out);
    if (!emission->implementation->builtin) {
        report_word(out, absolute ? absolute : emission->implementation->path);
        fputc(' ', out);
    }
    snprintf(path, sizeof path, "%s/build/libkernel.a", emission->root);
    report_word(out, path);
    fputs(" -o ", out);
    snprintf(path, sizeof path, "%s%s", stem ? stem : "a", dot ? "" : ".out");
    report_word(out, path);
    fputs("\n", out);
    free(absolute);
    free(stem);
}

/* A line of the head's comment. */
static void print_head_line(FILE *out, const char *label, const char *text) {
    if (!*text) return;
    fprintf(out, " *   %-9s ", label);
    print_comment(out, text);
    fputc('\n', out);
}

static void print_head(Emitter *emitter) {
    const Finding *finding = emitter->emission->finding;
    const Judgement *judgement = &finding->judgement;
    FILE *out = emitter->out;
    char subject[80], label[32];
    bool fails = verdict_is_finding(judgement->verdict);
    fprintf(out, "/* %s", verdict_title(judgement->verdict));
    if (fails) fprintf(out, " %s", verdict_subject(judgement, subject));
    if (judgement->clause != CLAUSE_NONE) fprintf(out, ": %s", clause_get(judgement->clause)->text);
    fputs("\n", out);
    if (judgement->line == NO_LINE) snprintf(label, sizeof label, "at the end");
    else snprintf(label, sizeof label, "step %u", judgement->step);
    if (fails) {
        print_head_line(out, label, finding->inside[0] ? finding->inside : finding->statement);
        if (finding->inside[0]) print_head_line(out, "in it", finding->statement);
        print_head_line(out, "expected", finding->expected);
        print_head_line(out, "observed", finding->observed);
    }
    fputs(" *\n * Made by cbfuzz emit-c from ", out);
    print_comment(out, emitter->emission->file);
    fputs(". Build and run it:\n", out);
    print_command(emitter);
    fputs(" * It ends with code 1 when it fails like this, 0 when it does not, 2 when it fails\n"
          " * otherwise.\n */\n",
          out);
}

/* What the implementation has of its own is called through its shared object: the linker
 * would take the environment's. */
static void print_own_routines(Emitter *emitter) {
    static const struct {
        const char *name, *type;
    } own[] = {
        {"ObReferenceObject", "LONG_PTR (*)(PVOID)"},
        {"ObDereferenceObject", "LONG_PTR (*)(PVOID)"},
        {"ObMakeTemporaryObject", "VOID (*)(PVOID)"},
        {"KeRegisterProcessorChangeCallback",
         "PVOID (*)(PPROCESSOR_CALLBACK_FUNCTION, PVOID, ULONG)"},
        {"KeDeregisterProcessorChangeCallback", "VOID (*)(PVOID)"},
        {"KiNotifyProcessorChange", "VOID (*)(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, PNTSTATUS)"}};
    const Implementation *implementation = emitter->emission->implementation;
    FILE *out = emitter->out;
    bool any = false, changes = false, hears = false, initializes = implementation->builtin;
    const char *name;
    bool required;
    fputc('\n', out);
    for (unsigned i = 0; (name = implementation_export(i, &required)) != NULL; i++) {
        if (!(implementation->exports >> i & 1)) continue;
        initializes |= strcmp(name, "CbfuzzInitialize") == 0;
        for (unsigned k = 0; k < sizeof own / sizeof own[0]; k++) {
            if (strcmp(name, own[k].name) != 0) continue;
            if (!any) {
                char *absolute = realpath(implementation->path, NULL);
                fputs("#include <dlfcn.h>\n#define OWN(type, name) ((type)dlsym(dlopen(", out);
                print_text(out, absolute ? absolute : implementation->path);
                fputs(", RTLD_LAZY), name))\n", out);
                free(absolute);
            }
            any = true;
            changes |= k == 3;
            hears |= k == 5;
            fprintf(out, "#undef %s\n#define %s OWN(%s, \"%s\")\n", name, name, own[k].type, name);
        }
    }
    if (initializes) fputs("#define INITIALIZE\nNTSTATUS CbfuzzInitialize(VOID);\n", out);
    if (!changes)
        fputs("VOID KiNotifyProcessorChange(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, PNTSTATUS);\n",
              out);
    if (changes && !hears) fputs("#define NOTIFY_CHANGE(context, status) ((void)0)\n", out);
    else fputs("#define NOTIFY_CHANGE KiNotifyProcessorChange\n", out);
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
        print_head(&emitter);
        fputs(standalone_head, out);
        print_own_routines(&emitter);
        print_failure(&emitter);
        print_names(&emitter);
        print_values(&emitter);
        print_statuses(&emitter);
        print_routines(&emitter);
        print_program(&emitter);
        fputs(standalone_tail, out);
    }
    seen_free(&emitter.seen);
    return good && !ferror(out);
}
