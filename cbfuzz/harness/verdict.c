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

const char *verdict_signature(const Judgement *judgement, char buffer[SIGNATURE_TEXT]) {
    char subject[80];
    const char *name = verdict_name(judgement->verdict);
    bool failed = judgement->verdict != VERDICT_DIVERGES && judgement->verdict != VERDICT_LEAKS;
    if (failed && judgement->where[0]) {
        /* Not who called it: one wrong line is one finding, whichever way leads there. */
        const char *callers = strstr(judgement->where, " < ");
        snprintf(buffer, SIGNATURE_TEXT, "%s %s %.*s", name,
                 judgement->kind[0] ? judgement->kind : "in",
                 callers ? (int)(callers - judgement->where) : FRAMES_TEXT, judgement->where);
        return buffer;
    }
    bool both = judgement->clause != CLAUSE_NONE && judgement->kind[0] &&
                judgement->verdict != VERDICT_DIVERGES;
    snprintf(buffer, SIGNATURE_TEXT, "%s %s%s%s", name, verdict_subject(judgement, subject),
             both ? " " : "", both ? judgement->kind : "");
    return buffer;
}

static void end_text(char *text, size_t size) {
    text[size - 1] = 0;
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7F) *text = '?';
}

bool verdict_sanitize(Judgement *judgement) {
    bool good = (unsigned)judgement->verdict < VERDICTS && (unsigned)judgement->clause < CLAUSES &&
                judgement->routine <= 16;
    if (!good) judgement->verdict = VERDICT_CRASHES;
    if (!good) judgement->clause = CLAUSE_NONE;
    if (!good) judgement->routine = 0;
    end_text(judgement->kind, sizeof judgement->kind);
    end_text(judgement->detail, sizeof judgement->detail);
    judgement->where[0] = 0;
    return good;
}
