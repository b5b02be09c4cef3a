/* Measures checked programs against the same programs on the bare implementation.
 *
 * First libFuzzer's loop, generator, machine and judging as `cbfuzz fuzz` has them,
 * for some seconds; a sample of the very programs that ran is kept. Then the
 * sample alone, decoded beforehand, on implementation and environment. Prints
 * one JSON object.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/worker.h"
#include "harness/bare.h"
#include "nt/nt.h"
#include "program/bytes.h"

enum { SAMPLE = 20000, EVERY = 7 };

static Implementation implementation;
static Workplace workplace;
static Mailbox mailbox; /* not of the heap, which is watched */
static struct {
    uint32_t size, statements, effective;
    uint8_t *bytes;
} sample[SAMPLE];
static unsigned sampled;
static double begun, seconds = 10;
static FILE *result;

/* Processor time, not the clock's: the machine may be busy with other things. */
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void take_sample(const Session *session, const Program *program) {
    const Judgement *judgement = &session->judgement;
    if (sampled == SAMPLE || session->runs % EVERY || judgement->verdict != VERDICT_CONFORMS ||
        !judgement->whole)
        return;
    static uint8_t bytes[SESSION_BYTES];
    uint32_t size = (uint32_t)bytes_encode(program, bytes, sizeof bytes);
    sample[sampled].size = size;
    sample[sampled].statements = judgement->statements;
    sample[sampled].effective = judgement->effective;
    sample[sampled].bytes = malloc(size);
    memcpy(sample[sampled].bytes, bytes, size);
    sampled++;
}

static void report(double checked_seconds) {
    const FuzzShared *shared = workplace.shared;
    Program **programs = calloc(sampled, sizeof *programs);
    uint64_t effective = 0, statements = 0, runs = 0;
    for (unsigned i = 0; i < sampled; i++) {
        programs[i] = program_new();
        bytes_decode(programs[i], sample[i].bytes, sample[i].size);
    }
    double from = now(), spent = 0;
    for (unsigned i = 0; spent < seconds; i = (i + 1) % sampled) {
        bare_run(&implementation, programs[i]);
        effective += sample[i].effective;
        statements += sample[i].statements;
        if (++runs % 256 == 0) spent = now() - from;
    }
    from = now();
    enum { BOOTS = 1000000 };
    for (unsigned i = 0; i < BOOTS; i++)
        nt_rewind();
    double boot = (now() - from) / BOOTS;
    double checked = (double)shared->effective / checked_seconds;
    double bare = (double)effective / spent;
    fprintf(result,
            "{\"programs_per_s\": %.0f, \"statements_per_s\": %.0f, "
            "\"effective_statements_per_s\": %.0f, \"bare_programs_per_s\": %.0f, "
            "\"bare_all_statements_per_s\": %.0f, \"bare_statements_per_s\": %.0f, "
            "\"ratio_to_bare\": %.3f, \"boot_ns\": %.0f, \"sampled_programs\": %u}\n",
            (double)shared->programs / checked_seconds,
            (double)shared->statements / checked_seconds, checked, (double)runs / spent,
            (double)statements / spent, bare, checked / bare, boot * 1e9, sampled);
    fflush(result);
    _exit(0);
}

static void observe(const Session *session, const Program *program) {
    take_sample(session, program);
    if (session->runs % 256) return;
    double spent = now() - begun;
    if (spent >= seconds && sampled) report(spent);
}

int main(int argc, char **argv) {
    if (argc > 1) seconds = atof(argv[1]);
    char error[512];
    if (!implementation_open(&implementation, "builtin", error, sizeof error) ||
        !implementation_load(&implementation, error, sizeof error)) {
        fprintf(stderr, "bare: %s\n", error);
        return 3;
    }
    workplace = (Workplace){.implementation = &implementation,
                            .session = session_new(false),
                            .shared = calloc(1, sizeof *workplace.shared),
                            .mailbox = &mailbox};
    result = fdopen(dup(1), "w");
    int null = open("/dev/null", O_RDWR);
    (void)null;
    worker_observer = observe;
    begun = now();
    char *arguments[] = {
        "bare",           "-seed=1",    "-max_len=4096",   "-len_control=0", "-detect_leaks=0",
        "-handle_segv=0", "-timeout=0", "-rss_limit_mb=0", "-verbosity=0",   NULL};
    worker_main(&workplace, 9, arguments);
}
