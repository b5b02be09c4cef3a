/* Tests of programs: scripts, their errors, bytes, the shrinker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "program/bytes.h"
#include "program/dictionary.h"
#include "program/journal.h"
#include "program/script.h"
#include "program/shrink.h"

static unsigned failures;

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("FAIL %s:%d: %s: ", __FILE__, __LINE__, #condition);                            \
            printf(__VA_ARGS__);                                                                   \
            putchar('\n');                                                                         \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

static char *print(const Program *program) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    script_print(out, program);
    fclose(out);
    return text;
}

static Program *parse(const char *text) {
    ScriptError error;
    Program *program = program_new();
    if (!script_parse(program, text, strlen(text), &error)) {
        printf("FAIL %u:%u: %s\n%s\n", error.line, error.column, error.message, text);
        exit(1);
    }
    return program;
}

/* What parses to what; NULL: to itself. */
static const struct {
    const char *script, *printed;
} scripts[] = {
    {"a = create \"\\Callback\\Demo\" multiple\n", NULL},
    {"a = create \"\\Callback\\Demo\" multiple case_insensitive permanent openif exclusive "
     "kernel_handle\n",
     NULL},
    {"a = create \"x\" kernel_handle multiple\n", "a = create \"x\" multiple kernel_handle\n"},
    {"a = create unnamed permanent -> error\n", NULL},
    {"a = open \"\\Callback\\Demo\" multiple openif -> STATUS_OBJECT_NAME_NOT_FOUND\n", NULL},
    {"a = open \"\" -> 0xC0001234\n", NULL},
    {"a = open \"\" -> 0xC0000001\n", "a = open \"\" -> STATUS_UNSUCCESSFUL\n"},
    {"create \"x\"\n", "a = create \"x\"\n"},
    {"a = create \"x\"\nr1 = register a F1 0x10 -> handle\n", NULL},
    {"a = create \"x\"\nregister a F16 16\n", "a = create \"x\"\nr1 = register a F16 0x10\n"},
    {"a = create \"x\"\nr1 = register a F1 0x0 -> NULL\nunregister r1\n", NULL},
    {"a = create \"x\"\nnotify a 0 18446744073709551615\n",
     "a = create \"x\"\nnotify a 0x0 0xffffffffffffffff\n"},
    {"a = create \"x\"\nnotify a 0x1 0x2 -> nothing\nreference a\ndereference a\nmake_temporary "
     "a\n",
     NULL},
    {"irql PASSIVE_LEVEL\nirql APC_LEVEL\nirql DISPATCH_LEVEL\n", NULL},
    {"set_system_time -> F1(0x1, *, *)\npower_state 0x3 0x0\nadd_processor\nadd_processor fails\n",
     NULL},
    {"p1 = register_processor_change F1 0x5 add_existing -> F1(0x5, start 0, STATUS_SUCCESS) "
     "F1(0x5, complete 0, *)\n"
     "deregister_processor_change p1\n",
     NULL},
    {"add_processor fails -> F1(0x5, failure 4, status 0xC1234567) F2(0x0, start 4, 0x0)\n", NULL},
    {"add_processor -> F1(1, status 0xC0000001, 0x0), F1(1, 2, 3)\n",
     "add_processor -> F1(0x1, STATUS_UNSUCCESSFUL, 0x0) F1(0x1, 0x2, 0x3)\n"},
    {"fail_allocation 0x10\n", "fail_allocation 16\n"},
    {"fail_allocation 65535 -> nothing\n", NULL},
    {"routine F1 {\n  set_status STATUS_UNSUCCESSFUL\nset_status 3221225473\n}\n",
     "routine F1 {\n    set_status STATUS_UNSUCCESSFUL\n    set_status STATUS_UNSUCCESSFUL\n}\n"},
    {"routine F1 {\n    set_status STATUS_UNSUCCESSFUL 0\n    set_status STATUS_UNSUCCESSFUL "
     "63\n}\n",
     NULL},
    {"routine F1 {\n  set_status 3221225473 0x1\n}\n",
     "routine F1 {\n    set_status STATUS_UNSUCCESSFUL 1\n}\n"},
    {"thread T1 {\n    a = create \"x\"\n}\nthread T8 {\n    irql APC_LEVEL\n}\ndereference a\n",
     NULL},
    {"routine F1 { # opens\n} # closes\n", "routine F1 {  # opens\n}  # closes\n"},
    {"# text\nclause NOTIFY-ORDER A1\nprofile windows\nreading TEMPORARY-NAME-GONE  # why\n\nirql "
     "APC_LEVEL\n",
     NULL},
    {"clause  A \t B#c\n", "clause A B  # c\n"},
    {"profile documented\n", NULL},
    {"#\n#x\n#  y  \n", "#\n# x\n#  y\n"},
    {"\xEF\xBB\xBF"
     "irql\tAPC_LEVEL\r\n\r\n\t# x\ty\r\n",
     "irql APC_LEVEL\n# x y\n"},
    {"irql APC_LEVEL", "irql APC_LEVEL\n"},
    {"", NULL},
    {"\n\n  \n", ""},
    /* names in quotes */
    {"a = create \"\\\"\"{U+001F}{U+007B}{U+007D}\"\n", NULL},
    {"a = create \"}{U+007b}{U+007F}{U+0085}{U+202E}{U+FEFF}{U+D800}\"\n",
     "a = create \"{U+007D}{U+007B}{U+007F}{U+0085}{U+202E}{U+FEFF}{U+D800}\"\n"},
    {"a = create \"{U+00E9}{U+D83D}{U+DE00}{U+0041}{U+0020}\"\n",
     "a = create \"\xC3\xA9\xF0\x9F\x98\x80"
     "A \"\n"},
    {"a = create \"\xF0\x9F\x98\x80 # no comment -> {U+DE00}{U+D83D}\"  # c\n", NULL},
    {"a = create \"\xE2\x80\xAE\xEF\xBB\xBF\xC2\xA0\"\n",
     "a = create \"{U+202E}{U+FEFF}{U+00A0}\"\n"},
    {"# \xE2\x80\xAE\n", "# {U+202E}\n"},
    /* names on the left */
    {"b = create \"x\"\na = create \"y\"\nnotify b 0x1 0x2\n", NULL},
    {"r1 = create \"x\"\nregister r1 F1 1\n", "r1 = create \"x\"\nr1_ = register r1 F1 0x1\n"},
    {"r1 = create \"x\"\nr1_ = create \"y\"\nregister r1 F1 1\n",
     "r1 = create \"x\"\nr1_ = create \"y\"\nr1__ = register r1 F1 0x1\n"},
    {"_x9 = create \"x\"\ndereference _x9\n", NULL},
    {"f1 = create \"x\"\nt1 = open \"x\"\nF = open \"x\"\nFx = open \"y\"\n", NULL},
    /* names defined below, in bodies */
    {"routine F1 {\n    notify a 0x1 0x2\n    unregister r1\n}\na = create \"x\"\nr1 = register a "
     "F1 0x10\n",
     NULL},
};

