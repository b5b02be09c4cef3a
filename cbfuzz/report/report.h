/* How findings and runs are told: as text for people, as JSON for programs. */
#ifndef CBFUZZ_REPORT_REPORT_H
#define CBFUZZ_REPORT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "harness/finding.h"

/* How a command was called, for the line that reproduces a finding. */
typedef struct {
    const char *program;        /* argv[0] */
    const char *implementation; /* --impl, NULL for the built-in one */
    bool windows;               /* --profile windows was given */
} ReportCall;

/* Is it a terminal that obeys control sequences? One whose TERM is dumb, or not known, does not. */
bool report_terminal(FILE *out);

/* A finding or misuse, in the form that all subcommands share. `file` reproduces
 * it; NULL: there is none. Colour if `out` is a terminal and NO_COLOR is not set. */
void report_finding(FILE *out, const Finding *finding, const ReportCall *call, const char *file);

/* A word as a shell reads it back: quoted if need be, and nothing that a terminal would obey. */
void report_word(FILE *out, const char *word);

/* 31.2 M, 84,217: as a person reads it. Returns buffer. */
const char *report_number(uint64_t number, char buffer[32]);

/* The guard against empty success, one line: how many statements took effect, and which
 * kinds (bit LINE_...) never ran. */
void report_guard(FILE *out, uint64_t statements, uint64_t effective, uint32_t kinds);

/* Names of the kinds of statements that are not among `kinds`. A new reference. */
json_t *report_json_never_run(uint32_t kinds);

/* The document's head: schema and command. A new reference. */
json_t *report_json(const char *command);

/* verdict, clause (null without one), step, kind, detail, ... into an object. */
void report_json_finding(json_t *object, const Finding *finding);

/* A string that is valid UTF-8 whatever it was. A new reference. */
json_t *report_json_text(const char *text);

/* Prints the document with "exit" as its last key and frees it. Returns the code,
 * or 3 when standard output could not be written. */
int report_json_end(json_t *document, int code);

/* Which readings are left, as objects with question's reading ids. A new reference. */
json_t *report_json_readings(const Readings *readings);

#endif
