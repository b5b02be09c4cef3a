/* The readings: their names, and which are left. */
#include "readings.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name, *text;
} table[QUESTIONS][QUESTION_ANSWERS] = {
    [QUESTION_TEMPORARY_NAME] =
        {{"TEMPORARY-NAME-GONE", "a temporary object has no name once create has returned"},
         {"TEMPORARY-NAME-KEPT", "a temporary object keeps its name as long as it lives"},
         {"TEMPORARY-NAME-UNTIL-OPENED", "a temporary object keeps its name until it is opened"},
         {"TEMPORARY-NAME-REFERENCED",
          "a temporary object keeps its name as long as its users hold references"}},
    [QUESTION_MAKE_TEMPORARY] = {{"MAKE-TEMPORARY-NAME-GONE",
                                  "made temporary, an object loses its name at once"},
                                 {"MAKE-TEMPORARY-NAME-KEPT",
                                  "made temporary, an object keeps its name as long as it lives"}},
    [QUESTION_UNREGISTER_REFERENCE] =
        {{"UNREGISTER-REFERENCE-OWN", "unregister removes a reference that register had added"},
         {"UNREGISTER-REFERENCE-CALLERS",
          "unregister removes the reference that create or open gave"}},
    [QUESTION_PROCESSOR_ADD] = {{"PROCESSOR-ADD-PRESENT", "there is an object ProcessorAdd"},
                                {"PROCESSOR-ADD-ABSENT", "there are two system-defined objects"}},
    [QUESTION_CREATE_AT_APC] = {{"CREATE-AT-APC-ALLOWED", "create works at APC_LEVEL"},
                                {"CREATE-AT-APC-FORBIDDEN", "create needs PASSIVE_LEVEL"}},
    [QUESTION_UNREGISTER_SELF] = {{"UNREGISTER-SELF-RETURNS",
                                   "a routine that unregisters its own running call gets back"},
                                  {"UNREGISTER-SELF-WAITS",
                                   "unregistering one's own running call waits for ever"}},
    [QUESTION_REGISTER_NULL] = {{"REGISTER-NULL-REFUSED",
                                 "register returns NULL for a NULL object"},
                                {"REGISTER-NULL-FORBIDDEN",
                                 "a NULL object is the caller's mistake"}},
    [QUESTION_UNREGISTER_NULL] = {{"UNREGISTER-NULL-IGNORED", "unregister does nothing for NULL"},
                                  {"UNREGISTER-NULL-FORBIDDEN",
                                   "unregistering NULL is the caller's mistake"}},
    [QUESTION_SAME_ROUTINE] =
        {{"SAME-ROUTINE-AGAIN", "a routine that is registered again has two registrations"},
         {"SAME-ROUTINE-PAIR-REFUSED", "the same routine with the same context is refused"},
         {"SAME-ROUTINE-REFUSED", "the same routine is refused, whatever its context"}},
    [QUESTION_LATE_ROUTINE] = {{"LATE-ROUTINE-CALLED",
                                "a routine registered during a notification is called by it"},
                               {"LATE-ROUTINE-NOT-CALLED",
                                "a routine registered during a notification is not called by it"},
                               {"LATE-ROUTINE-EITHER", "it depends on the place"}},
};

static const uint16_t worlds_of[3][QUESTION_ANSWERS] = {
    {WORLDS_NAME_GONE, WORLDS_NAME_KEPT, WORLDS_NAME_UNTIL_OPENED, WORLDS_NAME_REFERENCED},
    {WORLDS_MADE_GONE, WORLDS_MADE_KEPT},
    {WORLDS_OWN_REFERENCE, WORLDS_CALLERS_REFERENCE},
};

const char *reading_name(Question question, unsigned answer) {
    return answer < QUESTION_ANSWERS ? table[question][answer].name : NULL;
}

const char *reading_text(Question question, unsigned answer) {
    return answer < QUESTION_ANSWERS ? table[question][answer].text : NULL;
}

void readings_settle(Readings *readings) {
    for (unsigned q = 0; q < 3; q++) {
        readings->answers[q] = 0;
        for (unsigned a = 0; a < QUESTION_ANSWERS; a++)
            if (readings->worlds & worlds_of[q][a]) readings->answers[q] |= (uint8_t)(1u << a);
    }
}

Readings readings_all(bool windows) {
    Readings all = {.worlds = WORLDS_ALL};
    for (unsigned q = 0; q < QUESTIONS; q++)
        for (unsigned a = 0; a < QUESTION_ANSWERS; a++)
            if (table[q][a].name) all.answers[q] |= (uint8_t)(1u << a);
    if (windows) {
        static const char *const known[] = {"TEMPORARY-NAME-GONE", "MAKE-TEMPORARY-NAME-GONE",
                                            "UNREGISTER-REFERENCE-OWN", "PROCESSOR-ADD-PRESENT",
                                            "UNREGISTER-SELF-WAITS"};
        for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
            readings_assume(&all, known[i]);
    }
    readings_settle(&all);
    return all;
}

bool readings_assume(Readings *readings, const char *name) {
    for (unsigned q = 0; q < QUESTIONS; q++)
        for (unsigned a = 0; a < QUESTION_ANSWERS; a++)
            if (table[q][a].name && strcmp(table[q][a].name, name) == 0) {
                readings->answers[q] = (uint8_t)(1u << a);
                if (q < 3) readings->worlds &= worlds_of[q][a];
                readings_settle(readings);
                return true;
            }
    return false;
}

uint8_t readings_left(const Readings *readings, Question question) {
    static const uint8_t seen[] = {7, 1, 2, 4}; /* nothing, called, not called, both */
    uint8_t left = readings->answers[question];
    return question == QUESTION_LATE_ROUTINE ? left & seen[readings->late & 3] : left;
}

bool readings_decided(const Readings *readings, Question question, unsigned *answer) {
    uint8_t left = readings_left(readings, question);
    if (!left || (left & (left - 1))) return false;
    *answer = (unsigned)__builtin_ctz(left);
    return true;
}
