/* The lines of a program that is being written, in memory that another process sees.
 *
 * A process that dies while it runs the program cannot put it into bytes any more;
 * who watches it reads the journal. Writing it costs a copy of each line.
 */
#ifndef CBFUZZ_PROGRAM_JOURNAL_H
#define CBFUZZ_PROGRAM_JOURNAL_H

#include "program/program.h"

enum { JOURNAL_UNITS = 1 << 18 /* code units of names that are not in the dictionary */ };

/* What is kept of a line. */
typedef struct {
    uint8_t kind, routine, flags;
    uint16_t operand, name_length;
    uint32_t name_at;
    uint64_t number[2];
} JournalLine;

typedef struct {
    uint32_t line_count, unit_count;
    JournalLine lines[PROGRAM_LINES];
    uint16_t units[JOURNAL_UNITS];
} Journal;

/* Starts the journal of an empty program. */
static inline void journal_begin(Journal *journal) {
    journal->line_count = journal->unit_count = 0;
}

/* Brings the journal to the state of `program`, of which lines before `from` have not changed. */
void journal_follow(Journal *journal, const Program *program, uint32_t from);

/* Replaces what `program` holds by what the journal has: calls and bodies, without
 * notes, expectations and spellings. Never fails, whatever the dying process has
 * done to the journal: it stops at the first line that cannot be. */
void journal_read(const Journal *journal, Program *program);

#endif
