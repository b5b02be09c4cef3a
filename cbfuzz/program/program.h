/* What a program is: a list of lines in the order of the script, and what they name.
 *
 * One program has two notations, a script (script.h) and bytes (bytes.h); both
 * give exactly this. Nothing in this folder knows of implementations, of the
 * reference machine or of clauses.
 */
#ifndef CBFUZZ_PROGRAM_PROGRAM_H
#define CBFUZZ_PROGRAM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds, each with its reason. */
enum {
    PROGRAM_STATEMENTS =
        4096,                /* design: calls and blocks (CLASS CALL and BLOCK), bodies included */
    PROGRAM_NOTES = 4096,    /* comments, clauses, ...: as many as statements */
    PROGRAM_ROUTINES = 16,   /* F1 to F16: the harness has one C function for each */
    PROGRAM_THREADS = 8,     /* T1 to T8 */
    PROGRAM_PROCESSORS = 64, /* 0 to 63: a group of Windows has no more */
    PROGRAM_IDENTIFIER =
        64, /* characters of a name on the left: messages and tables stay readable */
    PROGRAM_LINES = 2 * PROGRAM_STATEMENTS + PROGRAM_NOTES, /* statements, ENDs of blocks, notes */
    PROGRAM_EXPECTED_CALLS = 65535,                         /* Line.expect_count */
    PROGRAM_NAME_UNITS = 32767 /* a UNICODE_STRING's Length is a USHORT of bytes */
};

/* What a name on the left stands for. */
typedef enum { TYPE_NONE, TYPE_OBJECT, TYPE_REGISTRATION, TYPE_PROCESSOR } Type;

typedef enum {
#define LINE(kind, word, class, result, operand, arguments) LINE_##kind,
#include "program/statement.def"
#undef LINE
    LINE_KINDS
} LineKind;

typedef enum { CLASS_CALL, CLASS_BLOCK, CLASS_END, CLASS_NOTE } LineClass;

typedef enum {
    ARGUMENTS_NONE,
    ARGUMENTS_NAME_AND_ATTRIBUTES,
    ARGUMENTS_ROUTINE_AND_CONTEXT,
    ARGUMENTS_ROUTINE_CONTEXT_AND_EXISTING,
    ARGUMENTS_TWO_NUMBERS,
    ARGUMENTS_LEVEL,
    ARGUMENTS_FAILS,
    ARGUMENTS_COUNT,
    ARGUMENTS_ROUTINE,
    ARGUMENTS_THREAD,
    ARGUMENTS_STATUS,
    ARGUMENTS_TEXT
} LineArguments;

/* One row of the statement table. */
typedef struct {
    const char *word;
    LineClass class;
    Type result;
    Type operand;
    LineArguments arguments;
} LineInfo;
extern const LineInfo line_info[LINE_KINDS];

/* Flags of a line. */
enum {
    FLAG_MULTIPLE = 0x01, /* create, open */
    FLAG_CASE_INSENSITIVE = 0x02,
    FLAG_PERMANENT = 0x04,
    FLAG_OPENIF = 0x08,
    FLAG_EXCLUSIVE = 0x10,
    FLAG_KERNEL_HANDLE = 0x20,
    FLAG_UNNAMED = 0x40,      /* no name at all: ObjectName is NULL */
    FLAG_ADD_EXISTING = 0x01, /* register_processor_change */
    FLAG_FAILS = 0x01,        /* add_processor */
    FLAG_TRAILING = 0x01      /* comment: stands behind the line before it */
};

/* What a line expects to see. */
typedef enum {
    EXPECT_UNSAID, /* no "->": the reference machine alone judges */
    EXPECT_STATUS, /* this STATUS_... */
    EXPECT_ERROR,  /* any failure code */
    EXPECT_HANDLE, /* not NULL */
    EXPECT_NULL,
    EXPECT_NOTHING, /* no routine runs */
    EXPECT_CALLS    /* these routine calls, in this order, and no others */
} Expect;

/* A value that a routine receives. Numbers are what notify passes; the others
 * are what the system's processor events pass, by content, not by address. */
typedef enum {
    VALUE_NUMBER,             /* 0x1f */
    VALUE_ANY,                /* *  (only in expectations) */
    VALUE_PROCESSOR_START,    /* start N: a context with KeProcessorAddStartNotify, NtNumber N */
    VALUE_PROCESSOR_COMPLETE, /* complete N */
    VALUE_PROCESSOR_FAILURE,  /* failure N */
    VALUE_STATUS              /* STATUS_...: a pointer to an NTSTATUS with this value */
} ValueKind;
typedef struct {
    uint8_t kind; /* ValueKind */
    uint64_t number;
} Value;

/* One routine call of an expectation: F1(0x10, 0x1, 0x2). */
typedef struct {
    uint8_t routine; /* 1..PROGRAM_ROUTINES */
    Value context, argument1, argument2;
} ExpectedCall;

enum { NO_VARIABLE = 0xFFFF };

