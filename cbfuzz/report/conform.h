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

#endif
