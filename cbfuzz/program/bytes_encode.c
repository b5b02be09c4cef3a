/* Program to bytes. The format is in bytes.h. */
#include <string.h>

#include "program/bytes.h"
#include "program/dictionary.h"

typedef BytesEncoder Writer;

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
    case ARGUMENTS_STATUS: put_number(writer, line->number[0]); break;
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

void bytes_encoder_begin(BytesEncoder *encoder, const Program *program, uint8_t *bytes,
                         size_t capacity) {
    encoder->program = program;
    encoder->bytes = bytes;
    encoder->capacity = capacity;
    encoder->length = 0;
    encoder->variables = 0;
    memset(encoder->count, 0, sizeof encoder->count);
    put(encoder, BYTES_MAGIC);
}

/* Numbers the variables that have come or gone since the last line. */
static void number_variables(BytesEncoder *encoder) {
    const Program *program = encoder->program;
    while (encoder->variables > program->variable_count)
        encoder->count[encoder->type[--encoder->variables]]--;
    for (; encoder->variables < program->variable_count; encoder->variables++) {
        uint8_t type = program->variables[encoder->variables].type;
        encoder->type[encoder->variables] = type;
        encoder->place[encoder->variables] = encoder->count[type]++;
    }
}

/* The common lines at once, where there is room for the longest of them: calls
 * that expect nothing and whose names are the dictionary's. False: not such a one. */
static bool put_short(Writer *writer, const Line *line) {
    enum { LONGEST = 32 /* opcode, operand, routine, two numbers */ };
    const LineInfo *info = &line_info[line->kind];
    if (writer->length + LONGEST > writer->capacity || line->expect != EXPECT_UNSAID) return false;
    uint8_t *at = writer->bytes + writer->length;
    *at++ = line->kind;
    if (info->operand != TYPE_NONE) {
        uint16_t place = writer->place[line->operand];
        if (place >= 0x80) return false;
        *at++ = (uint8_t)place;
    }
    unsigned numbers = 0;
    switch (info->arguments) {
    case ARGUMENTS_NONE: break;
    case ARGUMENTS_NAME_AND_ATTRIBUTES: {
        if (line->flags & FLAG_UNNAMED || line->name_at >= dictionary_unit_count) return false;
        unsigned place = 0;
        while (place < NAME_COUNT && dictionary_names[place].at != line->name_at)
            place++;
        if (place == NAME_COUNT || dictionary_names[place].length != line->name_length)
            return false;
        *at++ = line->flags;
        *at++ = (uint8_t)place;
        break;
    }
    case ARGUMENTS_ROUTINE_AND_CONTEXT:
    case ARGUMENTS_ROUTINE_CONTEXT_AND_EXISTING:
        *at++ = routine_byte(line);
        numbers = 1;
        break;
    case ARGUMENTS_TWO_NUMBERS: numbers = 2; break;
    case ARGUMENTS_LEVEL: *at++ = (uint8_t)line->number[0]; break;
    default: return false;
    }
    for (unsigned i = 0; i < numbers; i++) {
        if (line->number[i] > 0xF7) return false;
        *at++ = (uint8_t)line->number[i];
    }
    writer->length = (size_t)(at - writer->bytes);
    return true;
}

void bytes_encoder_line(BytesEncoder *encoder, uint32_t index) {
    const Program *program = encoder->program;
    const Line *line = &program->lines[index];
    number_variables(encoder);
    bool own_name = line->result != NO_VARIABLE && program->variables[line->result].name_length;
    if (!own_name && put_short(encoder, line)) return;
    put(encoder, line->kind);
    if (line_info[line->kind].operand != TYPE_NONE)
        put_varint(encoder, encoder->place[line->operand]);
    put_arguments(encoder, line);
    if (own_name) {
        put(encoder, BYTES_OWN_NAME);
        put_text(encoder, program->variables[line->result].name_at,
                 program->variables[line->result].name_length);
    }
    put_expectation(encoder, line);
}

void bytes_encoder_drop(BytesEncoder *encoder, size_t length) {
    encoder->length = length;
    number_variables(encoder);
}

size_t bytes_encode(const Program *program, uint8_t *bytes, size_t capacity) {
    BytesEncoder encoder;
    bytes_encoder_begin(&encoder, program, bytes, capacity);
    for (uint32_t i = 0; i < program->line_count; i++)
        bytes_encoder_line(&encoder, i);
    return encoder.length;
}
