/* Runs a program in lockstep on an actor and on the reference machine. */
#include "harness/executor.h"

#include <string.h>

#include "harness/expectation.h"
#include "harness/trace.h"
#include "program/dictionary.h"

bool program_needs_windows(const Program *program) {
    const Line *note = program_note(program, LINE_PROFILE);
    return note && note->text_length == 7 && !memcmp(program->text + note->text_at, "windows", 7);
}

/* What happens to few calls is kept out of the way of the others. */
#define RARE __attribute__((cold, noinline))

/* What happens to every call is compiled into one piece: 2 to 3 percent of all statements/s. */
#define HOT __attribute__((flatten))

/* Stops the run. Leaves the calls in progress if the actor has a way to. */
RARE static void halt(Executor *executor, RunState state) {
    executor->state = state;
    if (executor->actor->abandon && executor->level) executor->actor->abandon(executor);
}

RARE static void conclude(Executor *executor, Verdict verdict, ClauseId clause) {
    Judgement *judgement = executor->judgement;
    judgement->verdict = verdict;
    judgement->clause = clause;
    judgement->line = executor->line;
    judgement->call = executor->call;
    judgement->step =
        executor->top_line == NO_LINE ? 0 : program_step(executor->program, executor->top_line);
    judgement->routine = executor->routine;
}

RARE static void say(Executor *executor, const char *kind, const char *detail) {
    Judgement *judgement = executor->judgement;
    snprintf(judgement->kind, sizeof judgement->kind, "%s", kind ? kind : "");
    snprintf(judgement->detail, sizeof judgement->detail, "%s", detail ? detail : "");
}

RARE static RunState record(Executor *executor, Outcome outcome) {
    bool misuse = outcome == OUTCOME_MISUSE;
    conclude(executor, misuse ? VERDICT_MISUSE : VERDICT_DIVERGES, executor->machine.clause);
    return misuse ? RUN_MISUSED : RUN_DIVERGED;
}

RARE static void stop(Executor *executor, Outcome outcome) {
    if (executor->state == RUN_GOES_ON) halt(executor, record(executor, outcome));
}

static inline void settle(Executor *executor, Outcome outcome) {
    if (outcome != OUTCOME_ALLOWED) stop(executor, outcome);
}

static const Verdict verdict_of_abort[] = {
    [ABORT_CRASH] = VERDICT_CRASHES,       [ABORT_HANG] = VERDICT_HANGS,
    [ABORT_DEADLOCK] = VERDICT_DEADLOCKS,  [ABORT_BUGCHECK] = VERDICT_BUGCHECKS,
    [ABORT_REFERENCE] = VERDICT_BUGCHECKS, [ABORT_STATE] = VERDICT_BUGCHECKS,
};

void executor_abort(Executor *executor, Abort how, bool allocation_failed, const char *kind,
                    const char *detail) {
    if (executor->state != RUN_GOES_ON) return;
    if (executor->trace) trace_abort(executor, verdict_of_abort[how]);
    Outcome outcome = machine_abort(&executor->machine, how, allocation_failed);
    bool misuse = outcome == OUTCOME_MISUSE;
    conclude(executor, misuse ? VERDICT_MISUSE : verdict_of_abort[how], executor->machine.clause);
    say(executor, kind, detail);
    executor->judgement->after = executor->machine.readings;
    executor->state = RUN_ABORTED;
}

static void observe_object(Executor *executor, uint16_t number) {
    if (!executor->actor->object_there || number == NO_ID || executor->state != RUN_GOES_ON) return;
    const SpecObject *object = &executor->machine.objects[number];
    if (object->system) return;
    int there = executor->actor->object_there(executor, object->pointer);
    if (there < 0) return;
    if (executor->trace && !there) trace_gone(executor, object->pointer);
    Outcome outcome = machine_observe_object(&executor->machine, number, there);
    if (outcome == OUTCOME_DIVERGES)
        say(executor, "", "the object's memory was freed while it must still exist");
    settle(executor, outcome);
}

