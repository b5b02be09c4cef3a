/* What each call of a run has shown, taken out of its trace. */
#ifndef CBFUZZ_REPORT_SEEN_H
#define CBFUZZ_REPORT_SEEN_H

#include "program/program.h"

/* One call, in the order in which they were made. */
typedef struct {
    uint32_t line;   /* of the program; UINT32_MAX: giving back */
    uint32_t number; /* 1 for the first one; of an added processor's two the last */
    uint32_t parent; /* the call during which it was made; UINT32_MAX: none */
    char *call;      /* as the trace has it */
    char *text;      /* "F1(0x10, 0x1, 0x2)  F2(0x20, 0x1, 0x2)", "STATUS_SUCCESS, object 1" */
    char freed[16];  /* "2", "PowerState": object whose memory was gone then; "": none */
} Seen;

typedef struct {
    Seen *calls;
    uint32_t count, capacity;
} SeenList;

/* False: memory is short. */
bool seen_read(SeenList *list, const Program *program, const char *trace);
void seen_free(SeenList *list);

#endif
