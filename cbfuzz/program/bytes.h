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

/* Replaces what `program` holds. Never fails: operands are taken modulo what is
 * there, a line whose operand has no candidate is left out, what goes beyond a
 * bound is ignored. Reads each byte at most once. */
void bytes_decode(Program *program, const uint8_t *bytes, size_t length);

/* Writes at most `capacity` bytes and returns how many the whole needs. */
size_t bytes_encode(const Program *program, uint8_t *bytes, size_t capacity);

#endif