static const char example[] =
    "# Two routines of one object run in the order of their registration.\n"
    "clause NOTIFY-ORDER\n"
    "\n"
    "a  = create \"\\Callback\\Demo\" multiple          -> STATUS_SUCCESS\n"
    "r1 = register a F1 0x10\n"
    "r2 = register a F2 0x20                        -> handle\n"
    "notify a 0x1 0x2                               -> F1(0x10, 0x1, 0x2) F2(0x20, 0x1, 0x2)\n"
    "unregister r1\n"
    "notify a 0x3 0x4                               -> F2(0x20, 0x3, 0x4)\n"
    "unregister r2\n"
    "dereference a\n";

static bool same_after_bytes(const Program *program, const char *printed) {
    static uint8_t bytes[1 << 16], again[1 << 16];
    Program *other = program_new();
    size_t length = bytes_encode(program, bytes, sizeof bytes);
    bytes_decode(other, bytes, length);
    char *text = print(other);
    bool same = strcmp(text, printed) == 0 && bytes_encode(other, again, sizeof again) == length &&
                memcmp(bytes, again, length) == 0;
    if (!same) printf("%s", text);
    free(text);
    program_free(other);
    return same;
}

static void test_scripts(void) {
    for (unsigned i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        Program *program = parse(scripts[i].script);
        const char *wanted = scripts[i].printed ? scripts[i].printed : scripts[i].script;
        char *printed = print(program);
        CHECK(strcmp(printed, wanted) == 0, "row %u\n%sbecame\n%swanted\n%s", i, scripts[i].script,
              printed, wanted);
        CHECK(same_after_bytes(program, printed), "row %u\n%s", i, printed);
        CHECK(!*printed || script_recognize(printed, strlen(printed)), "row %u", i);
        free(printed);
        program_free(program);
    }
}

static void test_example(void) {
    Program *program = parse(example);
    CHECK(program->statement_count == 8 && program->line_count == 10, "%u %u",
          program->statement_count, program->line_count);
    CHECK(program_step(program, 5) == 4 && program_step(program, 0) == 0, "%u",
          program_step(program, 5));
    CHECK(program->lines[5].line == 7 && program->lines[5].column == 8, "%u",
          program->lines[5].column);
    CHECK(program->lines[1].column == 8, "%u", program->lines[1].column);
    CHECK(program_note(program, LINE_CLAUSE) == &program->lines[1], "clause");
    CHECK(program_note(program, LINE_PROFILE) == NULL, "profile");
    char *line = NULL;
    size_t length;
    FILE *out = open_memstream(&line, &length);
    script_print_line(out, program, 5);
    fputc('|', out);
    script_print_expectation(out, program, 5);
    fputc('|', out);
    script_print_variable(out, program, 2);
    fclose(out);
    CHECK(strcmp(line, "notify a 0x1 0x2|F1(0x10, 0x1, 0x2) F2(0x20, 0x1, 0x2)|r2") == 0, "%s",
          line);
    free(line);
    program_free(program);

    program = parse("irql APC_LEVEL\nroutine F2 {\n set_system_time\n}\nthread T3 "
                    "{\nset_system_time\n}\nset_system_time\n");
    CHECK(program->body_at[2] == 3 && program->body_at[1] == 0, "%u", program->body_at[2]);
    CHECK(program_block_end(program, 1) == 4, "%u", program_block_end(program, 1));
    CHECK(program_step(program, 2) == 0 && program_step(program, 5) == 2 &&
              program_step(program, 7) == 3,
          "steps");
    program_free(program);
}

