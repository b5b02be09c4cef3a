/* What the subcommands share: options, failures, the implementation. */
#ifndef CBFUZZ_CLI_CLI_H
#define CBFUZZ_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "harness/implementation.h"
#include "report/report.h"

/* One row of main's table. */
typedef struct {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
    const char *summary;
} Command;

int cli_fuzz(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_conform(int argc, char **argv);
int cli_minimize(int argc, char **argv);
int cli_show(int argc, char **argv);
int cli_assemble(int argc, char **argv);
int cli_clauses(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_emit_c(int argc, char **argv);
int cli_new_impl(int argc, char **argv);

enum { EXIT_FINDING = 1, EXIT_REQUEST = 2, EXIT_TOOL = 3 };

/* How cbfuzz itself was called, argv[0]. */
extern const char *cli_program;

/* Options that several subcommands have. */
typedef struct {
    const char *implementation; /* NULL: built-in */
    bool windows, profile_given;
    bool json, trace, keep_going, threads, list, update_baseline, matrix, markdown;
    bool gdb;
    uint32_t stop_before; /* call, for a debugger; 0: none */
    uint64_t clauses[2];  /* bits of those given */
    double seconds;
    uint64_t runs, seed;
    bool seed_given;
    unsigned jobs;
    const char *artifacts, *output, *junit, *sarif, *baseline;
    char **files; /* what follows the options; NULL-terminated */
    int file_count;
    char **flags; /* what follows "--", for libFuzzer or gdb */
} Options;

/* Letters of the options that a subcommand takes besides --json, --help and
 * --version: i impl, p profile, t trace, k keep-going, T threads, s seconds,
 * r runs, S seed, j jobs, a artifacts, o output, c clause, l list, J junit, R sarif, b baseline,
 * u update-baseline, m matrix, M markdown, g gdb, B stop-before, - flags after "--". Returns -1
 * to go on, else the exit code (help and version were printed, or the mistake). */
int cli_options(Options *options, int argc, char **argv, const char *letters, const char *help);

/* Prints "cbfuzz COMMAND: text" and returns the code: 130 or 143 after a signal. */
int cli_fail(int code, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same once the options are read: with --json a document says so, too. */
int cli_reject(const Options *options, int code, const char *command, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* report_json_end for a document that says what has failed, if anything, as its "error". */
int cli_json_end(json_t *document, int code);

/* Where people's text goes: standard output, or with --json standard error. */
FILE *cli_out(const Options *options);

/* Probes and loads the implementation. -1, or the exit code after the message. */
int cli_load(const Options *options, const char *command, Implementation *implementation);

/* For report_finding. */
ReportCall cli_call(const Options *options);

/* run --gdb, after a finding: starts gdb on the program up to that call. Returns the exit code. */
int cli_debug(const Options *options, uint32_t call);
/* run --stop-before: runs the program in this very process, for the debugger. */
int cli_debugged(const Options *options, const Program *program);

/* The program of that name in $PATH; false: there is none. */
bool cli_find_program(const char *name, char *path, size_t size);
/* clang, or clang++ if that is the base, by the same choice as build-impl; false: none. */
bool cli_find_clang(const char *base, char *path, size_t size);
/* Our own folder, with scripts/ and cbfuzz/nt/include in it; false: it is not there any more. */
bool cli_root(char *path, size_t size);

/* Flushes standard output; EXIT_TOOL with a message when it could not be written. */
int cli_end(int code, const char *command);

#endif
