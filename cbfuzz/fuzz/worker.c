/* One fuzzing process: libFuzzer's loop around the harness. */
#define _GNU_SOURCE
#include "fuzz/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "generate/generate.h"
#include "harness/globals.h"
#include "harness/guard.h"
#include "program/bytes.h"

enum {
    LENGTH = 32,        /* statements of a generated program at top level, at most */
    FRESH_PERCENT = 35, /* programs that are new, not made from one of the corpus */
    CROSS_PERCENT = 30,
    TRIES = 32, /* programs for each that libFuzzer is given, unless one shows something new */
    LEAST_CORPUS = 256,
    RELOAD_RUNS = 32, /* for each program of the corpus: what reading it again may cost */
    SWELL_EVERY = 1024,
    COUNTERS = 2048 /* for abstract transitions; all are looked at after each run */
};

/* libFuzzer takes these for coverage, as it takes the implementation's edges. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *, size_t));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
                                 size_t second_size, uint8_t *out, size_t room, unsigned seed);
void __sanitizer_set_death_callback(void (*callback)(void));
extern _Thread_local uintptr_t __sancov_lowest_stack;

void (*worker_observer)(const Session *session, const Program *program);

static Workplace place;
static Session *session;
static FuzzShared *shared;
static Mailbox *mailbox;
static Generator *generator;
static Program *program, *first_source, *second_source;
static size_t made_size; /* of session->bytes if the mutator made and ran them, else SIZE_MAX */
static unsigned char *coverage, *made_coverage; /* the implementation's counters, and what
                                                   the made program left in them */
static size_t coverage_size;
static unsigned char *seen; /* per counter: bits of how often it was ever reached */
static bool started;
static uint64_t runs_before; /* the first copy */
static uint64_t lives;       /* copies that have ended */

/* The same for findings that are one: what they say, and where. */
static uint64_t key_of(const Judgement *judgement) {
    uint64_t hash = 14695981039346656037u;
    hash = (hash ^ judgement->verdict) * 1099511628211u;
    hash = (hash ^ judgement->clause) * 1099511628211u;
    for (unsigned i = 0; i < FRAMES_KEPT; i++)
        hash = (hash ^ judgement->frames.offsets[i]) * 1099511628211u;
    for (unsigned i = 0; i < sizeof judgement->kind && judgement->kind[i]; i++)
        hash = (hash ^ (unsigned char)judgement->kind[i]) * 1099511628211u;
    return hash;
}

bool worker_is_new(FuzzShared *shared, const Judgement *judgement) {
    unsigned count = shared->known_count;
    uint64_t key = key_of(judgement);
    for (unsigned i = 0; i < count && i < FUZZ_SIGNATURES; i++)
        if (shared->known[i] == key) return false;
    if (count >= FUZZ_SIGNATURES) return false;
    shared->known[count] = key;
    shared->known_count = count + 1;
    return true;
}

static void nap(void) {
    struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
}

/* Puts the program into bytes, if it is not yet. */
static void write_down(void) {
    if (mailbox->written) return;
    session->size = (uint32_t)bytes_encode(program, session->bytes, SESSION_BYTES);
    mailbox->written = true;
}

/* Hands the finding over, if it is a new one, and waits until it was taken. */
static void report(void) {
    if (place.keep_going && !worker_is_new(shared, &session->judgement)) return;
    write_down();
    mailbox->finding = session->finding;
    mailbox->size = session->size;
    memcpy(mailbox->bytes, session->bytes, session->size);
    mailbox->found = true;
    if (!place.keep_going) _exit(0);
    while (mailbox->found && shared->stop != FUZZ_STOP)
        nap();
}

static uint32_t hash_feature(uint32_t feature) {
    return feature * 2654435761u;
}

/* Gives libFuzzer the transitions of this program. */
static void count_features(const Executor *executor) {
    for (unsigned i = 0; i < executor->feature_count; i++) {
        uint8_t *counter = &counters[hash_feature(executor->features[i]) % COUNTERS];
        if (*counter < 255) ++*counter;
    }
}

/* Notes the transitions of this program; is there one that no program had before? */
static bool note_states(const Executor *executor) {
    bool novel = false;
    for (unsigned i = 0; i < executor->feature_count; i++) {
        uint32_t bit = hash_feature(executor->features[i]) >> 16;
        if (shared->states[bit / 8] >> (bit % 8) & 1) continue;
        shared->states[bit / 8] |= (uint8_t)(1u << (bit % 8));
        shared->state_count++;
        novel = true;
    }
    return novel;
}