/* The object whose life a call may have ended or shown. */
static uint16_t object_concerned(const Machine *machine, const Call *call) {
    switch (call->kind) {
    case CALL_REGISTER:
    case CALL_NOTIFY:
    case CALL_DEREFERENCE: return call->object;
    case CALL_UNREGISTER:
        return call->registration == NO_ID ? NO_ID
                                           : machine->registrations[call->registration].object;
    default: return NO_ID;
    }
}

/* Makes one call on both sides. False: the run is over. */
HOT static bool make_call(Executor *executor, const Call *call) {
    Machine *machine = &executor->machine;
    if (executor->calls >= executor->budget) {
        halt(executor, RUN_FULL);
        return false;
    }
    Permission permission = machine_call(machine, call);
    if (permission == PERMIT_MISUSE) {
        conclude(executor, VERDICT_MISUSE, machine->clause);
        halt(executor, RUN_MISUSED);
        return false;
    }
    if (permission == PERMIT_FULL) {
        halt(executor, RUN_FULL);
        return false;
    }
    executor->call = ++executor->calls;
    if (executor->trace) trace_call(executor, call);
    if (executor->call == executor->stop_before) executor->stop(executor, call);
    uint32_t from = executor->event_count;
    executor->events_from = from;
    executor->result = (Return){0};
    executor->actor->call(executor, call, &executor->result);
    if (executor->state != RUN_GOES_ON) return false;
    executor->events_from = from;
    Outcome outcome = machine_return(machine, &executor->result);
    if (executor->result.input_changed && outcome == OUTCOME_DIVERGES)
        say(executor, "", "the caller's attributes or name were changed");
    executor->collecting = false;
    if (executor->feature_count < 64 && executor->level < 2)
        executor->features[executor->feature_count++] = machine->feature;
    if (executor->trace) trace_return(executor, call);
    settle(executor, outcome);
    observe_object(executor, object_concerned(machine, call));
    return executor->state == RUN_GOES_ON;
}

const char executor_bounds[] =
    "from here on it is not run or judged as a whole: a program makes at most 65,536 calls with "
    "its bodies, 100,000 of its routines, 4,096 of those where they are expected, and has at most "
    "64 processors";

/* A bound was reached. */
RARE static void cut(Executor *executor) {
    if (executor->judgement->cut == NO_LINE) executor->judgement->cut = executor->top_line;
}

/* Field by field: the entry was written a moment ago, in such pieces. */
static void keep_event(Event *event, const Entry *entry, unsigned level) {
    event->level = (uint8_t)level;
    event->routine = entry->routine;
    event->irql = entry->irql;
    event->context = entry->context;
    for (unsigned i = 0; i < 2; i++) {
        event->argument[i].kind = entry->argument[i].kind;
        event->argument[i].stage = entry->argument[i].stage;
        event->argument[i].number = entry->argument[i].number;
    }
}

/* Runs the body of the routine that was called. */
static void run_body(Executor *executor, uint32_t first, uint8_t its_routine) {
    const Program *program = executor->program;
    uint32_t line = executor->line;
    uint8_t routine = executor->routine;
    Return result = executor->result;
    uint32_t from = executor->events_from, call = executor->call;
    executor->routine = its_routine;
    for (uint32_t i = first; executor->state == RUN_GOES_ON; i++) {
        if (program->lines[i].kind == LINE_END) break;
        executor_line(executor, i);
    }
    if (executor->state == RUN_GOES_ON) {
        executor->line = line;
        executor->routine = routine;
        executor->result = result;
        executor->events_from = from;
        executor->call = call;
    }
}

/* Routines are called without end. Where one of these calls did not fit, that is what is
 * broken: it is judged as if the call in progress had returned. Where all fit, but most are
 * those of one call, that call hangs: there are never so many routines. */