/* Wrong scripts: where, and a part of what is said. */
static const struct {
    const char *script;
    uint32_t line, column;
    const char *message;
} wrong[] = {
    {"notfy a 1 2\n", 1, 1, "unknown statement \"notfy\"; did you mean \"notify\"?"},
    {"qqqqqq\n", 1, 1, "unknown statement \"qqqqqq\""},
    {"  \t42\n", 1, 4, "expected a statement, found \"42\""},
    {"= create \"x\"\n", 1, 1, "expected a statement, found \"=\""},
    {"a = \n", 1, 5, "expected a statement, found the end of the line"},
    {"a = b = create \"x\"\n", 1, 5, "unknown statement \"b\""},
    {"a = creat \"x\"\n", 1, 5, "did you mean \"create\""},
    {"a = create \"x\"\na = create \"y\"\n", 2, 1, "\"a\" is already defined in line 1"},
    {"create \"x\"\n\na = create \"y\"\n", 3, 1, "\"a\" is already defined in line 1"},
    {"notify = create \"x\"\n", 1, 1, "a word of the language"},
    {"F1 = create \"x\"\n", 1, 1, "a word of the language"},
    {"T99 = create \"x\"\n", 1, 1, "a word of the language"},
    {"NULL = create \"x\"\n", 1, 1, "a word of the language"},
    {"STATUS_X = create \"x\"\n", 1, 1, "a word of the language"},
    {"unnamed = create \"x\"\n", 1, 1, "a word of the language"},
    {"multiple = create \"x\"\n", 1, 1, "a word of the language"},
    {"APC_LEVEL = create \"x\"\n", 1, 1, "a word of the language"},
    {"x = irql APC_LEVEL\n", 1, 1, "irql returns nothing that can be named"},
    {"x = clause A\n", 1, 1, "clause returns nothing that can be named"},
    {"create\n", 1, 7, "expected a name in quotes or \"unnamed\", found the end of the line"},
    {"create x\n", 1, 8, "expected a name in quotes or \"unnamed\", found \"x\""},
    {"create \"x\n", 1, 8, "this quote is not closed"},
    {"create \"x\"\"\n", 1, 8, "this quote is not closed"},
    {"create \"ab{\"\n", 1, 11, "expected {U+ and four hexadecimal digits"},
    {"create \"{U+12}\"\n", 1, 9, "expected {U+ and four hexadecimal digits"},
    {"create \"\xC3\xA9{U+00G0}\"\n", 1, 10, "expected {U+ and four hexadecimal digits"},
    {"create \"{u+0041}\"\n", 1, 9, "expected {U+ and four hexadecimal digits"},
    {"create \"x\" mutliple\n", 1, 12,
     "unknown attribute \"mutliple\"; did you mean \"multiple\"?"},
    {"create \"x\" multiple multiple\n", 1, 21, "\"multiple\" stands here twice"},
    {"create \"x\" 5\n", 1, 12, "expected \"->\", a comment or the end of the line, found \"5\""},
    {"register a F1 1\n", 1, 10, "\"a\" is not defined above; an object is expected"},
    {"register\n", 1, 9, "expected an object, found the end of the line"},
    {"create \"x\"\nregister a\n", 2, 11,
     "expected a routine, F1 to F16, found the end of the line"},
    {"create \"x\"\nregister a F17 1\n", 2, 12, "\"F17\" is too high"},
    {"create \"x\"\nregister a F0 1\n", 2, 12, "expected a routine"},
    {"create \"x\"\nregister a F01 1\n", 2, 12, "expected a routine"},
    {"create \"x\"\nregister a F1\n", 2, 14,
     "expected the context, a number, found the end of the line"},
    {"create \"x\"\nregister a F1 x\n", 2, 15, "expected the context, a number, found \"x\""},
    {"create \"x\"\nregister a F1 0x\n", 2, 15, "\"0x\" is not a number"},
    {"create \"x\"\nregister a F1 12a\n", 2, 15, "\"12a\" is not a number"},
    {"create \"x\"\nregister a F1 -1\n", 2, 15, "expected the context, a number, found \"-\""},
    {"create \"x\"\nregister a F1 18446744073709551616\n", 2, 15,
     "is too large; numbers have at most 64 bits"},
    {"create \"x\"\nregister a F1 0x10000000000000000\n", 2, 15, "is too large"},
    {"create \"x\"\nr = register a F1 1\nnotify r 1 2\n", 3, 8,
     "\"r\" is a registration, an object is expected"},
    {"create \"x\"\nunregister a\n", 2, 12, "\"a\" is an object, a registration is expected"},
    {"p = register_processor_change F1 1\nunregister p\n", 2, 12,
     "\"p\" is a processor registration, a registration is"},
    {"create \"x\"\nnotify a 1\n", 2, 11,
     "expected the second argument, a number, found the end of the line"},
    {"create \"x\"\nnotify a 1 2 3\n", 2, 14, "found \"3\""},
    {"create \"x\"\nnotify a 1 2 -> handle\n", 2, 17,
     "\"handle\" cannot be expected of notify; expected nothing or routine"},
    {"create \"x\"\nnotify a 1 2 -> STATUS_SUCCESS\n", 2, 17, "cannot be expected of notify"},
    {"create \"x\" -> NULL\n", 1, 15,
     "\"NULL\" cannot be expected of create; expected a STATUS_..."},
    {"create \"x\"\nregister a F1 1 -> error\n", 2, 20,
     "\"error\" cannot be expected of register; expected handle, NULL"},
    {"create \"x\" ->\n", 1, 14, "expected a STATUS_..., error, nothing or routine calls"},
    {"create \"x\" -> STATUS_SUCESS\n", 1, 15,
     "unknown status \"STATUS_SUCESS\"; did you mean \"STATUS_SUCCESS\"?"},
    {"create \"x\" -> STATUS_BLUE\n", 1, 15, "written as a number"},
    {"create \"x\" -> 0x1FFFFFFFF\n", 1, 15, "too large; expected an NTSTATUS of 32 bits"},
    {"create \"x\" -> erorr\n", 1, 15, "found \"erorr\"; did you mean \"error\"?"},
    {"create \"x\" -> error -> error\n", 1, 21,
     "expected a comment or the end of the line, found \"->\""},
    {"set_system_time -> F1\n", 1, 22, "expected \"(\" behind the routine"},
    {"set_system_time -> F1(1, 2)\n", 1, 27,
     "expected \",\" behind the first argument, found \")\""},
    {"set_system_time -> F1(1, x, 2)\n", 1, 26, "expected a number, \"*\", start N"},
    {"set_system_time -> F1(1, start, 2)\n", 1, 31, "expected a number of 32 bits, found \",\""},
    {"set_system_time -> F1(1, start 4294967296, 2)\n", 1, 32, "is too large"},
    {"set_system_time -> F1(1, 2, 3) nothing\n", 1, 32, "found \"nothing\""},
    {"set_system_time -> F1(1, 2, 3),\n", 1, 32,
     "expected a routine call, found the end of the line"},
    {"set_system_time -> F99(1, 2, 3)\n", 1, 20, "too high"},
    {"irql HIGH_LEVEL\n", 1, 6,
     "expected PASSIVE_LEVEL, APC_LEVEL or DISPATCH_LEVEL, found \"HIGH_LEVEL\""},
    {"irql PASIVE_LEVEL\n", 1, 6, "did you mean \"PASSIVE_LEVEL\"?"},
    {"irql\n", 1, 5, "found the end of the line"},
    {"add_processor fail\n", 1, 15, "found \"fail\""},
    {"fail_allocation 0\n", 1, 17, "counted from 1"},
    {"fail_allocation 65536\n", 1, 17, "too large; expected a number from 1 to 65535"},
    {"routine F1\n", 1, 11, "expected \"{\", found the end of the line"},
    {"routine F1 { irql APC_LEVEL\n", 1, 14,
     "expected a comment or the end of the line, found \"irql\""},
    {"irql APC_LEVEL\n  routine F1 {\nirql APC_LEVEL\n", 2, 3, "this block is not closed"},
    {"routine F1 {\nroutine F2 {\n}\n}\n", 2, 1,
     "a block cannot stand in the block that line 1 opened"},
    {"thread T1 {\n thread T2 {\n}\n}\n", 2, 2,
     "a block cannot stand in the block that line 1 opened"},
    {"routine F1 {\n}\nroutine F1 {\n}\n", 3, 9, "F1 already has a block, in line 1"},
    {"thread T9 {\n}\n", 1, 8, "\"T9\" is too high; expected a thread, T1 to T8"},
    {"}\n", 1, 1, "closes nothing"},
    {"routine F1 {\n} }\n", 2, 3, "found \"}\""},
    {"set_status STATUS_SUCCESS\n", 1, 1, "set_status stands only in the body of a routine"},
    {"thread T1 {\nset_status STATUS_SUCCESS\n}\n", 2, 1,
     "set_status stands only in the body of a routine"},
    {"routine F1 {\nset_status x\n}\n", 2, 12, "expected a STATUS_..., found \"x\""},
    {"routine F1 {\nset_status STATUS_UNSUCCESSFUL 64\n}\n", 2, 32,
     "expected a processor's number"},
    {"routine F1 {\n  notify q 1 2\n}\n", 2, 10, "\"q\" is not defined in this script"},
    {"routine F1 {\n  notify r 1 2\n}\ncreate \"x\"\nr = register a F1 1\n", 2, 10,
     "is a registration, an object is"},
    {"thread T1 {\n  notify a 1 2\n}\na = create \"x\"\n", 2, 10, "\"a\" is not defined above"},
    {"clause\n", 1, 7, "expected the id of a clause"},
    {"clause notify-order\n", 1, 8,
     "expected the id of a clause (capitals, digits, \"-\"), found \"notify-order\""},
    {"clause A b\n", 1, 10, "found \"b\""},
    {"profile macos\n", 1, 9, "expected documented or windows, found \"macos\""},
    {"profile windows windows\n", 1, 17, "expected a comment or the end of the line"},
    {"profile windows\nprofile documented\n", 2, 1, "the profile is already given in line 1"},
    {"reading # x\n", 1, 9, "expected the id of a reading, found a comment"},
    {"reading ?\n", 1, 9, "expected the id of a reading, found \"?\""},
    {"clause A\nirql \x01\n", 2, 6, "byte 0x01 is a control character"},
    {"# \xFF\n", 1, 3, "byte 0xFF is not UTF-8 text"},
    {"# \xC3\xA9\xC3\n", 1, 4, "byte 0xC3 is not UTF-8 text"},
    {"# \xED\xA0\x80\n", 1, 3, "byte 0xED is not UTF-8 text"},
    {"# \xC2\x9B\n", 1, 3, "U+009B is a control character"},
    {"irql\rAPC_LEVEL\n", 1, 5, "byte 0x0D is a control character"},
    {"\xE2\x80\xAE\n", 1, 1, "expected a statement, found \"{U+202E}\""},
    {"\xC3\xA9 = create \"x\"\n", 1, 1, "expected a statement, found \"\xC3\xA9\""},
};

