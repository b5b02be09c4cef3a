/* The actor that needs no implementation: it does what the reference machine predicts. */
#include "generate/predict.h"

static void predict_call(Executor *executor, const Call *call, Return *result) {
    Machine *machine = &executor->machine;
    Entry entry;
    (void)call;
    while (executor->state == RUN_GOES_ON && machine_next(machine, &entry))
        executor_enter(executor, &entry);
    if (executor->state == RUN_GOES_ON) *result = machine_predict(machine);
}

static const Actor actor = {.call = predict_call};

void predict_attach(Executor *executor) {
    executor->actor = &actor;
    executor->trace = NULL;
}
