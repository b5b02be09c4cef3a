/* Statements as C calls, and the constants that they use. */
#define _GNU_SOURCE
#include <string.h>

#include "program/dictionary.h"
#include "program/script.h"
#include "program/status.h"
#include "report/emitter.h"

enum { VALUES = 512 };

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
    if (emitter->name_count == EMITTER_NAMES) return 0;
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

void emit_calls_names(Emitter *emitter) {
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

void emit_calls_values(Emitter *emitter) {
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
void emit_calls_statuses(Emitter *emitter) {
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
void emit_calls_text(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        if (*text == '?') fputs("\\?", out);
        else fputc(*text, out);
    }
    fputc('"', out);
}

/* Into a comment: nothing that ends it. */
void emit_calls_comment(FILE *out, const char *text) {
    for (; *text; text++) {
        fputc(*text, out);
        if (*text == '*' && text[1] == '/') fputc(' ', out);
    }
}

/* Names of scripts may be words of C. */
void emit_calls_variable(FILE *out, const Program *program, uint16_t variable) {
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
        emit_calls_variable(out, program, line->result);
        fputs(" = NULL, ", out);
    }
    fputs("created(ExCreateCallback(&", out);
    emit_calls_variable(out, program, line->result);
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
    emit_calls_variable(out, program, line->result);
    fputs(in_body ? "))" : ")", out);
}

static void print_with_operand(Emitter *emitter, const char *routine, const Line *line) {
    fprintf(emitter->out, "%s(", routine);
    emit_calls_variable(emitter->out, emitter->program, line->operand);
}

/* The call as C; a statement without a routine of its own is one of the support's. */
void emit_calls_call(Emitter *emitter, uint32_t index, bool in_body) {
    FILE *out = emitter->out;
    const Line *line = &emitter->program->lines[index];
    switch ((LineKind)line->kind) {
    case LINE_CREATE:
    case LINE_OPEN: print_create(emitter, index, in_body); return;
    case LINE_REGISTER:
        fputs("registered(", out);
        emit_calls_variable(out, emitter->program, line->result);
        fputs(" = ", out);
        print_with_operand(emitter, "ExRegisterCallback", line);
        fprintf(out, ", F%u, ", line->routine);
        print_value(out, "CONTEXT", line->number[0]);
        fputs("))", out);
        return;
    case LINE_REGISTER_PROCESSOR_CHANGE:
        fputs("registered(", out);
        emit_calls_variable(out, emitter->program, line->result);
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
        fprintf(out, "set_status((NTSTATUS)0x%08X, %d", (unsigned)line->number[0],
                (int)line->number[1] - 1);
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
void emit_calls_giving_back(FILE *out, const char *text) {
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
        return;
    }
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t length = strlen(calls[i].words);
        if (strncmp(text, calls[i].words, length) != 0) continue;
        fprintf(out, "%s(%s(%s))", calls[i].routine, calls[i].kind, text + length + 1);
        return;
    }
}
