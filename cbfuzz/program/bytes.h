/* The notation of fuzzers: bytes. Every byte string is a program (total decoding).
 *
 * Encoded programs start with the byte 0xCB, which no UTF-8 text starts with, and
 * are canonical: decode(encode(p)) equals p in all that a script shows, names of
 * variables and comments included. Opcodes are the places in statement.def;
 * bytes that are no opcode of today are passed over, so that rows can be
 * appended without changing what old corpora mean.
 */
#ifndef CBFUZZ_PROGRAM_BYTES_H
#define CBFUZZ_PROGRAM_BYTES_H

#include "program/program.h"

/* The format.
 *   program    0xCB line* seal?  line: opcode (its place in statement.def), operands, annotation*
 *   operand    its number among the names of its type, as varint (7 bits a byte, low ones first)
 *   number     0x00..0xF7: itself; 0xF7+n: n bytes follow, low ones first, as few as will do
 *   name       attributes (FLAG_), then unless unnamed its place in the dictionary,
 *              or 0xFF, count of units as varint, units with the low byte first
 *   status     as a number, from bit 32 on what is in number[1]
 *   routine    number - 1, plus 0x10 for add_existing; thread: number - 1
 *   text       length as varint, UTF-8; a comment's flags before it
 *   annotation BYTES_..., about the line before it
 *   seal       BYTES_SEAL, hash of all bytes before it (4 bytes, low ones first): there when lines
 *              expect something. Without one that fits, expectations are left out: bytes that
 *              somebody has changed, or made by chance, do not say what a program should show */
enum {
    BYTES_MAGIC = 0xCB,
    BYTES_NAME_SPELLED = 0xFF,  /* in the place of a dictionary place */
    BYTES_OWN_NAME = 0xF0,      /* text: spelling of the line's result */
    BYTES_EXPECT_STATUS = 0xF1, /* number */
    BYTES_EXPECT_ERROR = 0xF2,
    BYTES_EXPECT_HANDLE = 0xF3,
    BYTES_EXPECT_NULL = 0xF4,
    BYTES_EXPECT_NOTHING = 0xF5,
    BYTES_EXPECT_CALLS =
        0xF6, /* count as varint; each call: routine - 1, three times ValueKind and number */
    BYTES_SEAL = 0xF7,
    BYTES_SEAL_SIZE = 5
};

/* What a seal says of the bytes before it. */
static inline uint32_t bytes_hash(const uint8_t *bytes, size_t length) {
    uint32_t hash = 0x811C9DC5; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x01000193;
    return hash;
}

/* Replaces what `program` holds. Never fails: operands are taken modulo what is
 * there, a line whose operand has no candidate is left out, what goes beyond a
 * bound is ignored. Reads each byte once, and those of a
 * sealed program twice. */
void bytes_decode(Program *program, const uint8_t *bytes, size_t length);

/* Writes at most `capacity` bytes and returns how many the whole needs. */
size_t bytes_encode(const Program *program, uint8_t *bytes, size_t capacity);

#endif