RARE static void stop_calls(Executor *executor) {
    Machine *machine = &executor->machine;
    Outcome outcome = OUTCOME_ALLOWED;
    if (executor->collecting && machine->frame_count)
        outcome = machine_return(machine, &executor->result);
    else if (machine->frame_count &&
             machine->frames[machine->frame_count - 1].calls > EXECUTOR_ENTRIES / 2)
        executor_abort(executor, ABORT_HANG, false, "endless", "routines were called without end");
    if (executor->state == RUN_GOES_ON)
        executor->state = outcome == OUTCOME_ALLOWED ? RUN_FULL : record(executor, outcome);
    if (executor->state == RUN_FULL) cut(executor);
    if (executor->actor->abandon) executor->actor->abandon(executor);
}

HOT void executor_enter(Executor *executor, const Entry *entry) {
    if (executor->state != RUN_GOES_ON) return;
    Machine *machine = &executor->machine;
    keep_event(&executor->events[executor->event_count++ % EXECUTOR_EVENTS], entry,
               executor->level + 1u);
    executor->called |= 1u << entry->routine;
    if (executor->trace) trace_enter(executor, entry);
    Outcome outcome = machine_enter(machine, entry);
    if (outcome != OUTCOME_ALLOWED) executor->collecting = true;
    if (executor->event_count > EXECUTOR_ENTRIES) {
        stop_calls(executor);
        return;
    }
    executor->level++;
    uint32_t body = executor->program->body_at[entry->routine];
    if (body && !executor->collecting && executor->level < EXECUTOR_LEVELS) {
        if (executor->calls < EXECUTOR_CALLS) run_body(executor, body - 1, entry->routine);
        else cut(executor);
    }
    if (executor->state == RUN_GOES_ON) settle(executor, machine_leave(machine, machine->irql));
    executor->level--;
}

/* Is the start of this processor being announced? */
static bool is_starting(const Machine *machine, uint64_t number) {
    if (!machine->frame_count) return false;
    const SpecFrame *frame = &machine->frames[machine->frame_count - 1];
    if (frame->call.kind == CALL_REGISTER_CHANGE)
        return frame->starting && frame->announced == number;
    return frame->call.kind == CALL_PROCESSOR_STAGE && frame->call.stage == STAGE_START &&
           frame->call.processor == number;
}

/* What the line means as a call, with names resolved. False: it is no call, or not now. */
static bool translate(const Executor *executor, uint32_t index, Call *call) {
    static const uint8_t kinds[LINE_KINDS] = {
        /* 0: no call */
        [LINE_CREATE] = CALL_CREATE + 1,
        [LINE_OPEN] = CALL_CREATE + 1,
        [LINE_REGISTER] = CALL_REGISTER + 1,
        [LINE_NOTIFY] = CALL_NOTIFY + 1,
        [LINE_UNREGISTER] = CALL_UNREGISTER + 1,
        [LINE_REFERENCE] = CALL_REFERENCE + 1,
        [LINE_DEREFERENCE] = CALL_DEREFERENCE + 1,
        [LINE_MAKE_TEMPORARY] = CALL_MAKE_TEMPORARY + 1,
        [LINE_IRQL] = CALL_IRQL + 1,
        [LINE_SET_SYSTEM_TIME] = CALL_SET_SYSTEM_TIME + 1,
        [LINE_POWER_STATE] = CALL_POWER_STATE + 1,
        [LINE_ADD_PROCESSOR] = CALL_PROCESSOR_STAGE + 1,
        [LINE_REGISTER_PROCESSOR_CHANGE] = CALL_REGISTER_CHANGE + 1,
        [LINE_DEREGISTER_PROCESSOR_CHANGE] = CALL_DEREGISTER_CHANGE + 1,
        [LINE_SET_STATUS] = CALL_SET_STATUS + 1,
    };
    const Program *program = executor->program;
    const Line *line = &program->lines[index];
    if (!kinds[line->kind]) return false;
    call->kind = kinds[line->kind] - 1u;
    call->object = call->registration = NO_ID;
    call->giving_back = false;
    if (line->operand != NO_VARIABLE) {
        uint16_t number = executor->binding[line->operand];
        if (line_info[line->kind].operand == TYPE_OBJECT) call->object = number;
        else call->registration = number;
    }
    switch ((LineKind)line->kind) {
    case LINE_CREATE:
    case LINE_OPEN:
        call->create = line->kind == LINE_CREATE;
        call->multiple = line->flags & FLAG_MULTIPLE;
        call->case_insensitive = line->flags & FLAG_CASE_INSENSITIVE;
        call->permanent = line->flags & FLAG_PERMANENT;
        call->openif = line->flags & FLAG_OPENIF;
        call->exclusive = line->flags & FLAG_EXCLUSIVE;
        call->kernel_handle = line->flags & FLAG_KERNEL_HANDLE;
        call->name =
            (SpecName){line->name_at < dictionary_unit_count ? dictionary_units + line->name_at
                                                             : program->units + line->name_at,
                       line->name_length, !(line->flags & FLAG_UNNAMED)};
        break;
    case LINE_REGISTER_PROCESSOR_CHANGE:
        call->existing = line->flags & FLAG_ADD_EXISTING;
        call->processor = executor->processors;
        /* fall through */
    case LINE_REGISTER:
        call->routine = line->routine;
        call->context = line->number[0];
        break;
    case LINE_NOTIFY:
    case LINE_POWER_STATE:
        call->argument[0] = line->number[0];
        call->argument[1] = line->number[1];
        break;
    case LINE_IRQL: call->level = (uint8_t)line->number[0]; break;
    case LINE_SET_STATUS:
        call->status = (uint32_t)line->number[0];
        return !line->number[1] || is_starting(&executor->machine, line->number[1] - 1);
    default: break;
    }
    return true;
}

