/* What the files of the reference machine share. */
#ifndef CBFUZZ_SPEC_MACHINE_INTERNAL_H
#define CBFUZZ_SPEC_MACHINE_INTERNAL_H

#include "machine.h"

enum {
    STATUS_SUCCESS_CODE = 0,
    STATUS_UNSUCCESSFUL_CODE = (int)0xC0000001,
};

/* What happens in few steps is kept out of the way of the others. */
#define SPEC_RARE __attribute__((cold, noinline))

/* A clause was at stake in this step. */
static inline void at_stake(Machine *machine, ClauseId clause) {
    machine->exercised[clause >> 6] |= UINT64_C(1) << (clause & 63);
}

static inline SpecFrame *top_frame(Machine *machine) {
    return &machine->frames[machine->frame_count - 1];
}

/* The frame of the call inside of which a call is made now, or NULL. */
static inline SpecFrame *parent_frame(Machine *machine) {
    return machine->frame_count ? &machine->frames[machine->frame_count - 1] : NULL;
}

/* The worlds in which the program has kept to its rules so far. */
static inline uint16_t judged_worlds(const Machine *machine) {
    return machine->readings.worlds & (uint16_t)~machine->misused;
}

static inline Outcome diverge(Machine *machine, ClauseId clause) {
    machine->clause = clause;
    return OUTCOME_DIVERGES;
}

/* A routine call does not fit: the first one that does not names the clause. */
static inline Outcome misfit(SpecFrame *frame, ClauseId clause) {
    if (!frame->diverged) frame->clause = clause;
    frame->diverged = true;
    return OUTCOME_DIVERGES;
}

/* names.c: how names compare, and what kind of path one is. */
typedef enum { MATCH_NO, MATCH_PERHAPS, MATCH_YES } NameMatch;
typedef enum {
    PATH_LEAF,              /* \Callback\X */
    PATH_ABSENT,            /* no name at all */
    PATH_EMPTY,             /* "" */
    PATH_RELATIVE,          /* does not start with \ */
    PATH_EMPTY_COMPONENT,   /* \\X, \Callback\, ... */
    PATH_ROOT,              /* \ */
    PATH_DIRECTORY,         /* \Callback */
    PATH_IN_ROOT,           /* \X */
    PATH_MISSING_DIRECTORY, /* \X\Y where X is not Callback */
    PATH_BELOW              /* \Callback\X\Y */
} PathKind;
uint32_t name_hash(const SpecName *name);
NameMatch name_match(const SpecName *a, const SpecName *b, bool case_insensitive);
PathKind name_path(const SpecName *name, bool case_insensitive);
/* Which system-defined object this name is: 1..3, or 0. */
unsigned name_system(const SpecName *name, bool case_insensitive);
/* Has it code units that an implementation may refuse (controls, surrogates), or too many? */
bool name_is_odd(const SpecName *name);

/* objects.c: what lives, is held and is named, in which worlds. */
uint16_t object_alive(const SpecObject *object);
uint16_t object_held(const SpecObject *object);
uint16_t object_named(const Machine *machine, const SpecObject *object);
unsigned objects_alive(const Machine *machine);
/* Where opening takes the name of a temporary object, it may take that of one made so, once that
 * is both: nobody says whether it counts that it was opened before. */
void doubt_opened_name(Machine *machine, SpecObject *object);
/* Narrows the worlds to those in which what was seen can be seen. */
Outcome worlds_keep(Machine *machine, uint16_t survive, ClauseId clause);
/* The object was seen to be there: rules out the worlds in which it is gone. */
void object_is_there(Machine *machine, const SpecObject *object);

Permission references_call(Machine *machine, const Call *call);
Outcome references_return(Machine *machine);
/* Is the object gone although a routine is registered or a notification of it is in progress? */
uint16_t worlds_gone_in_use(const SpecObject *object);

/* create.c */
Permission create_call(Machine *machine, const Call *call);
Outcome create_return(Machine *machine, const Return *result);
Return create_predict(const Machine *machine, const SpecFrame *frame);
bool create_lacks_room(const Machine *machine, const SpecFrame *frame);
Allowed create_allowed(const Machine *machine, const SpecFrame *frame);

/* registrations.c */
/* Can one more be recorded, when all calls in progress may come to record one? */
static inline bool registration_room(const Machine *machine) {
    return machine->registration_count + machine->frame_count < MACHINE_REGISTRATIONS;
}
/* May one more be refused for want of room? Those count, too, that are told of the existing
 * processors before their registration returns, and those that were removed while calls were in
 * progress, which may keep them until they have returned. */
bool registrations_fill_table(const Machine *machine);
Permission register_call(Machine *machine, const Call *call);
Outcome register_return(Machine *machine, const Return *result);
/* Is it certain that this register gets NULL? */
bool register_is_refused(const Machine *machine, const Call *call);
Permission unregister_call(Machine *machine, const Call *call);
Outcome unregister_return(Machine *machine);
void registrations_clear(Machine *machine);
uint16_t registration_add(Machine *machine, const Call *call, uint64_t handle);
void registration_remove(Machine *machine, uint16_t number);

/* notifications.c: what routines run for a call, whoever triggers it. */
Permission notify_call(Machine *machine, const Call *call);
void notify_begin(Machine *machine, SpecFrame *frame);
Outcome notify_enter(Machine *machine, SpecFrame *frame, const Entry *entry);
Outcome notify_return(Machine *machine);
bool notify_next(const Machine *machine, const SpecFrame *frame, Entry *entry);

/* processors.c */
Permission change_call(Machine *machine, const Call *call);
/* A stage of an added processor is about to be announced. */
void stage_begin(Machine *machine, const SpecFrame *frame);
/* Is this a call of a routine whose registration has not returned yet? Whether it hears
 * of a processor that is added meanwhile is open: it may, once for each stage. */
bool change_pending(Machine *machine, const SpecFrame *frame, const Entry *entry);
Outcome existing_enter(Machine *machine, SpecFrame *frame, const Entry *entry);
Outcome change_return(Machine *machine, const Return *result);
bool existing_next(const SpecFrame *frame, Entry *entry);

/* Takes away misuse worlds; PERMIT_MISUSE when no other is left. */
Permission permit_in(Machine *machine, uint16_t fine, ClauseId clause);

#endif