static void test_errors(void) {
    Program *program = program_new();
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ScriptError error;
        bool parsed = script_parse(program, wrong[i].script, strlen(wrong[i].script), &error);
        CHECK(!parsed, "row %u parses: %s", i, wrong[i].script);
        if (parsed) continue;
        CHECK(error.line == wrong[i].line && error.column == wrong[i].column, "%u:%u: %s\n%s",
              error.line, error.column, error.message, wrong[i].script);
        CHECK(strstr(error.message, wrong[i].message) != NULL, "%u:%u: %s\n%s", error.line,
              error.column, error.message, wrong[i].script);
        CHECK(program->line_count == 0, "row %u leaves lines", i);
    }
    ScriptError error;
    CHECK(!script_parse(program, "irql \0", 6, &error) && error.column == 6, "%s", error.message);
    program_free(program);
}

static uint32_t roll(uint64_t *state, uint32_t bound) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % bound);
}

/* Copies calls and bodies as a generator does, taking some back, with a journal that follows. */
static void write_with_journal(Program *to, const Program *from, Journal *journal,
                               uint64_t *state) {
    uint16_t map[PROGRAM_STATEMENTS];
    memset(map, 0xFF, sizeof map);
    program_clear(to);
    journal_begin(journal);
    uint32_t followed = 0;
    for (uint32_t i = 0; i < from->line_count; i++) {
        LineKind kind = from->lines[i].kind;
        if (line_info[kind].class == CLASS_NOTE || kind == LINE_THREAD) continue;
        if (!program_append_copy(to, from, i, map)) continue;
        Line *line = &to->lines[to->line_count - 1];
        line->expect = EXPECT_UNSAID;
        if (line->result != NO_VARIABLE) to->variables[line->result].name_length = 0;
        if (to->open_block) continue;
        journal_follow(journal, to, followed);
        if (line_info[kind].class == CLASS_CALL && roll(state, 4) == 0) {
            if (line->result != NO_VARIABLE) map[from->lines[i].result] = NO_VARIABLE;
            program_cut(to, to->line_count - 1);
            journal_follow(journal, to, to->line_count);
        }
        followed = to->line_count;
    }
}

