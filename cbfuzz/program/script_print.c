/* Program to script: one line a line, names as names.h spells them. */
#include "program/script.h"

#include <inttypes.h>

#include "program/names.h"
#include "program/status.h"
#include "program/utf8.h"

static void print_bytes(FILE *out, const char *text, size_t length) {
    fwrite(text, 1, length, out);
}

static void print_spelled(FILE *out, const Names *names, uint16_t variable) {
    if (variable < names->count)
        print_bytes(out, names->text + names->at[variable], names->length[variable]);
    else fputc('?', out);
}

void script_print_status(FILE *out, uint32_t status) {
    const char *name = status_name(status);
    if (name) fputs(name, out);
    else fprintf(out, "0x%08" PRIX32, status);
}

void script_print_level(FILE *out, unsigned level) {
    static const char *const levels[] = {"PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"};
    if (level < 3) fputs(levels[level], out);
    else fprintf(out, "%u", level);
}

void script_print_value(FILE *out, Value value) {
    switch ((ValueKind)value.kind) {
    case VALUE_NUMBER: fprintf(out, "0x%" PRIx64, value.number); break;
    case VALUE_ANY: fputc('*', out); break;
    case VALUE_PROCESSOR_START: fprintf(out, "start %" PRIu32, (uint32_t)value.number); break;
    case VALUE_PROCESSOR_COMPLETE: fprintf(out, "complete %" PRIu32, (uint32_t)value.number); break;
    case VALUE_PROCESSOR_FAILURE: fprintf(out, "failure %" PRIu32, (uint32_t)value.number); break;
    case VALUE_STATUS:
        if (!status_name((uint32_t)value.number)) fputs("status ", out);
        script_print_status(out, (uint32_t)value.number);
        break;
    }
}

void script_print_call(FILE *out, const ExpectedCall *call) {
    fprintf(out, "F%u(", call->routine);
    script_print_value(out, call->context);
    fputs(", ", out);
    script_print_value(out, call->argument1);
    fputs(", ", out);
    script_print_value(out, call->argument2);
    fputc(')', out);
}

/* The characters of a name between its quotes. */
static void print_units(FILE *out, const uint16_t *units, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        uint32_t character = units[i];
        bool pair =
            (character & 0xFC00) == 0xD800 && i + 1 < length && (units[i + 1] & 0xFC00) == 0xDC00;
        if (pair) character = 0x10000 + ((character & 0x3FF) << 10) + (units[i + 1] & 0x3FF);
        if (character == '"') {
            fputs("\"\"", out);
        } else if (character == '{' || character == '}' || !utf8_shows(character)) {
            fprintf(out, "{U+%04X}", units[i]);
            if (pair) fprintf(out, "{U+%04X}", units[i + 1]);
        } else {
            char bytes[4];
            print_bytes(out, bytes, utf8_write(bytes, character));
        }
        i += pair;
    }
}

