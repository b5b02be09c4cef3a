/* The table of subcommands. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "cli/cli.h"
#include "harness/guard.h"
#include "harness/interrupt.h"
#include "report/version.h"

static const Command commands[] = {
    {"fuzz", cli_fuzz, "generate programs until a limit or a finding"},
    {"run", cli_run, "run scripts or programs in bytes, and judge each"},
    {"conform", cli_conform, "run the cases of every clause, as a gate"},
    {"minimize", cli_minimize, "make a finding's program smaller"},
    {"emit-c", cli_emit_c, "write a program as a C program that stands alone"},
    {"show", cli_show, "print a program as a script"},
    {"assemble", cli_assemble, "write a script as bytes"},
    {"doctor", cli_doctor, "say what is missing or wrong, and how to mend it"},
    {"new-impl", cli_new_impl, "make a skeleton of an implementation"},
    {"clauses", cli_clauses, "list the requirements that are checked"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *out) {
    fputs("usage: cbfuzz COMMAND [OPTION...] [FILE...]\n\n"
          "Fuzzes and checks implementations of the NT kernel's callback objects.\n\n",
          out);
    for (unsigned i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\nEach command has --help. Exit codes: 0 conforms, 1 a finding, 2 the request is\n"
          "wrong, 3 the tool or the machine failed, 130 and 143 interrupted.\n\n"
          "examples:\n"
          "  cbfuzz fuzz --seconds 60\n"
          "  cbfuzz fuzz --impl build/impl/mine.so --seconds 60\n"
          "  cbfuzz run corpus/seed\n"
          "  cbfuzz conform --impl build/impl/mine.so\n",
          out);
}

/* A standard stream that is closed stays unusable: no file of ours may get its number. */
static void hold_streams(void) {
    for (int stream = 0; stream <= 2; stream++)
        if (fcntl(stream, F_GETFD) < 0) open("/dev/null", stream ? O_RDONLY : O_WRONLY);
}

/* Addresses that an implementation lets out, as an argument for example, are the same in
 * every run. Where the host does not allow that, they are not. */
static void hold_addresses(char **argv) {
    int now = personality(0xFFFFFFFF);
    if (now < 0 || now & ADDR_NO_RANDOMIZE) return;
    if (personality((unsigned)now | ADDR_NO_RANDOMIZE) >= 0) execv("/proc/self/exe", argv);
}

int main(int argc, char **argv) {
    hold_streams();
    hold_addresses(argv);
    if (argc > 0 && argv[0][0]) cli_program = argv[0];
    if (argc < 2) {
        print_help(stderr);
        return EXIT_REQUEST;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return cli_end(0, "");
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("cbfuzz " CBFUZZ_VERSION);
        return cli_end(0, "");
    }
    for (unsigned i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            interrupt_catch();
            if (!guard_stack())
                return cli_fail(EXIT_TOOL, commands[i].name,
                                "the stack is too small; `ulimit -s 8192` makes it larger");
            return commands[i].run(argc - 1, argv + 1);
        }
    return cli_fail(EXIT_REQUEST, "", "unknown command %s; see cbfuzz --help", argv[1]);
}