static void test_journal(void) {
    enum { ROUNDS = 20000, LONGEST = 120 };
    Program *from = program_new(), *written = program_new(), *read = program_new();
    Journal *journal = calloc(1, sizeof *journal);
    static uint8_t first[1 << 14], second[1 << 14];
    uint8_t bytes[LONGEST];
    uint64_t state = 7, statements = 0;
    for (unsigned round = 0; round < ROUNDS && failures == 0; round++) {
        for (unsigned i = 0; i < LONGEST; i++)
            bytes[i] = (uint8_t)(roll(&state, 8) ? roll(&state, 24) : roll(&state, 256));
        bytes_decode(from, bytes, roll(&state, LONGEST));
        write_with_journal(written, from, journal, &state);
        journal_read(journal, read);
        statements += read->statement_count;
        size_t size = bytes_encode(written, first, sizeof first);
        CHECK(bytes_encode(read, second, sizeof second) == size && !memcmp(first, second, size),
              "%s", print(written));
        /* Whatever a dying process has made of it, what is read is a program. */
        for (unsigned i = 0; i < 8; i++)
            ((uint8_t *)journal->lines)[roll(&state, 40 * sizeof(JournalLine))] =
                (uint8_t)roll(&state, 256);
        journal->line_count = roll(&state, 8) ? 40 : UINT32_MAX;
        journal->unit_count = roll(&state, 8) ? journal->unit_count : UINT32_MAX;
        journal_read(journal, read);
        size = bytes_encode(read, first, sizeof first);
        bytes_decode(from, first, size < sizeof first ? size : sizeof first);
    }
    CHECK(statements > ROUNDS, "%llu statements", (unsigned long long)statements);
    free(journal);
    program_free(from);
    program_free(written);
    program_free(read);
}

/* Puts a seal that fits behind the bytes: returns their length then. */
static size_t seal(uint8_t *bytes, size_t length) {
    uint32_t hash = bytes_hash(bytes, length);
    bytes[length++] = BYTES_SEAL;
    for (unsigned i = 0; i < 4; i++)
        bytes[length++] = (uint8_t)(hash >> (8 * i));
    return length;
}

static unsigned expectations(const Program *program) {
    unsigned count = 0;
    for (uint32_t i = 0; i < program->line_count; i++)
        count += program->lines[i].expect != EXPECT_UNSAID;
    return count;
}

/* Bytes expect what their author did, and nothing once they are changed. */
static void test_seal(void) {
    static const char text[] = "a = create unnamed -> error\nset_system_time -> F1(0x1, *, 0x2)\n";
    static uint8_t bytes[256];
    Program *program = program_new();
    ScriptError error;
    CHECK(script_parse(program, text, strlen(text), &error), "%s", error.message);
    size_t length = bytes_encode(program, bytes, sizeof bytes);
    bytes_decode(program, bytes, length);
    CHECK(expectations(program) == 2, "%u expectations", expectations(program));
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 0x40;
        bytes_decode(program, bytes, length);
        CHECK(expectations(program) == 0, "byte %zu changed: %u", i, expectations(program));
        bytes[i] ^= 0x40;
        bytes_decode(program, bytes, i);
        CHECK(expectations(program) == 0, "cut at %zu: %u", i, expectations(program));
    }
    program_free(program);
}

