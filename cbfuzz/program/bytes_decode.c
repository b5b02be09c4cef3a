/* Bytes to program: total, each byte read once. The format is in bytes.h. */
#include <string.h>

#include "program/bytes.h"
#include "program/dictionary.h"
#include "program/names.h"
#include "program/note.h"

enum { NO_LINE = 0xFFFFFFFF };

typedef struct {
    const uint8_t *at, *end;
    Program *program;
    uint32_t last; /* line that annotations are about; NO_LINE: one that was left out */
    bool own_names, unresolved, sealed;
    uint16_t count[TYPE_PROCESSOR + 1];
    uint16_t variable[TYPE_PROCESSOR + 1]
                     [PROGRAM_STATEMENTS]; /* by place among those of the type */
    uint32_t forward_count;
    struct {
        uint32_t index, place;
    } forward[PROGRAM_STATEMENTS]; /* operands in routine bodies that may be defined below */
} Reader;

/* What the end of the bytes cuts off reads as 0. */
static uint8_t get(Reader *reader) {
    return reader->at < reader->end ? *reader->at++ : 0;
}

static uint64_t get_varint(Reader *reader) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = get(reader);
        if (shift < 64) value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) break;
    }
    return value;
}

static uint64_t get_number(Reader *reader) {
    uint8_t first = get(reader);
    if (first <= 0xF7) return first;
    uint64_t value = 0;
    for (unsigned i = 0; i < first - 0xF7u; i++)
        value |= (uint64_t)get(reader) << (8 * i);
    return value;
}

/* A length, and behind it so many elements of this size: no more than are there. */
static uint32_t get_length(Reader *reader, size_t element, uint64_t most) {
    uint64_t length = get_varint(reader);
    size_t there = (size_t)(reader->end - reader->at) / element;
    if (length > there) length = there;
    return (uint32_t)(length < most ? length : most);
}

static void get_name(Reader *reader, Line *line) {
    line->flags = get(reader) & 0x7F;
    if (line->flags & FLAG_UNNAMED) return;
    uint8_t place = get(reader);
    if (place != BYTES_NAME_SPELLED) {
        place %= NAME_COUNT;
        line->name_at = dictionary_names[place].at;
        line->name_length = dictionary_names[place].length;
        return;
    }
    uint16_t units[PROGRAM_NAME_UNITS];
    line->name_length = (uint16_t)get_length(reader, 2, PROGRAM_NAME_UNITS);
    for (uint32_t i = 0; i < line->name_length; i++, reader->at += 2)
        units[i] = (uint16_t)(reader->at[0] | reader->at[1] << 8);
    line->name_at = program_add_name(reader->program, units, line->name_length);
}

/* False when no script can say what the bytes do. */
static bool get_text(Reader *reader, Line *line) {
    const Program *program = reader->program;
    if (line->kind == LINE_COMMENT) {
        const Line *before = program->line_count ? &program->lines[program->line_count - 1] : NULL;
        line->flags = get(reader) & FLAG_TRAILING;
        if (!before || before->kind == LINE_COMMENT) line->flags = 0;
    }
    uint32_t length = get_length(reader, 1, UINT32_MAX);
    const char *text = (const char *)reader->at;
    reader->at += length;
    return program->note_count < PROGRAM_NOTES &&
           !(line->kind == LINE_PROFILE && program->has_profile) &&
           note_add(reader->program, line, text, length);
}

static bool in_routine(const Program *program) {
    return program->open_block && program->lines[program->open_block - 1].kind == LINE_ROUTINE;
}

/* The next number that has no block yet, from this one on; false if all have. */
static bool free_block(const Program *program, Line *line) {
    unsigned most = line->kind == LINE_ROUTINE ? PROGRAM_ROUTINES : PROGRAM_THREADS;
    for (unsigned i = 0; i < most; i++) {
        unsigned number = (line->routine - 1 + i) % most + 1;
        if (line->kind == LINE_ROUTINE ? program->body_at[number] == 0
                                       : !(program->threads >> number & 1)) {
            line->routine = (uint8_t)number;
            return true;
        }
    }
    return false;
}