/* One line. Fields that its kind does not use are zero (NO_VARIABLE for variables). */
typedef struct {
    uint8_t kind;         /* LineKind */
    uint8_t routine;      /* register*, routine: 1..PROGRAM_ROUTINES; thread: 1..PROGRAM_THREADS */
    uint8_t flags;        /* FLAG_ */
    uint8_t expect;       /* Expect; only for CLASS_CALL */
    uint16_t result;      /* variable that it defines, or NO_VARIABLE */
    uint16_t operand;     /* variable that it uses, or NO_VARIABLE */
    uint16_t name_length; /* code units */
    uint32_t name_at;     /* of create and open: where in units[] the name starts */
    uint64_t number[2];   /* register*: [0] context; notify, power_state: arguments; irql: [0] 0..2;
                             fail_allocation: [0] N (1..65535); set_status: [0] NTSTATUS, 32 bits,
                             [1] the number of the only processor that it is for, + 1; 0: for all */
    uint32_t expect_status; /* EXPECT_STATUS */
    uint32_t expect_at;     /* EXPECT_CALLS: first in calls[] */
    uint16_t expect_count;
    uint32_t text_at;     /* notes: where in text[] their text starts (not terminated) */
    uint32_t text_length; /* bytes, UTF-8 without control characters */
    uint32_t line;        /* 1-based place in the script it was read from; 0: none */
    uint32_t column;      /* of its first argument or word, 1-based, in characters */
} Line;

/* One name on the left. Numbered in the order of definition, all types together. */
typedef struct {
    uint8_t type;        /* Type */
    uint16_t defined_by; /* index into lines[] */
    uint32_t name_at;    /* its spelling in text[]; name_length 0: the canonical one */
    uint32_t name_length;
} Variable;

/* Vectors grow by realloc and are kept by program_clear, so that a program that
 * is decoded again and again allocates nothing. Read-only for other modules
 * except through the functions below. */
typedef struct Program {
    Line *lines;
    uint32_t line_count, line_capacity;
    uint32_t statement_count; /* lines of CLASS_CALL and CLASS_BLOCK */
    uint32_t note_count;      /* lines of CLASS_NOTE */
    uint32_t open_block;      /* while it is built: index+1 of the block without END yet; 0: none */
    uint32_t threads;         /* bit n: Tn has its block */
    bool has_profile;         /* at most one LINE_PROFILE */
    Variable *variables;
    uint32_t variable_count, variable_capacity;
    uint16_t *units; /* starts with the dictionary's names (dictionary.h) */
    uint32_t unit_count, unit_capacity;
    ExpectedCall *calls;
    uint32_t call_count, call_capacity;
    char *text;
    uint32_t text_count, text_capacity;
    uint32_t body_at[PROGRAM_ROUTINES + 1]; /* 0: F has no body; else body_at[F] - 1 is the index of
                                               its first line, the one after "routine F {" */
} Program;

/* Makes an empty program; NULL when memory is short. Freed by program_free. */
Program *program_new(void);
void program_free(Program *program);
/* Forgets all lines, keeps the memory. */
void program_clear(Program *program);
/* Makes `to` equal to `from`. */
void program_copy(Program *to, const Program *from);

/* Appends a line that stands in no other program. Assigns `result` (a new
 * variable of the kind's type) when the kind has one, and returns it or
 * NO_VARIABLE. Text, name and calls must already be in the program's vectors.
 * When a bound is reached nothing is appended and *full (if given) is set.
 * Nothing is appended either for what no script can say: a block in a block, a
 * second block of one routine or thread, an END with no block open, a second
 * profile. */
uint16_t program_append(Program *program, Line line, bool *full);

/* The same for a line that its caller fills in where it stands: kind and result
 * are set, the rest is empty; `routine` is needed by blocks only. NULL: not appended.
 * Good until the next line is appended. */
Line *program_place(Program *program, LineKind kind, uint8_t routine, bool *full);

/* Takes back the lines from this index on, which stands outside of blocks. No notes among them. */
void program_cut(Program *program, uint32_t index);

/* Makes room, so that adding names of so many code units together moves no name. */
void program_reserve_units(Program *program, uint32_t units);

/* Copies into the program's vectors; returns the offset. The first returns the
 * dictionary's offset for a name that stands in it. */
uint32_t program_add_name(Program *program, const uint16_t *units, uint16_t length);
uint32_t program_add_text(Program *program, const char *text, uint32_t length);
uint32_t program_add_calls(Program *program, const ExpectedCall *calls, uint16_t count);

/* Appends to `to` a copy of line `index` of `from`, with its name, text and
 * calls. Operands go through map[], from's variable numbers to to's (NO_VARIABLE:
 * the line cannot be copied, false is returned); map[] gains the result's number.
 * Forward references of bodies: see program_rebuild. */
bool program_append_copy(Program *to, const Program *from, uint32_t index, uint16_t *map);

/* Keeps the lines with keep[index] true and renumbers what is left. An END stays
 * or goes with its block (the lines between have their own keep[]: without the
 * block they stand where it stood). Goes too: a line whose operand's definition
 * goes, a trailing comment whose line goes, and what only a routine body may
 * hold (set_status, use of a name defined below) once it stands outside of one.
 * `to` and `from` are different programs. What other operations than removal
 * need (shrinker, mutator) is built on this one. */
void program_rebuild(Program *to, const Program *from, const bool *keep);

/* May this kind of line expect this? (EXPECT_UNSAID always.) */
bool program_expect_fits(LineKind kind, Expect expect);

/* Drops spellings of variables that printing could not use: equal to the name of
 * an earlier variable, or to the canonical one. program_rebuild has done it. */
void program_settle_names(Program *program);

/* Index of the line after the END of the block that starts at `index`. */
uint32_t program_block_end(const Program *program, uint32_t index);

/* The step that people and reports count: 1 for the first CLASS_CALL line
 * outside of routine bodies, and so on; 0 for other lines. */
uint32_t program_step(const Program *program, uint32_t index);

/* Text of the note of this kind (LINE_PROFILE, ...), first one; NULL if none. */
const Line *program_note(const Program *program, LineKind kind);

#endif