static void test_random_bytes(void) {
    enum { STRINGS = 200000, LONGEST = 120 };
    Program *first = program_new(), *second = program_new();
    uint8_t bytes[LONGEST + BYTES_SEAL_SIZE];
    static uint8_t encoded[1 << 14], again[1 << 14];
    uint64_t state = 42;
    uint64_t statements = 0, expected = 0;
    for (unsigned i = 0; i < STRINGS && failures == 0; i++) {
        size_t length = 0;
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t wanted = (state >> 33) % LONGEST;
        while (length < wanted) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            uint32_t pick = (uint32_t)(state >> 40);
            /* mostly opcodes and small operands, so that programs are rich */
            bytes[length++] = (uint8_t)(pick % 8 == 0   ? pick >> 8
                                        : pick % 8 == 1 ? 0xF0 + (pick >> 8) % 7
                                                        : (pick >> 8) % 24);
        }
        if (i % 2) length = seal(bytes, length);
        bytes_decode(first, bytes, length);
        statements += first->statement_count;
        CHECK(i % 2 || !expectations(first), "string %u is not sealed", i);
        expected += expectations(first);
        char *printed = print(first);
        ScriptError error = {0};
        bool parsed = script_parse(second, printed, strlen(printed), &error);
        CHECK(parsed, "%u:%u: %s\n%s", error.line, error.column, error.message, printed);
        size_t needs = bytes_encode(first, encoded, sizeof encoded);
        CHECK(bytes_encode(second, again, sizeof again) == needs &&
                  memcmp(encoded, again, needs) == 0,
              "%s", printed);
        bytes_decode(second, encoded, needs);
        CHECK(bytes_encode(second, again, sizeof again) == needs &&
                  memcmp(encoded, again, needs) == 0,
              "%s", printed);
        char *reprinted = print(second);
        CHECK(strcmp(printed, reprinted) == 0, "%s\nbecame\n%s", printed, reprinted);
        free(printed);
        free(reprinted);
    }
    CHECK(statements > STRINGS, "%llu statements", (unsigned long long)statements);
    CHECK(expected > STRINGS / 20, "%llu expectations", (unsigned long long)expected);
    program_free(first);
    program_free(second);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_bounds(void) {
    enum { MILLION = 1000000 };
    static const char line[] = "set_system_time\n";
    char *text = malloc(MILLION * (sizeof line - 1));
    for (size_t i = 0; i < MILLION; i++)
        memcpy(text + i * (sizeof line - 1), line, sizeof line - 1);
    Program *program = program_new();
    ScriptError error;
    double start = seconds();
    CHECK(!script_parse(program, text, MILLION * (sizeof line - 1), &error),
          "a million statements");
    CHECK(error.line == 4097 && error.column == 1 && strstr(error.message, "4096"), "%u: %s",
          error.line, error.message);
    CHECK(seconds() - start < 0.5, "%f s", seconds() - start);
    CHECK(script_parse(program, text, PROGRAM_STATEMENTS * (sizeof line - 1), &error), "%s",
          error.message);
    CHECK(program->statement_count == PROGRAM_STATEMENTS, "%u", program->statement_count);
    free(text);

    /* bytes: what goes beyond is ignored; every definition has its name */
    size_t length = 3 * MILLION;
    uint8_t *bytes = malloc(length);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t[]){LINE_CREATE, FLAG_MULTIPLE, NAME_DEMO}[i % 3];
    start = seconds();
    bytes_decode(program, bytes, length);
    CHECK(program->statement_count == PROGRAM_STATEMENTS &&
              program->variable_count == PROGRAM_STATEMENTS,
          "%u", program->statement_count);
    char *printed = print(program);
    CHECK(script_parse(program, printed, strlen(printed), &error), "%s", error.message);
    CHECK(strstr(printed, "o4096 = create") && strstr(printed, "z = create") &&
              strstr(printed, "o27 = create"),
          "names");
    CHECK(seconds() - start < 1, "%f s", seconds() - start);
    free(printed);

    /* a name of 32767 units, and one more */
    char *name = malloc(PROGRAM_NAME_UNITS + 16);
    memcpy(name, "create \"", 8);
    memset(name + 8, 'x', PROGRAM_NAME_UNITS + 1);
    name[8 + PROGRAM_NAME_UNITS] = '"';
    CHECK(script_parse(program, name, 9 + PROGRAM_NAME_UNITS, &error), "%s", error.message);
    CHECK(program->lines[0].name_length == PROGRAM_NAME_UNITS, "%u", program->lines[0].name_length);
    name[8 + PROGRAM_NAME_UNITS] = 'x';
    name[9 + PROGRAM_NAME_UNITS] = '"';
    CHECK(!script_parse(program, name, 10 + PROGRAM_NAME_UNITS, &error) && error.column == 8, "%s",
          error.message);
    free(name);
    free(bytes);
    bytes_decode(program, NULL, 0);
    printed = print(program);
    CHECK(program->line_count == 0 && !*printed, "%s", printed);
    free(printed);
    program_free(program);
}

static void test_names_of_dictionary(void) {
    Program *program = program_new();
    for (unsigned i = 0; i < NAME_COUNT; i++) {
        const DictionaryName *name = &dictionary_names[i];
        CHECK(program_add_name(program, dictionary_units + name->at, name->length) == name->at,
              "name %u", i);
    }
    CHECK(program->unit_count == dictionary_unit_count, "%u", program->unit_count);
    program_free(program);
}

/* Recognizing scripts. */
static void test_recognize(void) {
    static const struct {
        const char *text;
        bool script;
    } texts[] = {{"irql APC_LEVEL\n", true},
                 {"# x", true},
                 {"x = whatever", true},
                 {"\n\n  notify", true},
                 {"", false},
                 {"hello\n", false},
                 {"i=2", false},
                 {"#\nzz", false},
                 {"#\n", true},
                 {"irql \xFF", false},
                 {"\xCB\x80\nirql\n", false},
                 {"\x01irql\n", false},
                 {"hello\r\nopen", true}};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK(script_recognize(texts[i].text, strlen(texts[i].text)) == texts[i].script, "row %u",
              i);
}

