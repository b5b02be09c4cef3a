/* How a run of the suite is told: to people, to programs, to CI systems. */
#ifndef CBFUZZ_REPORT_CONFORM_H
#define CBFUZZ_REPORT_CONFORM_H

#include "conform/summary.h"
#include "report/report.h"

/* The table by topic, findings, readings, what was run; all but the last line. */
void conform_text(FILE *out, const Summary *summary, const ReportCall *call);

/* The last line. */
void conform_last_line(FILE *out, const Summary *summary);

/* The cases alone, one a line. */
void conform_list(FILE *out, const Suite *suite);

/* cases[], and after a run readings[] and figures, into a document. */
void conform_json_cases(json_t *document, const Suite *suite);
void conform_json(json_t *document, const Summary *summary);

/* A report file as text, to be freed; NULL when memory is short. */
char *conform_junit(const Summary *summary, const ReportCall *call, size_t *size);
char *conform_sarif(const Summary *summary, const ReportCall *call, int code, size_t *size);

/* On GitHub Actions (GITHUB_ACTIONS=true): ::error lines, which make annotations, and
 * the summary that is shown with the job, appended to $GITHUB_STEP_SUMMARY. False: that
 * cannot be written, and `error` says why; the check tells before the run. */
bool conform_github(FILE *out, const Summary *summary, char *error, size_t error_size);
bool conform_github_check(char *error, size_t error_size);

/* What went wrong with a case: "diverges NOTIFY-ORDER: routines run in ..." and all of
 * it; "" for one that holds. To be freed. */
char *conform_headline(const Case *one);
char *conform_details(const Case *one, const ReportCall *call);

/* Text without controls and characters that do not show; newlines stay. To be freed. */
char *conform_clean(const char *text);

#endif
