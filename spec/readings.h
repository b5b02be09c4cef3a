/* Readings: how the documents can be understood where they are silent or contradict each other.
 *
 * README.md has the questions in words. An implementation may take any reading
 * of a question, but one, always: what has been seen rules out the others.
 */
#ifndef CBFUZZ_SPEC_READINGS_H
#define CBFUZZ_SPEC_READINGS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    /* The first three decide what later steps may show; they are weighed together. */
    QUESTION_TEMPORARY_NAME,       /* gone, kept, kept until opened, kept while referenced */
    QUESTION_MAKE_TEMPORARY,       /* name gone at once, kept while the object lives */
    QUESTION_UNREGISTER_REFERENCE, /* the registration's own, the caller's */
    /* Each of these is answered by the step that asks it. */
    QUESTION_PROCESSOR_ADD,   /* there is such an object, there is none */
    QUESTION_CREATE_AT_APC,   /* allowed, forbidden */
    QUESTION_UNREGISTER_SELF, /* returns, never returns */
    QUESTION_REGISTER_NULL,   /* refused, forbidden */
    QUESTION_UNREGISTER_NULL, /* ignored, forbidden */
    QUESTION_SAME_ROUTINE,    /* another registration, refused as a pair, refused as a routine */
    QUESTION_LATE_ROUTINE,    /* called, not called, either: only noted, never ruled out */
    QUESTIONS
} Question;

enum { QUESTION_ANSWERS = 4 };

/* Which answers are still possible. */
typedef struct {
    uint16_t worlds;            /* bit w: combination w of the first three, see machine.c */
    uint8_t answers[QUESTIONS]; /* bit a: answer a (also kept for the first three) */
    uint16_t late; /* what became of late routines: bit 0: one was called, bit 1: one was not */
} Readings;

/* Everything is possible that the profile leaves open. */
Readings readings_all(bool windows);

/* "TEMPORARY-NAME-GONE", ...; NULL when the question has no such answer. */
const char *reading_name(Question question, unsigned answer);
/* One sentence of what the reading says. */
const char *reading_text(Question question, unsigned answer);

/* Takes a reading as given; false when there is none of that name. */
bool readings_assume(Readings *readings, const char *name);

/* Bit a: answer a fits what was seen. Of QUESTION_LATE_ROUTINE, which nothing rules out, it is
 * the one that says no more than that. */
uint8_t readings_left(const Readings *readings, Question question);

/* Is exactly this answer left of a question with several? */
bool readings_decided(const Readings *readings, Question question, unsigned *answer);

/* Worlds: combinations of the answers to the first three questions. */
enum {
    WORLDS = 16,
    WORLDS_ALL = 0xFFFF,
    WORLDS_NAME_GONE = 0x1111,         /* temporary name: answer 0 */
    WORLDS_NAME_KEPT = 0x2222,         /* answer 1 */
    WORLDS_NAME_UNTIL_OPENED = 0x4444, /* answer 2 */
    WORLDS_NAME_REFERENCED = 0x8888,   /* answer 3 */
    WORLDS_MADE_GONE = 0x0F0F,         /* make_temporary: answer 0 */
    WORLDS_MADE_KEPT = 0xF0F0,         /* answer 1 */
    WORLDS_OWN_REFERENCE = 0x00FF,     /* unregister's reference: answer 0 */
    WORLDS_CALLERS_REFERENCE = 0xFF00  /* answer 1 */
};

/* Brings answers[] of the first three questions in line with the worlds left. */
void readings_settle(Readings *readings);

#endif