/* Removing lines takes along what cannot stand alone. */
static void test_rebuild(void) {
    Program *program = parse("# head\n"
                             "routine F1 { # a body\n"
                             "  notify b 1 2\n"
                             "  set_status STATUS_UNSUCCESSFUL\n"
                             "}\n"
                             "a = create \"x\" # first\n"
                             "b = create \"y\"\n"
                             "r1 = register a F1 1\n"
                             "unregister r1\n"
                             "notify b 3 4\n");
    Program *to = program_new();
    bool keep[32];
    memset(keep, true, sizeof keep);
    keep[6] = false; /* a = create "x" */
    program_rebuild(to, program, keep);
    char *printed = print(to);
    CHECK(strcmp(printed, "# head\n"
                          "routine F1 {  # a body\n"
                          "    notify a 0x1 0x2\n"
                          "    set_status STATUS_UNSUCCESSFUL\n"
                          "}\n"
                          "a = create \"y\"\n"
                          "notify a 0x3 0x4\n") == 0,
          "%s", printed);
    free(printed);
    keep[6] = true;
    keep[1] = false; /* routine F1 { */
    program_rebuild(to, program, keep);
    printed = print(to);
    CHECK(strcmp(printed,
                 "# head\na = create \"x\"  # first\nb = create \"y\"\nr1 = register a F1 0x1\n"
                 "unregister r1\nnotify b 0x3 0x4\n") == 0,
          "%s", printed);
    free(printed);
    program_free(program);
    program_free(to);
}

typedef struct {
    bool (*holds)(const Program *);
    uint32_t asked;
} Question;

static bool ask(void *context, const Program *candidate) {
    Question *question = context;
    question->asked++;
    return question->holds(candidate);
}

/* A notify with context 7 somewhere after two registrations. */
static bool seven_after_two(const Program *program) {
    unsigned registers = 0;
    for (uint32_t i = 0; i < program->line_count; i++) {
        registers += program->lines[i].kind == LINE_REGISTER;
        if (program->lines[i].kind == LINE_NOTIFY && registers >= 2 &&
            program->lines[i].number[0] == 7)
            return true;
    }
    return false;
}

/* An object with one more reference given back than taken, on a single-routine object. */
static bool unbalanced(const Program *program) {
    int count = 0;
    bool permanent = false;
    for (uint32_t i = 0; i < program->line_count; i++) {
        count += program->lines[i].kind == LINE_DEREFERENCE;
        count -= program->lines[i].kind == LINE_REFERENCE || program->lines[i].kind == LINE_CREATE;
        permanent |=
            program->lines[i].kind == LINE_CREATE && program->lines[i].flags & FLAG_PERMANENT;
    }
    return count == 0 && permanent;
}

/* A body that unregisters a registration defined below. */
static bool forward_unregister(const Program *program) {
    for (uint32_t i = 0; i < program->line_count; i++)
        if (program->lines[i].kind == LINE_UNREGISTER &&
            program->variables[program->lines[i].operand].defined_by > i)
            return true;
    return false;
}

static bool at_least_300(const Program *program) {
    for (uint32_t i = 0; i < program->line_count; i++)
        if (program->lines[i].kind == LINE_FAIL_ALLOCATION && program->lines[i].number[0] >= 300)
            return true;
    return false;
}

static bool two_threads(const Program *program) {
    unsigned threads = 0, times = 0;
    for (uint32_t i = 0; i < program->line_count; i++) {
        threads += program->lines[i].kind == LINE_THREAD;
        times += program->lines[i].kind == LINE_SET_SYSTEM_TIME && threads > 0;
    }
    return threads >= 2 && times >= 2;
}

static char *long_script(void) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    fputs("# A long one.\nclause NOTIFY-ORDER\n", out);
    fputs(
        "routine F3 {\n notify a 5 6\n irql APC_LEVEL\n unregister third\n irql PASSIVE_LEVEL\n}\n",
        out);
    fputs(
        "a = create \"\\Callback\\Third\" multiple permanent case_insensitive -> STATUS_SUCCESS\n",
        out);
    fputs("b = create \"\\Callback\\Unusual{U+00E9}\" openif kernel_handle\n", out);
    for (unsigned i = 1; i < 8; i++)
        fprintf(out, "register %c F%u 0x%x\nnotify %c %u 0x%x\n", i % 2 ? 'a' : 'b', i, i * 12345,
                i % 2 ? 'a' : 'b', i, i * 77);
    fputs("third = register a F3 0x30\nnotify b 0x9 0xdeadbeefcafe -> nothing\n", out);
    fputs("thread T2 {\nset_system_time\nnotify a 7 1\n}\nthread T4 "
          "{\nset_system_time\npower_state 3 1\n}\n",
          out);
    for (unsigned i = 0; i < 6; i++)
        fputs("reference a\nirql DISPATCH_LEVEL\nirql PASSIVE_LEVEL\ndereference a\n", out);
    fputs("fail_allocation 1000\nnotify b 7 8\ndereference a\ndereference b\n", out);
    fclose(out);
    return text;
}