static bool get_arguments(Reader *reader, Line *line) {
    uint8_t byte;
    switch (line_info[line->kind].arguments) {
    case ARGUMENTS_NONE: return true;
    case ARGUMENTS_NAME_AND_ATTRIBUTES: get_name(reader, line); return true;
    case ARGUMENTS_ROUTINE_AND_CONTEXT:
    case ARGUMENTS_ROUTINE_CONTEXT_AND_EXISTING:
        byte = get(reader);
        line->routine = (uint8_t)(byte % PROGRAM_ROUTINES + 1);
        if (line->kind == LINE_REGISTER_PROCESSOR_CHANGE && byte & 0x10)
            line->flags = FLAG_ADD_EXISTING;
        line->number[0] = get_number(reader);
        return true;
    case ARGUMENTS_TWO_NUMBERS:
        line->number[0] = get_number(reader);
        line->number[1] = get_number(reader);
        return true;
    case ARGUMENTS_LEVEL: line->number[0] = get(reader) % 3; return true;
    case ARGUMENTS_FAILS: line->flags = get(reader) & FLAG_FAILS; return true;
    case ARGUMENTS_COUNT: line->number[0] = get_varint(reader) % 65535 + 1; return true;
    case ARGUMENTS_ROUTINE:
        line->routine = (uint8_t)(get(reader) % PROGRAM_ROUTINES + 1);
        return free_block(reader->program, line);
    case ARGUMENTS_THREAD:
        line->routine = (uint8_t)(get(reader) % PROGRAM_THREADS + 1);
        return free_block(reader->program, line);
    case ARGUMENTS_STATUS:
        line->number[1] = get_number(reader);
        line->number[0] = (uint32_t)line->number[1];
        line->number[1] = (line->number[1] >> 32) % (PROGRAM_PROCESSORS + 1);
        return in_routine(reader->program);
    case ARGUMENTS_TEXT: return get_text(reader, line);
    }
    return false;
}

static void get_line(Reader *reader, LineKind kind) {
    Program *program = reader->program;
    const LineInfo *info = &line_info[kind];
    Line read = {.kind = (uint8_t)kind, .result = NO_VARIABLE, .operand = NO_VARIABLE};
    Line *line = &read;
    uint32_t index = program->line_count;
    uint16_t operand = NO_VARIABLE;
    bool stays = true;
    reader->last = NO_LINE;
    if (info->operand != TYPE_NONE) {
        uint64_t place = get_varint(reader);
        uint16_t count = reader->count[info->operand];
        if (place < count || (count > 0 && !in_routine(program)))
            operand = reader->variable[info->operand][place % count];
        else if (in_routine(program) && program->statement_count < PROGRAM_STATEMENTS) {
            reader->forward[reader->forward_count].index = index;
            reader->forward[reader->forward_count].place = (uint32_t)place;
        } else stays = false;
    }
    /* A call that nothing can keep out is read where it will stand. */
    bool calls = info->class == CLASS_CALL && kind != LINE_SET_STATUS;
    if (calls && stays) {
        line = program_place(program, kind, 0, NULL);
        if (!line) line = &read;
    }
    if (!get_arguments(reader, line) || !stays) return;
    if (!calls) program_append(program, read, NULL);
    if (program->line_count == index) return;
    reader->last = index;
    program->lines[index].operand = operand;
    uint16_t result = program->lines[index].result;
    if (info->operand != TYPE_NONE && operand == NO_VARIABLE) reader->forward_count++;
    if (result != NO_VARIABLE)
        reader->variable[info->result][reader->count[info->result]++] = result;
}

static void get_own_name(Reader *reader) {
    Program *program = reader->program;
    uint32_t length = get_length(reader, 1, UINT32_MAX);
    const char *text = (const char *)reader->at;
    reader->at += length;
    uint16_t result = reader->last == NO_LINE ? NO_VARIABLE : program->lines[reader->last].result;
    if (result == NO_VARIABLE || !names_well_formed(text, length) || names_reserved(text, length))
        return;
    program->variables[result].name_at = program_add_text(program, text, length);
    program->variables[result].name_length = length;
    reader->own_names = true;
}

static Value get_value(Reader *reader) {
    Value value = {.kind = get(reader) % (VALUE_STATUS + 1)};
    if (value.kind != VALUE_ANY) value.number = get_number(reader);
    if (value.kind != VALUE_NUMBER) value.number = (uint32_t)value.number;
    return value;
}