static void print_name(FILE *out, const Program *program, const Line *line) {
    static const struct {
        uint8_t flag;
        const char *word;
    } attributes[] = {{FLAG_MULTIPLE, " multiple"},   {FLAG_CASE_INSENSITIVE, " case_insensitive"},
                      {FLAG_PERMANENT, " permanent"}, {FLAG_OPENIF, " openif"},
                      {FLAG_EXCLUSIVE, " exclusive"}, {FLAG_KERNEL_HANDLE, " kernel_handle"}};
    if (line->flags & FLAG_UNNAMED) {
        fputs(" unnamed", out);
    } else {
        fputs(" \"", out);
        print_units(out, program->units + line->name_at, line->name_length);
        fputc('"', out);
    }
    for (unsigned i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (line->flags & attributes[i].flag) fputs(attributes[i].word, out);
}

static void print_text(FILE *out, const Program *program, const Line *line) {
    const char *text = program->text + line->text_at;
    for (uint32_t at = 0; at < line->text_length;) {
        char clean[UTF8_CLEAN];
        unsigned written;
        at += utf8_clean(text + at, line->text_length - at, clean, &written);
        print_bytes(out, clean, written);
    }
}

static void print_arguments(FILE *out, const Program *program, const Line *line) {
    switch (line_info[line->kind].arguments) {
    case ARGUMENTS_NONE: break;
    case ARGUMENTS_NAME_AND_ATTRIBUTES: print_name(out, program, line); break;
    case ARGUMENTS_ROUTINE_AND_CONTEXT:
        fprintf(out, " F%u 0x%" PRIx64, line->routine, line->number[0]);
        break;
    case ARGUMENTS_ROUTINE_CONTEXT_AND_EXISTING:
        fprintf(out, " F%u 0x%" PRIx64 "%s", line->routine, line->number[0],
                line->flags & FLAG_ADD_EXISTING ? " add_existing" : "");
        break;
    case ARGUMENTS_TWO_NUMBERS:
        fprintf(out, " 0x%" PRIx64 " 0x%" PRIx64, line->number[0], line->number[1]);
        break;
    case ARGUMENTS_LEVEL:
        fputc(' ', out);
        script_print_level(out, (unsigned)line->number[0]);
        break;
    case ARGUMENTS_FAILS:
        if (line->flags & FLAG_FAILS) fputs(" fails", out);
        break;
    case ARGUMENTS_COUNT: fprintf(out, " %" PRIu64, line->number[0]); break;
    case ARGUMENTS_ROUTINE: fprintf(out, " F%u {", line->routine); break;
    case ARGUMENTS_THREAD: fprintf(out, " T%u {", line->routine); break;
    case ARGUMENTS_STATUS:
        fputc(' ', out);
        script_print_status(out, (uint32_t)line->number[0]);
        if (line->number[1]) fprintf(out, " %" PRIu64, line->number[1] - 1);
        break;
    case ARGUMENTS_TEXT:
        if (line->text_length) fputc(' ', out);
        print_text(out, program, line);
        break;
    }
}

static void print_line(FILE *out, const Program *program, const Names *names, const Line *line) {
    const LineInfo *info = &line_info[line->kind];
    if (info->result != TYPE_NONE) {
        print_spelled(out, names, line->result);
        fputs(" = ", out);
    }
    fputs(info->word, out);
    if (info->operand != TYPE_NONE) {
        fputc(' ', out);
        print_spelled(out, names, line->operand);
    }
    print_arguments(out, program, line);
}

void script_print_expectation(FILE *out, const Program *program, uint32_t index) {
    const Line *line = &program->lines[index];
    switch ((Expect)line->expect) {
    case EXPECT_UNSAID: break;
    case EXPECT_STATUS: script_print_status(out, line->expect_status); break;
    case EXPECT_ERROR: fputs("error", out); break;
    case EXPECT_HANDLE: fputs("handle", out); break;
    case EXPECT_NULL: fputs("NULL", out); break;
    case EXPECT_NOTHING: fputs("nothing", out); break;
    case EXPECT_CALLS:
        for (uint32_t i = 0; i < line->expect_count; i++) {
            if (i > 0) fputc(' ', out);
            script_print_call(out, &program->calls[line->expect_at + i]);
        }
        break;
    }
}

/* A blank line sets what a script is about apart from what it does. */
static bool is_header(const Line *line) {
    return line->kind == LINE_CLAUSE || line->kind == LINE_PROFILE || line->kind == LINE_READING;
}

static bool is_trailing(const Line *line) {
    return line->kind == LINE_COMMENT && line->flags & FLAG_TRAILING;
}

void script_print(FILE *out, const Program *program) {
    Names *names = names_new();
    names_build(names, program);
    bool inside = false, header = false;
    for (uint32_t i = 0; i < program->line_count; i++) {
        const Line *line = &program->lines[i];
        bool trailing = is_trailing(line);
        if (header && !is_header(line) && !trailing) fputc('\n', out);
        header = !inside && (is_header(line) || (header && trailing));
        if (line->kind == LINE_END) inside = false;
        if (trailing) fputs("  ", out);
        else if (inside) fputs("    ", out);
        print_line(out, program, names, line);
        if (line->expect != EXPECT_UNSAID) {
            fputs(" -> ", out);
            script_print_expectation(out, program, i);
        }
        if (i + 1 == program->line_count || !is_trailing(&program->lines[i + 1])) fputc('\n', out);
        if (line_info[line->kind].class == CLASS_BLOCK) inside = true;
    }
    names_free(names);
}

void script_print_line(FILE *out, const Program *program, uint32_t index) {
    Names *names = names_new();
    names_build(names, program);
    print_line(out, program, names, &program->lines[index]);
    names_free(names);
}

void script_print_variable(FILE *out, const Program *program, uint16_t variable) {
    Names *names = names_new();
    names_build(names, program);
    print_spelled(out, names, variable);
    names_free(names);
}

char *script_text(const Program *program, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out) return NULL;
    script_print(out, program);
    fclose(out);
    return text;
}