/* Counts the questions about programs whose routines make calls: they may run for long. */
static bool needs_no_bodies(void *context, const Program *program) {
    for (uint32_t i = 0; i < program->line_count; i++)
        if (program->lines[i].kind == LINE_ROUTINE) {
            ++*(unsigned *)context;
            break;
        }
    return program->line_count >= 2;
}

static const uint32_t many = 10000, few = 5;

static void test_shrink_bodies_first(void) {
    char *text = long_script();
    Program *program = parse(text);
    unsigned slow = 0;
    program_shrink(program, needs_no_bodies, &slow, &many);
    CHECK(slow == 0, "%u slow questions", slow);
    program_free(program);
    free(text);
}

static void test_shrink(void) {
    static const struct {
        const char *name;
        bool (*holds)(const Program *);
        const char *smallest;
    } properties[] = {
        {"seven_after_two", seven_after_two,
         "a = create \"\\Callback\\Demo\"\nr1 = register a F1 0x10\nr2 = register a F1 "
         "0x20\nnotify a 0x7 0x2\n"},
        {"unbalanced", unbalanced, "a = create \"\\Callback\\Demo\" permanent\ndereference a\n"},
        {"forward_unregister", forward_unregister,
         "routine F1 {\n    unregister r1\n}\na = create \"\\Callback\\Demo\"\nr1 = register a F1 "
         "0x10\n"},
        {"at_least_300", at_least_300, "fail_allocation 300\n"},
        {"two_threads", two_threads,
         "thread T1 {\n    set_system_time\n}\nthread T2 {\n    set_system_time\n}\n"}};
    char *text = long_script();
    for (unsigned i = 0; i < sizeof properties / sizeof *properties; i++) {
        Program *program = parse(text);
        uint32_t lines = program->line_count;
        CHECK(properties[i].holds(program), "%s", properties[i].name);
        Question question = {properties[i].holds, 0};
        uint32_t asked = program_shrink(program, ask, &question, &many);
        char *printed = print(program);
        CHECK(asked == question.asked && asked < 250, "%s: %u questions", properties[i].name,
              asked);
        CHECK(properties[i].holds(program), "%s", properties[i].name);
        CHECK(strcmp(printed, properties[i].smallest) == 0, "%s became\n%s", properties[i].name,
              printed);
        CHECK(same_after_bytes(program, printed), "%s", printed);
        uint32_t again = program_shrink(program, ask, &question, &many);
        char *reprinted = print(program);
        CHECK(strcmp(printed, reprinted) == 0, "%s became\n%s", printed, reprinted);
        printf("   %s: %u lines to %u with %u questions, %u to see that it is over\n",
               properties[i].name, lines, program->line_count, asked, again);
        free(printed);
        free(reprinted);
        program_free(program);
    }
    Program *program = parse(text);
    Question question = {seven_after_two, 0};
    CHECK(program_shrink(program, ask, &question, &few) == 5 && question.asked == 5, "budget");
    CHECK(seven_after_two(program), "after a short budget");
    program_free(program);
    free(text);
}

/* Says no, and that it will be asked no more. */
static bool has_enough(void *context, const Program *program) {
    (void)program;
    *(uint32_t *)context = 0;
    return false;
}

/* An interrupt must not wait until all pairs of thousands of lines have been tried. */
static void test_shrink_ends_when_told(void) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    fputs("a = create unnamed\n", out);
    for (unsigned i = 0; i < 4000; i++)
        fputs("notify a 1 2\n", out);
    fclose(out);
    Program *program = parse(text);
    uint32_t budget = many;
    CHECK(program_shrink(program, has_enough, &budget, &budget) == 1, "asked on");
    CHECK(program->line_count == 4001, "%u lines", program->line_count);
    program_free(program);
    free(text);
}

static void measure(void) {
    enum { ROUNDS = 200000 };
    char text[4096] = "a = create \"\\Callback\\Demo\" multiple\n";
    for (unsigned i = 0; i < 14; i++)
        strcat(text, i % 3 ? "notify a 1 2\nreference a\n" : "register a F1 0x10\nunregister r1\n");
    for (char *r = text, digit = 1; (r = strstr(r, "unregister r1")); r += 13, digit++)
        r[12] = (char)('0' + digit);
    strcat(text, "dereference a\n");
    Program *program = parse(text);
    uint8_t bytes[1024];
    size_t length = bytes_encode(program, bytes, sizeof bytes);
    double start = seconds();
    for (unsigned i = 0; i < ROUNDS; i++) {
        bytes_decode(program, bytes, length);
        length = bytes_encode(program, bytes, sizeof bytes);
    }
    printf("   decode and encode %u lines, %zu bytes: %.0f ns\n", program->line_count, length,
           (seconds() - start) / ROUNDS * 1e9);
    program_free(program);
}

int main(void) {
    static const struct {
        const char *name;
        void (*test)(void);
    } tests[] = {{"scripts", test_scripts},
                 {"example", test_example},
                 {"errors", test_errors},
                 {"recognize", test_recognize},
                 {"dictionary", test_names_of_dictionary},
                 {"rebuild", test_rebuild},
                 {"seal", test_seal},
                 {"random_bytes", test_random_bytes},
                 {"journal", test_journal},
                 {"bounds", test_bounds},
                 {"shrink", test_shrink},
                 {"shrink_bodies_first", test_shrink_bodies_first},
                 {"shrink_ends_when_told", test_shrink_ends_when_told},
                 {"measure", measure}};
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++) {
        unsigned before = failures;
        tests[i].test();
        printf("%s %s\n", failures == before ? "ok" : "FAILED", tests[i].name);
    }
    return failures ? 1 : 0;
}
