/* Which readings an implementation takes, asked by a few programs before the first run. */
#include "harness/calibrate.h"

#include <string.h>

#include "program/script.h"

/* The answers show in these programs; scripts that come later would else leave
 * open whether they or the implementation are at fault. */
static const char *const questions[] = {
    /* Does a registration hold a reference? Whose does unregister remove? */
    "a = create \"\\Callback\\Calibrate\" multiple\n"
    "r1 = register a F1 1\n"
    "dereference a\n",
    "a = create \"\\Callback\\Calibrate\" multiple\n"
    "r1 = register a F1 1\n"
    "unregister r1\n",
    "a = create \"\\Callback\\Calibrate\" multiple\n"
    "reference a\n"
    "r1 = register a F1 1\n"
    "unregister r1\n",
    /* Objects whose memory nobody can see: is the name gone, does another get the address? */
    "a = create \"\\Callback\\Calibrate\" multiple\n"
    "r1 = register a F1 1\n"
    "unregister r1\n"
    "b = open \"\\Callback\\Calibrate\"\n",
    "a = create \"\\Callback\\Calibrate\" multiple\n"
    "r1 = register a F1 1\n"
    "unregister r1\n"
    "b = create \"\\Callback\\Calibrate2\"\n"
    "c = create \"\\Callback\\Calibrate3\"\n"
    "d = create \"\\Callback\\Calibrate4\"\n",
    /* Only then this, which may be misuse. */
    "a = create \"\\Callback\\Calibrate\" multiple\n"
    "r1 = register a F1 1\n"
    "r2 = register a F2 2\n"
    "unregister r1\n"
    "notify a 1 2\n",
    /* Has a temporary object a name once create has returned? */
    "a = create \"\\Callback\\Calibrate\"\n"
    "b = open \"\\Callback\\Calibrate\"\n"
    "c = open \"\\Callback\\Calibrate\"\n",
    /* ... and while nothing but a registration holds it? */
    "a = create \"\\Callback\\Calibrate\"\n"
    "r1 = register a F1 1\n"
    "dereference a\n"
    "b = open \"\\Callback\\Calibrate\"\n",
    /* ... and one that was made temporary? */
    "a = create \"\\Callback\\Calibrate\" permanent\n"
    "make_temporary a\n"
    "b = open \"\\Callback\\Calibrate\"\n",
};

Readings calibrate(Runner *runner) {
    Readings readings = readings_all(runner->windows);
    if (runner->windows) return readings;
    Program *program = program_new();
    const Judgement *judgement = &runner->session->judgement;
    for (unsigned i = 0; program && i < sizeof questions / sizeof questions[0]; i++) {
        ScriptError error;
        if (!script_parse(program, questions[i], strlen(questions[i]), &error)) break;
        if (!runner_run(runner, program, readings) || verdict_is_finding(judgement->verdict)) {
            readings = readings_all(false);
            readings_assume(&readings, "UNREGISTER-REFERENCE-OWN");
            break;
        }
        readings.worlds = judgement->after.worlds;
        readings_settle(&readings);
    }
    program_free(program);
    return readings;
}
