/* A script's own expectation: does what was seen meet what stands behind "->"? */
#include "harness/expectation.h"

#include "program/note.h"

Value expectation_value(SpecValue seen) {
    static const uint8_t stages[] = {VALUE_PROCESSOR_START, VALUE_PROCESSOR_COMPLETE,
                                     VALUE_PROCESSOR_FAILURE};
    switch ((SpecValueKind)seen.kind) {
    case SPEC_NUMBER: return (Value){VALUE_NUMBER, seen.number};
    case SPEC_CONTEXT: return (Value){stages[seen.stage], seen.number};
    case SPEC_STATUS: return (Value){VALUE_STATUS, seen.number};
    case SPEC_WILD: break;
    }
    return (Value){VALUE_ANY, 0};
}

static bool value_met(Value expected, SpecValue seen) {
    Value value = expectation_value(seen);
    return expected.kind == VALUE_ANY ||
           (expected.kind == value.kind && expected.number == value.number);
}

static bool call_met(const ExpectedCall *expected, const Event *seen) {
    SpecValue context = {.kind = SPEC_NUMBER, .number = seen->context};
    return expected->routine == seen->routine && value_met(expected->context, context) &&
           value_met(expected->argument1, seen->argument[0]) &&
           value_met(expected->argument2, seen->argument[1]);
}

/* Exactly these calls in this order, of those down to that level. */
static bool calls_met(const Executor *executor, const Line *line, unsigned count, unsigned level) {
    const ExpectedCall *expected = executor->program->calls + line->expect_at;
    unsigned met = 0;
    for (uint32_t i = executor->events_from; i < executor->event_count; i++) {
        const Event *seen = executor_event(executor, i);
        if (!seen) return false;
        if (seen->level > level) continue;
        if (met == count || !call_met(&expected[met], seen)) return false;
        met++;
    }
    return met == count;
}

bool expectation_met(const Executor *executor, const Line *line) {
    const Return *result = &executor->result;
    switch ((Expect)line->expect) {
    case EXPECT_UNSAID: return true;
    case EXPECT_STATUS: return result->status == line->expect_status;
    case EXPECT_ERROR: return (int32_t)result->status < 0;
    case EXPECT_HANDLE: return result->pointer != 0;
    case EXPECT_NULL: return result->pointer == 0;
    case EXPECT_NOTHING: return calls_met(executor, line, 0, EXECUTOR_LEVELS);
    case EXPECT_CALLS: /* those of the statement itself, or those of its routines' bodies as well */
        return calls_met(executor, line, line->expect_count, executor->level + 1u) ||
               calls_met(executor, line, line->expect_count, EXECUTOR_LEVELS);
    }
    return false;
}

ClauseId expectation_clause(const Program *program) {
    for (uint32_t i = 0; i < program->line_count; i++) {
        const Line *line = &program->lines[i];
        char id[NOTE_WORD];
        for (uint32_t at = 0; line->kind == LINE_CLAUSE && note_next(program, line, &at, id);) {
            ClauseId clause = clause_find(id);
            if (clause_get(clause)->binds == BINDS_IMPLEMENTATION) return clause;
        }
    }
    return CLAUSE_NONE;
}
