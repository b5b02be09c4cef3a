/* UTF-8: one character at a time, and which characters are shown as themselves. */
#ifndef CBFUZZ_PROGRAM_UTF8_H
#define CBFUZZ_PROGRAM_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character at `text`; returns its length in bytes, 0 when it is not
 * valid UTF-8 (overlong, a surrogate, above U+10FFFF, cut off). */
unsigned utf8_read(const char *text, size_t length, uint32_t *character);

/* Writes a character (no surrogate); returns its length in bytes, at most 4. */
unsigned utf8_write(char *to, uint32_t character);

/* Is the character safe and visible in a terminal and a text file? Not so:
 * controls, blanks other than the space, format and bidirectional characters,
 * combining marks, surrogates, private and unassigned-for-ever ones. */
bool utf8_shows(uint32_t character);

/* Reads one character as utf8_read does and writes what comments and messages
 * show of it: itself, a blank for a tab, "?" for a control or an invalid byte,
 * {U+202E} for others that do not show. Returns how many bytes were read (at
 * least 1); *written gets the count of bytes, at most UTF8_CLEAN and at most
 * four times what was read. */
enum { UTF8_CLEAN = 12 };
unsigned utf8_clean(const char *text, size_t length, char *to, unsigned *written);

#endif