/* Announces a processor: a start, then a completion or a failure. */
static void add_processor(Executor *executor, Call *call, bool fails) {
    enum { FAILED = (int)0xC0000001 };
    call->stage = STAGE_START;
    call->status = 0;
    call->processor = executor->processors;
    uint32_t most = executor->processors + 1; /* and those that are being announced */
    for (unsigned i = 0; i < executor->machine.frame_count; i++)
        most += executor->machine.frames[i].call.kind == CALL_PROCESSOR_STAGE;
    if (most >= MACHINE_PROCESSORS) {
        halt(executor, RUN_FULL);
        return;
    }
    if (!make_call(executor, call)) return;
    call->status = executor->result.status;
    if (fails && !call->status) call->status = (uint32_t)FAILED;
    call->stage = call->status ? STAGE_FAILURE : STAGE_COMPLETE;
    if (!call->status) {
        executor->processors++;
        if (executor->actor->processor_started) executor->actor->processor_started(executor);
    }
    make_call(executor, call);
}

static void bind_result(Executor *executor, const Line *line) {
    if (line->result == NO_VARIABLE) return;
    bool object = line_info[line->kind].result == TYPE_OBJECT;
    uint16_t number =
        object ? executor->machine.result_object : executor->machine.result_registration;
    executor->binding[line->result] = number;
    if (number == NO_ID) return;
    (object ? executor->object_variable : executor->registration_variable)[number] = line->result;
}

void executor_line(Executor *executor, uint32_t index) {
    const Line *line = &executor->program->lines[index];
    executor->line = index;
    executor->kinds |= 1u << line->kind;
    if (!executor->level) executor->top_line = index;
    if (line->kind == LINE_FAIL_ALLOCATION) {
        if (executor->trace) trace_call(executor, NULL);
        executor->short_of_memory = true;
        if (executor->actor->fail_allocation)
            executor->actor->fail_allocation(executor, (uint32_t)line->number[0]);
        executor->calls++;
        return;
    }
    Call *call = machine_place(&executor->machine);
    if (!translate(executor, index, call)) return;
    uint32_t from = executor->event_count;
    if (line->kind == LINE_ADD_PROCESSOR) add_processor(executor, call, line->flags & FLAG_FAILS);
    else make_call(executor, call);
    if (executor->state != RUN_GOES_ON) return;
    executor->line = index;
    bind_result(executor, line);
    if (line->expect == EXPECT_UNSAID) return;
    executor->events_from = from;
    if (executor->event_count - from > EXECUTOR_EVENTS) cut(executor);
    if (executor->judgement->cut != NO_LINE) return; /* what bodies did not do may be missing */
    if (!expectation_met(executor, line)) {
        executor->judgement->expectation = true;
        conclude(executor, VERDICT_DIVERGES, expectation_clause(executor->program));
        halt(executor, RUN_DIVERGED);
    }
}

