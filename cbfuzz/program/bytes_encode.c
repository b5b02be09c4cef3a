/* Program to bytes. The format is in bytes.h. */
#include <string.h>

#include "program/bytes.h"
#include "program/dictionary.h"

typedef struct {
    const Program *program;
    uint8_t *bytes;
    size_t capacity, length;            /* length goes on when capacity is reached */
    uint16_t place[PROGRAM_STATEMENTS]; /* of each variable among those of its type */
} Writer;

static void put(Writer *writer, uint8_t byte) {
    if (writer->length < writer->capacity) writer->bytes[writer->length] = byte;
    writer->length++;
}

static void put_varint(Writer *writer, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        put(writer, (uint8_t)(value | 0x80));
    put(writer, (uint8_t)value);
}

static void put_number(Writer *writer, uint64_t value) {
    if (value <= 0xF7) {
        put(writer, (uint8_t)value);
        return;
    }
    unsigned count = 1;
    while (count < 8 && value >> (8 * count))
        count++;
    put(writer, (uint8_t)(0xF7 + count));
    for (; count > 0; count--, value >>= 8)
        put(writer, (uint8_t)value);
}

static void put_text(Writer *writer, uint32_t at, uint32_t length) {
    put_varint(writer, length);
    if (writer->length < writer->capacity && length) {
        size_t room = writer->capacity - writer->length;
        memcpy(writer->bytes + writer->length, writer->program->text + at,
               length < room ? length : room);
    }
    writer->length += length;
}

static void put_name(Writer *writer, const Line *line) {
    put(writer, line->flags);
    if (line->flags & FLAG_UNNAMED) return;
    if (line->name_at < dictionary_unit_count)
        for (unsigned i = 0; i < NAME_COUNT; i++)
            if (dictionary_names[i].at == line->name_at &&
                dictionary_names[i].length == line->name_length) {
                put(writer, (uint8_t)i);
                return;
            }
    put(writer, BYTES_NAME_SPELLED);
    put_varint(writer, line->name_length);
    for (uint32_t i = 0; i < line->name_length; i++) {
        put(writer, (uint8_t)writer->program->units[line->name_at + i]);
        put(writer, (uint8_t)(writer->program->units[line->name_at + i] >> 8));
    }
}

static uint8_t routine_byte(const Line *line) {
    return (uint8_t)((line->routine - 1) | (line->flags & FLAG_ADD_EXISTING ? 0x10 : 0));
}

static void put_arguments(Writer *writer, const Line *line) {
    switch (line_info[line->kind].arguments) {
    case ARGUMENTS_NONE: break;
    case ARGUMENTS_NAME_AND_ATTRIBUTES: put_name(writer, line); break;
    case ARGUMENTS_ROUTINE_AND_CONTEXT:
    case ARGUMENTS_ROUTINE_CONTEXT_AND_EXISTING:
        put(writer, routine_byte(line));
        put_number(writer, line->number[0]);
        break;
    case ARGUMENTS_TWO_NUMBERS:
        put_number(writer, line->number[0]);
        put_number(writer, line->number[1]);
        break;
    case ARGUMENTS_LEVEL: put(writer, (uint8_t)line->number[0]); break;
    case ARGUMENTS_FAILS: put(writer, line->flags); break;
    case ARGUMENTS_COUNT: put_varint(writer, line->number[0] - 1); break;
    case ARGUMENTS_ROUTINE:
    case ARGUMENTS_THREAD: put(writer, (uint8_t)(line->routine - 1)); break;
    case ARGUMENTS_STATUS: put_number(writer, line->number[0] | line->number[1] << 32); break;
    case ARGUMENTS_TEXT:
        if (line->kind == LINE_COMMENT) put(writer, line->flags);
        put_text(writer, line->text_at, line->text_length);
        break;
    }
}

static void put_value(Writer *writer, Value value) {
    put(writer, value.kind);
    if (value.kind != VALUE_ANY) put_number(writer, value.number);
}

static void put_expectation(Writer *writer, const Line *line) {
    switch ((Expect)line->expect) {
    case EXPECT_UNSAID: break;
    case EXPECT_STATUS:
        put(writer, BYTES_EXPECT_STATUS);
        put_number(writer, line->expect_status);
        break;
    case EXPECT_ERROR: put(writer, BYTES_EXPECT_ERROR); break;
    case EXPECT_HANDLE: put(writer, BYTES_EXPECT_HANDLE); break;
    case EXPECT_NULL: put(writer, BYTES_EXPECT_NULL); break;
    case EXPECT_NOTHING: put(writer, BYTES_EXPECT_NOTHING); break;
    case EXPECT_CALLS:
        put(writer, BYTES_EXPECT_CALLS);
        put_varint(writer, line->expect_count);
        for (uint32_t i = 0; i < line->expect_count; i++) {
            const ExpectedCall *call = &writer->program->calls[line->expect_at + i];
            put(writer, (uint8_t)(call->routine - 1));
            put_value(writer, call->context);
            put_value(writer, call->argument1);
            put_value(writer, call->argument2);
        }
        break;
    }
}

static void put_line(Writer *writer, const Line *line) {
    const Program *program = writer->program;
    put(writer, line->kind);
    if (line_info[line->kind].operand != TYPE_NONE)
        put_varint(writer, writer->place[line->operand]);
    put_arguments(writer, line);
    if (line->result != NO_VARIABLE && program->variables[line->result].name_length) {
        put(writer, BYTES_OWN_NAME);
        put_text(writer, program->variables[line->result].name_at,
                 program->variables[line->result].name_length);
    }
    put_expectation(writer, line);
}

/* The bytes before it are there unless the whole does not fit anyway. */
static void put_seal(Writer *writer) {
    size_t length = writer->length < writer->capacity ? writer->length : writer->capacity;
    uint32_t hash = bytes_hash(writer->bytes, length);
    put(writer, BYTES_SEAL);
    for (unsigned i = 0; i < 4; i++)
        put(writer, (uint8_t)(hash >> (8 * i)));
}

size_t bytes_encode(const Program *program, uint8_t *bytes, size_t capacity) {
    Writer writer;
    writer.program = program;
    writer.bytes = bytes;
    writer.capacity = capacity;
    writer.length = 0;
    uint16_t count[TYPE_PROCESSOR + 1] = {0};
    for (uint32_t i = 0; i < program->variable_count; i++)
        writer.place[i] = count[program->variables[i].type]++;
    put(&writer, BYTES_MAGIC);
    bool expects = false;
    for (uint32_t i = 0; i < program->line_count; i++) {
        put_line(&writer, &program->lines[i]);
        expects |= program->lines[i].expect != EXPECT_UNSAID;
    }
    if (expects) put_seal(&writer);
    return writer.length;
}