/* What this program has shown holds for those that follow, unless it assumed something. */
static void learn(const Judgement *judgement) {
    const Readings *after = &judgement->after;
    if (memcmp(after, &session->readings, sizeof *after) == 0) return;
    if (verdict_is_finding(judgement->verdict) || program_note(program, LINE_READING) ||
        program_needs_windows(program) != session->windows)
        return;
    session->readings = *after;
    readings_settle(&session->readings);
}

/* libFuzzer begins with an empty input and, without a corpus, with a line break:
 * nobody's programs. */
static bool is_of_libfuzzer(const uint8_t *data, size_t size) {
    return !size || (size == 1 && *data == '\n');
}

/* A program is about to run: may it? */
static void begin(bool counts) {
    if (shared->stop == FUZZ_STOP || (place.runs && shared->programs >= place.runs)) _exit(0);
    if (session->runs % SWELL_EVERY == 0 && guard_swollen()) _exit(KEEPER_AGAIN);
    shared->programs += counts;
}

static void end(void) {
    const Judgement *judgement = &session->judgement;
    shared->statements += judgement->statements;
    shared->effective += judgement->effective;
    uint32_t kinds = session->executor.kinds;
    if (kinds & ~shared->kinds) shared->kinds |= kinds;
    learn(judgement);
    if (worker_observer) worker_observer(session, program);
    if (verdict_is_finding(judgement->verdict)) report();
}

/* Counters and programs are copied by the kilobyte for each program: past the
 * sanitizer, whose memcpy looks at all the shadow of both. */
static void copy(void *to, const void *from, size_t size) {
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void clear(void *what, size_t size) {
    __asm__ volatile("rep stosb" : "+D"(what), "+c"(size) : "a"(0) : "memory");
}

/* Is this what the mutator made last? */
static bool is_made(const uint8_t *data, size_t size) {
    const uint8_t *made = session->bytes;
    if (size != made_size) return false;
    for (size_t i = 0; i < size; i++)
        if (data[i] != made[i]) return false;
    return true;
}

static int run_one(const uint8_t *data, size_t size) {
    uintptr_t stack = __sancov_lowest_stack;
    if (!started) { /* now that libFuzzer has set its own */
        started = true;
        __sanitizer_set_death_callback(NULL);
    }
    if (is_made(data, size)) {
        /* It ran while it was made: what it covered is all that is asked for. */
        copy(coverage, made_coverage, coverage_size);
    } else {
        begin(!is_of_libfuzzer(data, size));
        if (size > SESSION_BYTES) size = SESSION_BYTES;
        copy(session->bytes, data, size);
        session->size = (uint32_t)size;
        mailbox->written = true;
        bytes_decode(program, data, size);
        session_run(session, program);
        end();
        note_states(&session->executor);
    }
    made_size = SIZE_MAX;
    count_features(&session->executor);
    /* The depth of the stack depends on where the stack begins: no two runs
     * would be the same with it. */
    __sancov_lowest_stack = stack;
    return 0;
}

/* How often a place was reached, as libFuzzer tells it apart: one bit of eight. */
static unsigned char bit_of_count[256];

static void prepare_bits(void) {
    static const unsigned char from[8] = {1, 2, 3, 4, 8, 16, 32, 128};
    for (unsigned step = 0; step < 8; step++)
        for (unsigned count = from[step]; count < 256; count++)
            bit_of_count[count] = (unsigned char)(1u << step);
}

/* Has this run reached anything for the first time, or a new number of times? */
static bool is_novel(void) {
    unsigned novel = 0;
    for (size_t i = 0; i < coverage_size; i++) {
        unsigned bit = bit_of_count[coverage[i]];
        novel |= bit & ~(unsigned)seen[i];
        seen[i] |= (unsigned char)bit;
    }
    return novel != 0;
}

/* Makes a program, which runs while it is made. 0: it has shown nothing new, and
 * is not the last try, so libFuzzer need not hear of it. */
static size_t make_one(uint8_t *out, size_t room, uint64_t seed, Program *first, Program *second,
                       bool last) {
    Recipe recipe = {.seed = seed,
                     .length = LENGTH,
                     .program = program,
                     .first = first,
                     .second = second,
                     .room = (uint32_t)(room < FUZZ_PROGRAM_BYTES ? room : FUZZ_PROGRAM_BYTES),
                     .journal = &mailbox->journal};
    begin(true);
    mailbox->written = false;
    clear(coverage, coverage_size);
    generator_prepare(generator, &session->executor, &recipe);
    session_drive(session, program, generator_drive, generator);
    end();
    bool fresh = is_novel();
    fresh |= note_states(&session->executor);
    mailbox->novel += fresh;
    if (!fresh && !last) return 0;
    copy(made_coverage, coverage, coverage_size);
    bool as_run = true;
    const Judgement *judgement = &session->judgement;
    if (!judgement->whole && !verdict_is_finding(judgement->verdict) && program->line_count &&
        line_info[program->lines[program->line_count - 1].kind].class == CLASS_CALL) {
        /* Misuse inside of a routine, or too many calls: what led there is worth
         * keeping, the last statement is not. */
        program_cut(program, program->line_count - 1);
        mailbox->written = as_run = false;
    }
    write_down();
    if (session->size > room)
        return 0; /* the generator keeps to it; libFuzzer's memory ends there */
    made_size = as_run ? session->size : SIZE_MAX;
    copy(out, session->bytes, session->size);
    return session->size;
}

/* A copy has ended: shall another one start from here? What was found since is in files,
 * and lost to it; so from time to time everything starts again, with these files. */
static int after(int status) {
    bool ended = WIFEXITED(status) && WEXITSTATUS(status) != SESSION_EXIT &&
                 WEXITSTATUS(status) != KEEPER_AGAIN;
    if (ended && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3)) return WEXITSTATUS(status);
    uint64_t runs = session->runs - runs_before;
    uint32_t corpus = place.corpus > LEAST_CORPUS ? place.corpus : LEAST_CORPUS;
    if (runs > (uint64_t)corpus * RELOAD_RUNS || mailbox->novel > corpus) return KEEPER_AGAIN;
    lives++;
    return -1;
}

