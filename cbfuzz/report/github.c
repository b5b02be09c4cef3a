/* A run of the suite for GitHub Actions: annotations, and the summary of the job. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/conform.h"
#include "report/output.h"

/* A value of a workflow command; in a property : and , end it as well. */
static void print_escaped(FILE *out, const char *text, bool property) {
    for (; *text; text++)
        if (strchr("%\r\n", *text) || (property && strchr(":,", *text)))
            fprintf(out, "%%%02X", (unsigned char)*text);
        else fputc(*text, out);
}

static void annotate(FILE *out, const Case *one) {
    char *path = output_place(one->where ? one->where : one->path);
    char *place = path ? conform_clean(path) : NULL, *headline = conform_headline(one);
    fputs("::error file=", out);
    print_escaped(out, place ? place : one->name, true);
    fprintf(out, ",line=%u,title=", one->line);
    print_escaped(out, one->name, true);
    fputs("::", out);
    print_escaped(out, headline ? headline : "", false);
    if (one->finding && one->status == CASE_FAILS) {
        char *observed = NULL;
        if (asprintf(&observed, "\n%s\nexpected %s\nobserved %s", one->finding->statement,
                     one->finding->expected, one->finding->observed) < 0)
            observed = NULL;
        print_escaped(out, observed ? observed : "", false);
        free(observed);
    }
    fputc('\n', out);
    free(headline);
    free(place);
    free(path);
}

static bool is_told(const Case *one) {
    return one->status == CASE_FAILS || one->status == CASE_STALE || one->status == CASE_WRONG;
}

/* In a table's cell, as code: no pipe or backtick may end it. */
static void print_cell(FILE *out, const char *text) {
    fputc('`', out);
    for (; *text; text++)
        if (*text == '|') fputs("\\|", out);
        else fputc(*text == '`' || *text == '\n' ? '\'' : *text, out);
    fputc('`', out);
}

static void print_summary(FILE *out, const Summary *summary) {
    const unsigned *counts = summary->counts;
    const Suite *suite = summary->suite;
    bool any = false;
    fputs("### cbfuzz conform: ", out);
    print_cell(out, summary->implementation);
    fprintf(out,
            "\n\n| cases | hold | fail | known | stale | skipped | wrong | clauses |\n"
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            "| %u | %u | %u | %u | %u | %u | %u | %u of %u |\n\n",
            summary->cases, counts[CASE_HOLDS], counts[CASE_FAILS], counts[CASE_KNOWN],
            counts[CASE_STALE], counts[CASE_SKIPPED], counts[CASE_WRONG], summary->covered,
            summary->coverable);
    if (counts[CASE_NOT_RUN]) fprintf(out, "%u cases were not run.\n\n", counts[CASE_NOT_RUN]);
    for (unsigned i = 0; i < suite->count; i++) {
        const Case *one = &suite->cases[i];
        if (!is_told(one)) continue;
        if (!any) fputs("| case | status | what |\n| --- | --- | --- |\n", out);
        any = true;
        char *headline = conform_headline(one);
        fputs("| ", out);
        print_cell(out, one->name);
        fprintf(out, " | %s | ", case_status_name(one->status));
        print_cell(out, headline ? headline : "");
        fputs(" |\n", out);
        free(headline);
    }
    if (any) fputc('\n', out);
}

static bool on_github(void) {
    const char *actions = getenv("GITHUB_ACTIONS");
    return actions && strcmp(actions, "true") == 0;
}

/* Where the job's summary goes; NULL: nowhere. */
static const char *summary_path(void) {
    const char *path = on_github() ? getenv("GITHUB_STEP_SUMMARY") : NULL;
    return path && *path ? path : NULL;
}

static bool refuse(char *error, size_t error_size) {
    int why = errno;
    snprintf(error, error_size, "$GITHUB_STEP_SUMMARY: %s: cannot be written: %s", summary_path(),
             strerror(why));
    errno = why;
    return false;
}

bool conform_github_check(char *error, size_t error_size) {
    const char *path = summary_path();
    if (!path) return true;
    bool new = access(path, F_OK) != 0;
    FILE *file = fopen(path, "a");
    if (!file) return refuse(error, error_size);
    fclose(file);
    if (new) unlink(path);
    return true;
}

bool conform_github(FILE *out, const Summary *summary, char *error, size_t error_size) {
    if (!on_github()) return true;
    for (unsigned i = 0; i < summary->suite->count; i++)
        if (is_told(&summary->suite->cases[i])) annotate(out, &summary->suite->cases[i]);
    if (!summary_path()) return true;
    FILE *file = fopen(summary_path(), "a");
    if (file) print_summary(file, summary);
    return (file && fclose(file) == 0) || refuse(error, error_size);
}
