/* What the reference machine alone says of a case: is it within the caller's rules? */
#include "conform/predict.h"

#include "nt/nt.h"

static bool poor;

/* The actor that does what the machine expects; a poor one has room for no more than it must. */
static void call(Executor *executor, const Call *call, Return *result) {
    Entry entry;
    (void)call;
    while (executor->state == RUN_GOES_ON && machine_next(&executor->machine, &entry))
        executor_enter(executor, &entry);
    *result = machine_predict(&executor->machine);
    if (poor && machine_lacks_room(&executor->machine)) *result = (Return){.status = 0xC000009A};
}

static const Actor predicted = {.call = call};

bool clause_can_be_misused(ClauseId clause) {
    const Clause *row = clause_get(clause);
    switch (clause) {
    case CLAUSE_OPEN_KNOWS_NAME:               /* a name that nobody created is no misuse */
    case CLAUSE_CREATE_ATTRIBUTES_INITIALIZED: /* the harness does so, always */
    case CLAUSE_WINDOWS_DEREFERENCE_IRQL: /* no program gets above DISPATCH_LEVEL */ return false;
    default: return row->binds == BINDS_CALLER && row->judged == JUDGED_STEP;
    }
}

/* The readings that decide whether a program keeps to the rules: the worlds; and
 * either everything else is open, or what may be refused or the caller's mistake is. */
static Readings pick(bool windows, unsigned world, bool strict) {
    Readings readings = readings_all(windows);
    if (strict) {
        readings_assume(&readings, "REGISTER-NULL-FORBIDDEN");
        readings_assume(&readings, "UNREGISTER-NULL-FORBIDDEN");
        readings_assume(&readings, "UNREGISTER-SELF-WAITS");
        readings_assume(&readings, "SAME-ROUTINE-REFUSED");
        if (!windows) readings_assume(&readings, "PROCESSOR-ADD-ABSENT");
    }
    readings.worlds &= (uint16_t)(1u << world);
    readings_settle(&readings);
    return readings;
}

Prediction predict(const Program *program, bool windows) {
    static Executor executor;
    Prediction prediction = {.line = NO_LINE};
    executor.actor = &predicted;
    for (unsigned pass = 0; pass < 2 * WORLDS; pass++) {
        Start start = {windows, pick(windows, pass / 2, pass % 2), {0}, NT_INITIAL_PROCESSORS};
        Readings taken = start.readings;
        Judgement judgement;
        if (pass % 2 && program_take_as_given(program, &taken) != NO_LINE)
            taken = start.readings = pick(windows, pass / 2, false);
        if (!taken.worlds || program_take_as_given(program, &taken) != NO_LINE) continue;
        poor = pass % 2;
        executor_run(&executor, program, &start, &judgement);
        if (judgement.verdict != VERDICT_MISUSE) {
            prediction.legal = true;
            if (verdict_is_finding(judgement.verdict)) {
                prediction.partial = true;
                prediction.partial_line = judgement.line;
            }
            continue;
        }
        clause_set_add(&prediction.misused, judgement.clause);
        prediction.clause = judgement.clause;
        prediction.line = judgement.line;
    }
    return prediction;
}
