/* What the parts of emit.c share. */
#ifndef CBFUZZ_REPORT_EMITTER_H
#define CBFUZZ_REPORT_EMITTER_H

#include "report/emit.h"
#include "report/seen.h"

enum { EMITTER_NAMES = 256 };

/* What is being emitted. */
typedef struct {
    FILE *out;
    const Emission *emission;
    const Program *program;
    SeenList seen;
    uint32_t failing; /* call that fails; seen.count: none, or at the end */
    uint32_t names[EMITTER_NAMES], name_count; /* lines that brought a name for the first time */
} Emitter;

/* emit_calls.c: names, contexts, arguments and statuses as constants. */
void emit_calls_names(Emitter *emitter);
void emit_calls_values(Emitter *emitter);
void emit_calls_statuses(Emitter *emitter);

/* A statement as a C call. In a body it may run again. */
void emit_calls_call(Emitter *emitter, uint32_t line, bool in_body);
/* What the trace says of giving back, as a C call. */
void emit_calls_giving_back(FILE *out, const char *text);
void emit_calls_variable(FILE *out, const Program *program, uint16_t variable);

/* As a C string; into a comment. */
void emit_calls_text(FILE *out, const char *text);
void emit_calls_comment(FILE *out, const char *text);

/* emit_head.c: what it is, how to build it; the implementation's own routines; what it
 * fails with. */
void emit_head_comment(Emitter *emitter);
void emit_head_own_routines(Emitter *emitter);
void emit_head_failure(Emitter *emitter);

#endif