uint32_t program_take_as_given(const Program *program, Readings *readings) {
    Readings before = *readings;
    for (uint32_t i = 0; i < program->line_count; i++) {
        const Line *line = &program->lines[i];
        if (line->kind != LINE_READING) continue;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)line->text_length, program->text + line->text_at);
        readings_assume(readings, name);
        bool possible = readings->worlds != 0;
        for (unsigned q = 0; q < QUESTIONS; q++)
            possible &= (before.answers[q] & readings->answers[q]) != 0;
        if (!possible) return i;
    }
    return NO_LINE;
}

static void start_run(Executor *executor, const Program *program, const Start *start,
                      Judgement *judgement) {
    bool windows = start->windows;
    Readings readings = start->readings;
    if (!windows && program_needs_windows(program)) {
        windows = true;
        readings = readings_all(true);
    }
    Readings usual = readings;
    uint32_t contradiction = program_take_as_given(program, &readings);
    if (contradiction != NO_LINE) readings = usual;
    machine_start(&executor->machine, windows, readings, start->system);
    executor->machine.calls = executor->machine.effective = 0;
    executor->program = program;
    executor->judgement = judgement;
    executor->state = RUN_GOES_ON;
    executor->collecting = false;
    executor->short_of_memory = false;
    executor->line = executor->top_line = NO_LINE;
    executor->routine = executor->level = 0;
    executor->calls = executor->called = executor->kinds = executor->call = 0;
    executor->budget = UINT32_MAX;
    executor->processors = start->processors;
    executor->event_count = executor->events_from = 0;
    executor->feature_count = 0;
    executor->traced_count[0] = executor->traced_count[1] = 0;
    for (uint32_t i = 0; i < program->variable_count; i++)
        executor->binding[i] = NO_ID;
    for (unsigned i = 0; i < 3; i++)
        executor->object_variable[i] = NO_VARIABLE;
    judgement->verdict = VERDICT_CONFORMS;
    judgement->clause = CLAUSE_NONE;
    judgement->expectation = judgement->whole = false;
    judgement->kind[0] = judgement->detail[0] = judgement->where[0] = 0;
    judgement->frames = (Frames){{0}};
    judgement->line = judgement->cut = NO_LINE;
    judgement->step = 0;
    judgement->routine = 0;
    judgement->before = readings;
    if (contradiction == NO_LINE) return;
    executor->line = contradiction;
    conclude(executor, VERDICT_MISUSE, CLAUSE_NONE);
    say(executor, "another-reading", "the implementation has shown that it takes another reading");
    executor->state = RUN_MISUSED;
}

/* Brings the current thread to a level on both sides. */
static void set_level(Executor *executor, uint8_t level) {
    if (executor->machine.irql == level) return;
    Call call = {.kind = CALL_IRQL, .level = level, .object = NO_ID, .registration = NO_ID};
    make_call(executor, &call);
}

static void run_lines(void *context) {
    Executor *executor = context;
    const Program *program = executor->program;
    uint8_t level = LEVEL_PASSIVE;
    for (uint32_t i = 0; i < program->line_count && executor->state == RUN_GOES_ON; i++) {
        switch (program->lines[i].kind) {
        case LINE_ROUTINE: i = program_block_end(program, i) - 1; break;
        case LINE_THREAD: /* one after the other: one of the schedules that are allowed */
            level = executor->machine.irql;
            set_level(executor, LEVEL_PASSIVE);
            break;
        case LINE_END: set_level(executor, level); break;
        default: executor_line(executor, i);
        }
    }
}

static void give_back_registrations(Executor *executor) {
    Machine *machine = &executor->machine;
    for (uint16_t i = 0; i < machine->registration_count && executor->state == RUN_GOES_ON; i++) {
        if (!machine->registrations[i].alive) continue;
        bool change = machine->registrations[i].object == NO_ID;
        Call *call = machine_place(machine);
        call->kind = change ? CALL_DEREGISTER_CHANGE : CALL_UNREGISTER;
        call->object = NO_ID;
        call->registration = i;
        make_call(executor, call);
    }
}

