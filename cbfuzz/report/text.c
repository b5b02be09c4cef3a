/* Findings as text for people. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/load.h"
#include "report/report.h"

enum { TITLE_WIDTH = 79 /* columns before the profile */ };

bool report_terminal(FILE *out) {
    const char *terminal = getenv("TERM");
    return isatty(fileno(out)) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

static bool coloured(FILE *out) {
    const char *no = getenv("NO_COLOR");
    return (!no || !*no) && report_terminal(out);
}

void report_word(FILE *out, const char *word) {
    char shown[4200];
    load_printable(word, shown, sizeof shown);
    bool plain = *shown && strspn(shown, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789_-./+=,:@%") == strlen(shown);
    if (plain) {
        fputs(shown, out);
        return;
    }
    fputc('\'', out);
    for (const char *at = shown; *at; at++)
        if (*at == '\'') fputs("'\\''", out);
        else if (*at == '/' && at > shown && at[-1] == '*')
            fputs("''/", out); /* no comment's end */
        else fputc(*at, out);
    fputc('\'', out);
}

static const char *title_of(const Judgement *judgement) {
    if (judgement->clause != CLAUSE_NONE) return clause_get(judgement->clause)->text;
    if (judgement->expectation) return "the script's own expectation is not met";
    return "";
}

static void print_place(FILE *out, const Finding *finding) {
    const Judgement *judgement = &finding->judgement;
    char label[32];
    if (judgement->line == NO_LINE) snprintf(label, sizeof label, "at the end");
    else if (!judgement->step) snprintf(label, sizeof label, "given");
    else snprintf(label, sizeof label, "step %u", judgement->step);
    if (finding->inside[0]) {
        fprintf(out, "  %-9s %s\n", label, finding->inside);
        snprintf(label, sizeof label, "in F%u", judgement->routine);
    }
    fprintf(out, "  %-9s %s\n", label, finding->statement);
}

void report_finding(FILE *out, const Finding *finding, const ReportCall *call, const char *file) {
    const Judgement *judgement = &finding->judgement;
    const Clause *clause = clause_get(judgement->clause);
    char subject[80];
    bool colour = coloured(out), misuse = judgement->verdict == VERDICT_MISUSE;
    int width = 0;
    if (colour) fputs(misuse ? "\033[33m" : "\033[31m", out);
    width += fprintf(out, "%-9s ", verdict_title(judgement->verdict));
    if (colour) fputs("\033[0m", out);
    width += fprintf(out, "%s  %s", verdict_subject(judgement, subject), title_of(judgement));
    if (judgement->clause != CLAUSE_NONE)
        fprintf(out, "%*s[%s]", width < TITLE_WIDTH - 1 ? TITLE_WIDTH - width : 2, "",
                profile_name(clause->profile));
    fputc('\n', out);
    print_place(out, finding);
    if (finding->expected[0]) fprintf(out, "  expected  %s\n", finding->expected);
    if (finding->observed[0]) fprintf(out, "  observed  %s\n", finding->observed);
    if (judgement->clause != CLAUSE_NONE)
        fprintf(out, "  source    %s, %s\n", clause->document, clause->section);
    if (!file) return;
    fputs("  reproduce ", out);
    report_word(out, call->program);
    fputs(" run", out);
    if (call->implementation) {
        fputs(" --impl ", out);
        report_word(out, call->implementation);
    }
    if (call->windows) fputs(" --profile windows", out);
    fputc(' ', out);
    report_word(out, file);
    fputc('\n', out);
}

const char *report_number(uint64_t number, char buffer[32]) {
    if (number < 10000000) snprintf(buffer, 32, "%llu", (unsigned long long)number);
    else snprintf(buffer, 32, "%.1f M", (double)number / 1e6);
    return buffer;
}

void report_guard(FILE *out, uint64_t statements, uint64_t effective, uint32_t kinds) {
    char all[32], some[32];
    const char *between = "; never run: ";
    fprintf(out, "statements: %s run, %s took effect (%.0f %%)", report_number(statements, all),
            report_number(effective, some),
            statements ? 100.0 * (double)effective / (double)statements : 0.0);
    for (unsigned i = 0; i < LINE_KINDS; i++) {
        if (line_info[i].class != CLASS_CALL || kinds >> i & 1) continue;
        fprintf(out, "%s%s", between, line_info[i].word);
        between = ", ";
    }
    fputc('\n', out);
}
