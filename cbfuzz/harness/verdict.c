/* Names of verdicts, and what makes two findings one. */
#include "harness/verdict.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *title;
} names[VERDICTS] = {
    [VERDICT_CONFORMS] = {"conforms", "CONFORMS"},    [VERDICT_DIVERGES] = {"diverges", "DIVERGES"},
    [VERDICT_CRASHES] = {"crashes", "CRASHES"},       [VERDICT_HANGS] = {"hangs", "HANGS"},
    [VERDICT_DEADLOCKS] = {"deadlocks", "DEADLOCKS"}, [VERDICT_LEAKS] = {"leaks", "LEAKS"},
    [VERDICT_BUGCHECKS] = {"bugchecks", "BUGCHECKS"}, [VERDICT_MISUSE] = {"misuse", "MISUSE"},
};

const char *verdict_name(Verdict verdict) {
    return names[verdict].name;
}

const char *verdict_title(Verdict verdict) {
    return names[verdict].title;
}

const char *verdict_subject(const Judgement *judgement, char buffer[80]) {
    const char *subject = judgement->clause != CLAUSE_NONE ? clause_get(judgement->clause)->id
                          : judgement->kind[0]             ? judgement->kind
                          : judgement->expectation         ? "EXPECTATION"
                                                           : verdict_name(judgement->verdict);
    size_t length = 0;
    for (; subject[length] && length < 79; length++)
        buffer[length] = isalnum((unsigned char)subject[length]) ? subject[length] : '-';
    buffer[length] = 0;
    return buffer;
}

const char *verdict_signature(const Judgement *judgement, char buffer[160]) {
    char subject[80];
    bool crash = judgement->clause != CLAUSE_NONE && judgement->kind[0] &&
                 judgement->verdict != VERDICT_DIVERGES;
    snprintf(buffer, 160, "%s %s%s%s", verdict_name(judgement->verdict),
             verdict_subject(judgement, subject), crash ? " " : "", crash ? judgement->kind : "");
    return buffer;
}