/* The corpus has been read: from here on copies work. */
static void stay(void) {
    static bool stayed;
    if (stayed || !place.keeper.news) return;
    stayed = true;
    runs_before = session->runs;
    mailbox->novel = 0;
    keeper_stay(&place.keeper, after);
    session_watch(session, place.implementation); /* a copy is guarded anew */
}

/* Makes programs until one is worth libFuzzer's time: its own share of the work
 * on a program is larger than ours. */
static size_t make(uint8_t *out, size_t room, Random *random, Program *first, Program *second) {
    stay();
    random->state ^= lives * 0x9E3779B97F4A7C15u; /* or it would die as the last copy did */
    for (unsigned tries = TRIES; tries; tries--) {
        size_t size = make_one(out, room, random_next(random), first, second, tries == 1);
        if (size) return size;
    }
    return 0;
}

/* What another program is made from: no more than could be used. */
static void read_source(Program *source, const uint8_t *data, size_t size) {
    bytes_decode(source, data, size < FUZZ_PROGRAM_BYTES ? size : FUZZ_PROGRAM_BYTES);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed) {
    Random random = {.state = seed};
    if (size < 3 || random_chance(&random, FRESH_PERCENT))
        return make(data, room, &random, NULL, NULL);
    read_source(first_source, data, size);
    return make(data, room, &random, first_source, NULL);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
                                 size_t second_size, uint8_t *out, size_t room, unsigned seed) {
    Random random = {.state = seed};
    read_source(first_source, first, first_size);
    /* libFuzzer would cross half of the time. */
    if (!random_chance(&random, CROSS_PERCENT)) return make(out, room, &random, first_source, NULL);
    read_source(second_source, second, second_size);
    return make(out, room, &random, first_source, second_source);
}

/* Which programs of the corpus are rare, and which could be shorter: to ask that of
 * every feature costs more than it gains. */
static char **with_defaults(int *argc, char **argv) {
    static char entropic[] = "-entropic=0", reduce[] = "-reduce_inputs=0";
    char **all = calloc((size_t)*argc + 3, sizeof *all);
    if (!all) _exit(3);
    all[0] = argv[0];
    all[1] = entropic;
    all[2] = reduce;
    for (int i = 1; i < *argc; i++)
        all[i + 2] = argv[i]; /* the last one of a flag counts: a user's own */
    *argc += 2;
    return all;
}

_Noreturn void worker_main(const Workplace *workplace, int argc, char **argv) {
    place = *workplace;
    session = place.session;
    shared = place.shared;
    mailbox = place.mailbox;
    session_watch(session, place.implementation);
    generator = generator_new();
    program = program_new();
    first_source = program_new();
    second_source = program_new();
    made_size = SIZE_MAX;
    coverage = globals_counters(&coverage_size);
    prepare_bits();
    made_coverage = malloc(coverage_size + 1);
    seen = calloc(1, coverage_size + 1);
    if (!generator || !program || !first_source || !second_source || !made_coverage || !seen)
        _exit(3);
    argv = with_defaults(&argc, argv);
    LLVMFuzzerRunDriver(&argc, &argv, run_one);
    _exit(0);
}
