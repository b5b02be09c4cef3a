/* A run of the suite as text for people. */
#include <string.h>

#include "harness/interrupt.h"
#include "harness/load.h"
#include "report/conform.h"

enum { TOPIC_WIDTH = 22, NAME_WIDTH = 44, READING_WIDTH = 29 };

static const char *shown(const char *text) {
    static char buffer[4200];
    return load_printable(text, buffer, sizeof buffer);
}

typedef struct {
    unsigned cases, misuse, counts[CASE_STATUSES];
} Row;

static void count(Row *row, const Case *one) {
    row->cases += !case_gone(one);
    row->counts[one->status]++;
    row->misuse += one->status == CASE_HOLDS && one->judgement.verdict == VERDICT_MISUSE;
}

static void print_row(FILE *out, const char *topic, const Row *row) {
    fprintf(out, "%-*s %5u %6u %7u %6u %6u %6u %8u %6u", TOPIC_WIDTH, topic, row->cases,
            row->counts[CASE_HOLDS], row->misuse, row->counts[CASE_FAILS], row->counts[CASE_KNOWN],
            row->counts[CASE_STALE], row->counts[CASE_SKIPPED], row->counts[CASE_WRONG]);
    if (row->counts[CASE_NOT_RUN]) fprintf(out, "  %u not run", row->counts[CASE_NOT_RUN]);
    fputc('\n', out);
}

/* Cases are sorted by topic. */
static void print_table(FILE *out, const Suite *suite) {
    Row all = {0}, row = {0};
    fprintf(out, "%-*s cases   hold (misuse)  fail  known  stale  skipped  wrong\n", TOPIC_WIDTH,
            "topic");
    for (unsigned i = 0; i < suite->count; i++) {
        const Case *one = &suite->cases[i];
        count(&row, one);
        count(&all, one);
        if (i + 1 < suite->count && strcmp(one->topic, suite->cases[i + 1].topic) == 0) continue;
        print_row(out, *one->topic ? shown(one->topic) : ".", &row);
        row = (Row){0};
    }
    print_row(out, "all", &all);
}

static void print_failure(FILE *out, const Case *one, const ReportCall *call) {
    fprintf(out, "\nfails     %s", shown(one->name));
    if (*one->intent) fprintf(out, "  %s", shown(one->intent));
    fputc('\n', out);
    if (one->finding) report_finding(out, one->finding, call, one->path);
    if (one->note) fprintf(out, "  note      %s\n", shown(one->note));
}

/* Skipped for other reasons than that the profile was not asked for, which is plain. */
static void print_others(FILE *out, const Suite *suite) {
    bool any = false;
    for (unsigned i = 0; i < suite->count; i++) {
        const Case *one = &suite->cases[i];
        bool skipped = one->status == CASE_SKIPPED && one->program && !(one->windows && !one->ran);
        if (one->status != CASE_KNOWN && one->status != CASE_STALE && !skipped) continue;
        if (!any) fputc('\n', out);
        any = true;
        fprintf(out, "%-9s %s  ", case_status_name(one->status), shown(one->name));
        fprintf(out, "%s\n", shown(one->reason ? one->reason : ""));
    }
}

static void print_readings(FILE *out, const Readings *readings) {
    fputs("\nreadings\n", out);
    for (unsigned q = 0; q < QUESTIONS; q++) {
        unsigned answer;
        if (readings_decided(readings, q, &answer)) {
            fprintf(out, "  %-*s %s\n", READING_WIDTH, reading_name(q, answer),
                    reading_text(q, answer));
            continue;
        }
        fprintf(out, "  %-*s", READING_WIDTH, "undecided");
        const char *between = " ";
        for (unsigned a = 0; a < QUESTION_ANSWERS; a++)
            if (readings_left(readings, q) >> a & 1) {
                fprintf(out, "%s%s", between, reading_name(q, a));
                between = " or ";
            }
        fputc('\n', out);
    }
}

void conform_text(FILE *out, const Summary *summary, const ReportCall *call) {
    const Suite *suite = summary->suite;
    print_table(out, suite);
    for (unsigned i = 0; i < suite->count; i++)
        if (suite->cases[i].status == CASE_FAILS) print_failure(out, &suite->cases[i], call);
    print_others(out, suite);
    print_readings(out, &summary->readings);
    fputc('\n', out);
    report_guard(out, summary->statements, summary->effective, summary->kinds);
}

void conform_last_line(FILE *out, const Summary *summary) {
    const unsigned *counts = summary->counts;
    fprintf(out,
            "cbfuzz conform: %u cases, %u hold, %u fail, %u known, %u skipped, %u wrong, "
            "%u of %u clauses, %.1f s",
            summary->cases, counts[CASE_HOLDS], counts[CASE_FAILS], counts[CASE_KNOWN],
            counts[CASE_SKIPPED], counts[CASE_WRONG], summary->covered, summary->coverable,
            summary->seconds);
    if (counts[CASE_NOT_RUN]) fprintf(out, ", %u not run", counts[CASE_NOT_RUN]);
    if (counts[CASE_STALE]) fprintf(out, ", %u stale", counts[CASE_STALE]);
    if (summary->gone) fprintf(out, " (%u gone)", summary->gone);
    fputs(interrupt_signal ? ", interrupted\n" : "\n", out);
}

void conform_list(FILE *out, const Suite *suite) {
    for (unsigned i = 0; i < suite->count; i++) {
        const Case *one = &suite->cases[i];
        if (one->status == CASE_WRONG) continue;
        fprintf(out, "%-*s ", NAME_WIDTH, shown(one->name));
        for (unsigned c = 0; c < one->clause_count; c++)
            fprintf(out, " %s", clause_get(one->clauses[c])->id);
        if (*one->intent) fprintf(out, "  # %s", shown(one->intent));
        fputc('\n', out);
    }
}
