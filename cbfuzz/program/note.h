/* Text of notes: what parser and decoder let stand in a program. */
#ifndef CBFUZZ_PROGRAM_NOTE_H
#define CBFUZZ_PROGRAM_NOTE_H

#include "program/program.h"

/* Is this a word that the note may have? clause: capitals, digits, "-"; profile:
 * documented or windows; reading: letters, digits,
 * "-_.:=". The first is a letter or a digit. */
bool note_word(LineKind kind, const char *text, size_t length);

/* Adds the text of a note in the form that a script gives back: words with
 * single blanks between them (those that are no words of this note left out);
 * comments cleaned as utf8_clean does, without blanks at the end. False when
 * nothing is left of a note that needs a word. */
bool note_add(Program *program, Line *line, const char *text, size_t length);

/* The words of a note one after the other: begins at *at == 0 and copies the next one,
 * cut at its size. False: there is no further one. */
enum { NOTE_WORD = 80 };
bool note_next(const Program *program, const Line *line, uint32_t *at, char word[NOTE_WORD]);

#endif
