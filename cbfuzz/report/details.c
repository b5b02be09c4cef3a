/* What went wrong with a case, in words that every report shares. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "program/utf8.h"
#include "report/conform.h"

char *conform_clean(const char *text) {
    size_t length = strlen(text);
    char *clean = malloc(UTF8_CLEAN + 4 * length + 1), *to = clean;
    for (size_t at = 0; clean && at < length;) {
        unsigned written = 1;
        if (text[at] == '\n') *to = text[at++];
        else at += utf8_clean(text + at, length - at, to, &written);
        to += written;
    }
    if (clean) *to = 0;
    return clean;
}

char *conform_headline(const Case *one) {
    char signature[160], *line = NULL;
    int length = -1;
    if (one->status == CASE_FAILS) {
        const Judgement *judgement = &one->judgement;
        const char *text = judgement->expectation ? "the case's own expectation is not met"
                                                  : clause_get(judgement->clause)->text;
        length = asprintf(&line, "%s%s%s", verdict_signature(judgement, signature),
                          *text ? ": " : "", text);
    } else {
        length = asprintf(&line, "%s", one->reason ? one->reason : "");
    }
    char *clean = length < 0 ? NULL : conform_clean(line);
    free(line);
    return clean;
}

char *conform_details(const Case *one, const ReportCall *call) {
    char *text = NULL, *clean = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    if (*one->intent) fprintf(out, "%s\n", one->intent);
    if (one->finding && one->status == CASE_FAILS)
        report_finding(out, one->finding, call, one->path);
    if (one->note) fprintf(out, "  note      %s\n", one->note);
    if (one->reason) fprintf(out, "%s\n", one->reason);
    if (fclose(out) == 0) clean = conform_clean(text);
    free(text);
    return clean;
}
