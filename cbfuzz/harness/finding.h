/* A finding as it reads: what was expected and observed at the step, in words. */
#ifndef CBFUZZ_HARNESS_FINDING_H
#define CBFUZZ_HARNESS_FINDING_H

#include "harness/executor.h"

enum { FINDING_TEXT = 1200 };

/* Plain data, fit for shared memory. Texts are printable UTF-8, cut at their size. */
typedef struct {
    Judgement judgement;
    char statement[FINDING_TEXT]; /* the line as scripts spell it; "(end of program)" */
    char inside[FINDING_TEXT];   /* the line at top level, if the statement is in a body; else "" */
    char expected[FINDING_TEXT]; /* "" where the kind says it all */
    char observed[FINDING_TEXT];
} Finding;

/* Describes what executor_run or executor_abort judged. `names_known`: the
 * names of the program's calls can be read (not after the process died). */
void finding_describe(Finding *finding, const Executor *executor, const Judgement *judgement,
                      bool names_known);

/* Describes a failure of which nothing but the judgement is known. */
void finding_describe_death(Finding *finding, const Judgement *judgement);

/* In the watcher: brings the texts in order, which may have been written over, and
 * puts the names of the implementation's functions into them. */
void finding_name_frames(Finding *finding);

#endif
