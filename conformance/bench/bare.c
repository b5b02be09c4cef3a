/* Measures checked programs against the same programs on the bare implementation.
 *
 * In turns, so that a busy machine is as busy for both: libFuzzer's loop, generator,
 * machine and judging as `cbfuzz fuzz` has them, for a second; then a sample of what
 * ran next alone, decoded beforehand, on implementation and environment. Prints one
 * JSON object.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/worker.h"
#include "harness/bare.h"
#include "harness/globals.h"
#include "nt/nt.h"
#include "program/bytes.h"

enum { SAMPLE = 4000, SLICE_S = 1 };

typedef struct {
    uint64_t programs, statements, effective;
    double seconds;
} Sum;

static Implementation implementation;
static Workplace workplace;
static Mailbox mailbox; /* not of the heap, which is watched */
static struct {
    uint32_t statements, effective;
    Program *program;
} sample[SAMPLE];
static unsigned sampled;
static Sum checked, bare;
static Sum begun; /* when the slice began */
static bool sampling;
static double seconds = 10;
static FILE *result;

/* Processor time, not the clock's: the machine may be busy with other things. */
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static Sum sum_of_checked(void) {
    const FuzzShared *shared = workplace.shared;
    return (Sum){shared->programs, shared->statements, shared->effective, now()};
}

static void end_slice(void) {
    Sum sum = sum_of_checked();
    checked.programs += sum.programs - begun.programs;
    checked.statements += sum.statements - begun.statements;
    checked.effective += sum.effective - begun.effective;
    checked.seconds += sum.seconds - begun.seconds;
}

static void take_sample(const Session *session, const Program *program) {
    static uint8_t bytes[SESSION_BYTES];
    const Judgement *judgement = &session->judgement;
    if (judgement->verdict != VERDICT_CONFORMS || !judgement->whole) return;
    bytes_decode(sample[sampled].program, bytes, bytes_encode(program, bytes, sizeof bytes));
    sample[sampled].statements = judgement->statements;
    sample[sampled].effective = judgement->effective;
    sampled++;
}

static void run_bare(void) {
    /* It counts as coverage of nobody's. */
    size_t size;
    unsigned char *counters = globals_counters(&size), *before = malloc(size);
    memcpy(before, counters, size);
    double from = now(), spent = 0;
    for (unsigned i = 0; spent < SLICE_S; i = (i + 1) % sampled) {
        bare_run(&implementation, sample[i].program);
        bare.effective += sample[i].effective;
        bare.statements += sample[i].statements;
        if (++bare.programs % 256 == 0) spent = now() - from;
    }
    bare.seconds += spent;
    memcpy(counters, before, size);
    free(before);
}

static double per_second(uint64_t count, const Sum *sum) {
    return (double)count / sum->seconds;
}

static _Noreturn void report(void) {
    double from = now();
    enum { BOOTS = 1000000 };
    for (unsigned i = 0; i < BOOTS; i++)
        nt_rewind();
    double boot = (now() - from) / BOOTS;
    double effective = per_second(checked.effective, &checked);
    double effective_bare = per_second(bare.effective, &bare);
    fprintf(result,
            "{\"programs_per_s\": %.0f, \"statements_per_s\": %.0f, "
            "\"effective_statements_per_s\": %.0f, \"bare_programs_per_s\": %.0f, "
            "\"bare_all_statements_per_s\": %.0f, \"bare_statements_per_s\": %.0f, "
            "\"ratio_to_bare\": %.3f, \"boot_ns\": %.0f, \"sampled_programs\": %u}\n",
            per_second(checked.programs, &checked), per_second(checked.statements, &checked),
            effective, per_second(bare.programs, &bare), per_second(bare.statements, &bare),
            effective_bare, effective / effective_bare, boot * 1e9, SAMPLE);
    fflush(result);
    _exit(0);
}

static void observe(const Session *session, const Program *program) {
    if (!sampling) {
        if (session->runs % 256 || now() - begun.seconds < SLICE_S) return;
        end_slice();
        sampling = true;
        sampled = 0;
    }
    take_sample(session, program);
    if (sampled < SAMPLE) return;
    run_bare();
    if (checked.seconds >= seconds) report();
    sampling = false;
    begun = sum_of_checked();
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
    for (unsigned i = 0; i < SAMPLE; i++)
        sample[i].program = program_new();
    result = fdopen(dup(1), "w");
    int null = open("/dev/null", O_RDWR);
    (void)null;
    worker_observer = observe;
    begun = sum_of_checked();
    char *arguments[] = {
        "bare",           "-seed=1",    "-max_len=4096",   "-len_control=0", "-detect_leaks=0",
        "-handle_segv=0", "-timeout=0", "-rss_limit_mb=0", "-verbosity=0",   NULL};
    worker_main(&workplace, 9, arguments);
}