static void give_back_objects(Executor *executor) {
    Machine *machine = &executor->machine;
    for (uint16_t i = 0; i < machine->object_count; i++) {
        while (executor->state == RUN_GOES_ON && machine_perhaps_holds(machine, i)) {
            Call *call = machine_place(machine);
            call->kind = CALL_DEREFERENCE;
            call->object = i;
            call->registration = NO_ID;
            call->giving_back = false;
            make_call(executor, call);
        }
    }
    for (uint16_t i = 0; i < machine->object_count && executor->state == RUN_GOES_ON; i++) {
        if (machine->objects[i].system || !machine->objects[i].permanent) continue;
        Call call = {
            .kind = CALL_MAKE_TEMPORARY, .object = i, .registration = NO_ID, .giving_back = true};
        make_call(executor, &call);
    }
}

static uint16_t left_object(Executor *executor) {
    const Machine *machine = &executor->machine;
    for (uint16_t i = 0; executor->actor->object_there && i < machine->object_count; i++)
        if (!machine->objects[i].system &&
            executor->actor->object_there(executor, machine->objects[i].pointer) > 0)
            return i;
    return NO_ID;
}

/* What the program still holds goes back; then nothing may be left. The level
 * comes first, for the other calls are not allowed at DISPATCH_LEVEL. */
static void give_back(Executor *executor) {
    executor->line = executor->top_line = NO_LINE;
    if (executor->actor->fail_allocation) executor->actor->fail_allocation(executor, 0);
    set_level(executor, LEVEL_PASSIVE);
    give_back_registrations(executor);
    give_back_objects(executor);
    if (executor->state != RUN_GOES_ON || !executor->actor->leaked) return;
    Judgement *judgement = executor->judgement;
    executor->call = UINT32_MAX;
    if (executor->stop_before == UINT32_MAX) executor->stop(executor, NULL);
    bool leaked = executor->actor->leaked(executor, judgement->kind, sizeof judgement->kind,
                                          judgement->detail, sizeof judgement->detail);
    if (executor->trace) trace_left(executor, leaked);
    Outcome outcome =
        machine_end(&executor->machine, leaked, leaked ? left_object(executor) : NO_ID);
    if (outcome == OUTCOME_ALLOWED) return;
    conclude(executor, outcome == OUTCOME_MISUSE ? VERDICT_MISUSE : VERDICT_LEAKS,
             executor->machine.clause);
    executor->state = RUN_DIVERGED;
}

bool executor_resume(Executor *executor) {
    const Machine *machine = &executor->machine;
    if (executor->state == RUN_DIVERGED || executor->state == RUN_ABORTED || executor->level ||
        machine->frame_count || !(machine->readings.worlds & ~machine->misused))
        return false;
    executor->state = RUN_GOES_ON;
    executor->judgement->verdict = VERDICT_CONFORMS;
    executor->judgement->clause = CLAUSE_NONE;
    return true;
}

void executor_run(Executor *executor, const Program *program, const Start *start,
                  Judgement *judgement) {
    executor_drive(executor, program, start, judgement, run_lines, executor);
}

void executor_drive(Executor *executor, const Program *program, const Start *start,
                    Judgement *judgement, void (*drive)(void *context), void *context) {
    start_run(executor, program, start, judgement);
    if (!_setjmp(executor->leave)) {
        if (executor->state == RUN_GOES_ON) drive(context);
        if (executor->state == RUN_FULL) cut(executor);
        if (executor->state == RUN_GOES_ON || executor->state == RUN_FULL) {
            executor->state = RUN_GOES_ON;
            executor->budget = UINT32_MAX;
            give_back(executor);
            judgement->whole = executor->state == RUN_GOES_ON;
        }
    }
    judgement->statements = executor->calls;
    judgement->effective = executor->machine.effective;
    judgement->after = executor->machine.readings;
}