static void get_calls(Reader *reader, Line *line) {
    uint32_t count = get_length(reader, 1, PROGRAM_EXPECTED_CALLS);
    line->expect_at = reader->program->call_count;
    line->expect_count = 0;
    for (; line->expect_count < count && reader->at < reader->end; line->expect_count++) {
        ExpectedCall call;
        memset(&call, 0, sizeof call);
        call.routine = (uint8_t)(get(reader) % PROGRAM_ROUTINES + 1);
        call.context = get_value(reader);
        call.argument1 = get_value(reader);
        call.argument2 = get_value(reader);
        program_add_calls(reader->program, &call, 1);
    }
    if (line->expect_count == 0) {
        line->expect = EXPECT_NOTHING;
        line->expect_at = 0;
    }
}

static void get_expectation(Reader *reader, Expect expect) {
    Line left_out = {.kind = LINE_END}, *line = &left_out;
    if (reader->sealed && reader->last != NO_LINE &&
        program_expect_fits(reader->program->lines[reader->last].kind, expect))
        line = &reader->program->lines[reader->last];
    line->expect = (uint8_t)expect;
    line->expect_status = line->expect_at = line->expect_count = 0;
    if (expect == EXPECT_STATUS) line->expect_status = (uint32_t)get_number(reader);
    if (expect == EXPECT_CALLS) get_calls(reader, line);
}

static void get_annotation(Reader *reader, uint8_t opcode) {
    switch (opcode) {
    case BYTES_OWN_NAME: get_own_name(reader); break;
    case BYTES_EXPECT_STATUS: get_expectation(reader, EXPECT_STATUS); break;
    case BYTES_EXPECT_ERROR: get_expectation(reader, EXPECT_ERROR); break;
    case BYTES_EXPECT_HANDLE: get_expectation(reader, EXPECT_HANDLE); break;
    case BYTES_EXPECT_NULL: get_expectation(reader, EXPECT_NULL); break;
    case BYTES_EXPECT_NOTHING: get_expectation(reader, EXPECT_NOTHING); break;
    case BYTES_EXPECT_CALLS: get_expectation(reader, EXPECT_CALLS); break;
    case BYTES_SEAL: /* one that does not fit */
        for (unsigned i = 1; i < BYTES_SEAL_SIZE; i++)
            get(reader);
        break;
    }
}

static void resolve_forward(Reader *reader) {
    Program *program = reader->program;
    for (uint32_t i = 0; i < reader->forward_count; i++) {
        Line *line = &program->lines[reader->forward[i].index];
        Type type = line_info[line->kind].operand;
        uint16_t count = reader->count[type];
        if (count > 0) line->operand = reader->variable[type][reader->forward[i].place % count];
        else reader->unresolved = true;
    }
}

/* Leaves out the lines that have no candidate for their operand, and what needs them. */
static void leave_out_unresolved(Program *program) {
    bool keep[PROGRAM_LINES];
    for (uint32_t i = 0; i < program->line_count; i++)
        keep[i] = line_info[program->lines[i].kind].operand == TYPE_NONE ||
                  program->lines[i].operand != NO_VARIABLE;
    Program *copy = program_new();
    if (copy) {
        program_copy(copy, program);
        program_rebuild(program, copy, keep);
        program_free(copy);
    }
}

static bool is_sealed(const uint8_t *bytes, size_t length) {
    if (length < BYTES_SEAL_SIZE || bytes[length - BYTES_SEAL_SIZE] != BYTES_SEAL) return false;
    const uint8_t *seal = bytes + length - 4;
    return bytes_hash(bytes, length - BYTES_SEAL_SIZE) ==
           (seal[0] | (uint32_t)seal[1] << 8 | (uint32_t)seal[2] << 16 | (uint32_t)seal[3] << 24);
}

void bytes_decode(Program *program, const uint8_t *bytes, size_t length) {
    Reader reader;
    program_clear(program);
    reader.sealed = is_sealed(bytes, length);
    if (reader.sealed) length -= BYTES_SEAL_SIZE;
    reader.at = length ? bytes : (const uint8_t *)"";
    reader.end = reader.at + length;
    reader.program = program;
    reader.last = NO_LINE;
    reader.own_names = reader.unresolved = false;
    reader.forward_count = 0;
    memset(reader.count, 0, sizeof reader.count);
    while (reader.at < reader.end) {
        uint8_t opcode = *reader.at++;
        if (opcode < LINE_KINDS) get_line(&reader, opcode);
        else if (opcode >= BYTES_OWN_NAME) get_annotation(&reader, opcode);
    }
    if (program->open_block)
        program_append(program, (Line){.kind = LINE_END, .operand = NO_VARIABLE}, NULL);
    resolve_forward(&reader);
    if (reader.own_names) program_settle_names(program);
    if (reader.unresolved) leave_out_unresolved(program);
}
