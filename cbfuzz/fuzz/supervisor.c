/* Watches the processes of a fuzz run: limits, findings, restarts, the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/artifact.h"
#include "fuzz/fuzz.h"
#include "fuzz/minimize.h"
#include "fuzz/workdir.h"
#include "fuzz/worker.h"
#include "harness/guard.h"
#include "harness/interrupt.h"
#include "program/bytes.h"

enum {
    LOOK_MS = 5,         /* between two looks at the processes */
    STATUS_MS = 250,     /* between two calls of the listener */
    EXPORT_SECONDS = 30, /* new programs reach the corpus folder at least so often */
    KILLS = 3,           /* by SIGKILL in a row: then it may be the implementation's doing */
    LOST_SEEDS = 3,      /* deadly ones that cannot be told: then it goes on without seeds */
    BARREN_STARTS = 20   /* processes that end without having run a program */
};
static const double program_limit = 1.0;  /* seconds of processor time for one program */
static const double waiting_limit = 10.0; /* and by the clock, for one that waits */
static const double repeated_limit = 0.1; /* once one has hung: many may, and each is asked again */

typedef struct {
    Mailbox *mailbox;
    Session *session;
    pid_t process; /* 0: none */
    pid_t copy;    /* that works in its place; 0: none, or none yet */
    bool has_copies, hung;
    unsigned kills;
    Keeper pipes;
    uint64_t seen_runs, seen_progress;
    double seen_seconds, seen_at; /* processor time and clock then */
    double begun_seconds;         /* processor time when the program was first seen */
    unsigned barren;
} Worker;

typedef struct {
    const FuzzOptions *options;
    const FuzzListener *listener;
    FuzzResult *result;
    FuzzShared *shared;
    Worker workers[FUZZ_JOBS];
    Workdir workdir;
    Runner runner;
    Readings usual; /* from which a finding's file will be run later */
    Program *program;
    uint64_t starts;
    bool over;                        /* no more programs are to be run */
    uint64_t deaths[FUZZ_SIGNATURES]; /* of processes, see session_death; and how many */
    unsigned death_count;
    unsigned hangs, lost_seeds;
    double begun;
    char *error;
    size_t error_size;
    int code;
} Fuzz;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int fail(Fuzz *fuzz, int code, const char *text) {
    snprintf(fuzz->error, fuzz->error_size, "%s", text);
    return fuzz->code = code;
}

bool fuzz_clause_counts(ClauseId clause, bool windows) {
    const Clause *row = clause_get(clause);
    return clause != CLAUSE_NONE && (row->judged == JUDGED_STEP || row->judged == JUDGED_END) &&
           (windows || row->profile == PROFILE_DOCUMENTED);
}

unsigned fuzz_clauses(bool windows, const uint64_t exercised[2]) {
    unsigned count = 0;
    for (unsigned i = 1; i < CLAUSES; i++)
        count += fuzz_clause_counts((ClauseId)i, windows) &&
                 (!exercised || (exercised[i >> 6] >> (i & 63) & 1));
    return count;
}

/* Brings the result up to date. */
static void count(Fuzz *fuzz) {
    FuzzResult *result = fuzz->result;
    result->programs = fuzz->shared->programs;
    result->statements = fuzz->shared->statements;
    result->effective = fuzz->shared->effective;
    result->kinds = fuzz->shared->kinds;
    result->states = fuzz->shared->state_count;
    result->seconds = now() - fuzz->begun;
    result->clauses[0] = result->clauses[1] = 0;
    for (unsigned i = 0; i < fuzz->options->jobs; i++)
        for (unsigned word = 0; word < 2; word++)
            result->clauses[word] |= fuzz->workers[i].session->executor.machine.exercised[word];
    result->exercised = fuzz_clauses(fuzz->options->windows, result->clauses);
    result->exercisable = fuzz_clauses(fuzz->options->windows, NULL);
    result->readings = fuzz->workers[0].session->readings;
}

/* Ready for a process that begins to work. */
static void reset_worker(Fuzz *fuzz, Worker *worker) {
    Session *session = worker->session;
    bool windows = fuzz->options->windows, builtin = fuzz->options->implementation->builtin;
    if (!session_intact(session)) {
        session_reset(session, windows, builtin);
        session->readings = fuzz->usual;
    }
    session->windows = windows;
    session->builtin = builtin;
    session->busy = worker->hung = false;
    session->crash_kind[0] = session->crash_detail[0] = 0;
    worker->mailbox->found = false;
    worker->copy = 0;
    worker->seen_runs = session->runs;
    worker->seen_seconds = worker->begun_seconds = 0;
    worker->seen_at = now();
}

/* In the new process. */
_Noreturn static void work(const Fuzz *fuzz, Workplace *workplace, int argc, char **argv) {
    keeper_settle();
    guard_memory();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0), dup2(null, 1);
    if (!getenv("CBFUZZ_DEBUG")) dup2(null, 2);
    workplace->implementation = fuzz->options->implementation;
    if (!implementation_load(workplace->implementation, workplace->mailbox->error,
                             sizeof workplace->mailbox->error))
        _exit(WORKER_NOT_LOADED);
    worker_main(workplace, argc, argv);
}

static void launch(Fuzz *fuzz, Worker *worker, uint32_t corpus, int argc, char **argv) {
    Workplace workplace = {.session = worker->session,
                           .shared = fuzz->shared,
                           .mailbox = worker->mailbox,
                           .keep_going = fuzz->options->keep_going,
                           .runs = fuzz->options->runs,
                           .corpus = corpus};
    reset_worker(fuzz, worker);
    worker->has_copies = false;
    keeper_close(&worker->pipes);
    if (!keeper_pipes(&worker->pipes, &workplace.keeper)) {
        fail(fuzz, 3, strerror(errno));
        return;
    }
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        keeper_close(&worker->pipes);
        work(fuzz, &workplace, argc, argv);
    }
    keeper_close(&workplace.keeper);
    if (process < 0) fail(fuzz, 3, strerror(errno));
    else worker->process = process;
}

static void start_worker(Fuzz *fuzz, Worker *worker) {
    char out[320], list[320], seed[64], inputs[360], prefix[320], reload[32];
    long programs = workdir_list(&fuzz->workdir, list, sizeof list);
    if (programs < 0 || !workdir_out(&fuzz->workdir, out, sizeof out)) {
        fail(fuzz, 3, fuzz->workdir.error);
        return;
    }
    uint32_t number = (uint32_t)(fuzz->options->seed * 2654435761u + fuzz->starts++ * 40503u);
    snprintf(seed, sizeof seed, "-seed=%u", number ? number : 1);
    snprintf(inputs, sizeof inputs, "-seed_inputs=@%s", list);
    snprintf(prefix, sizeof prefix, "-artifact_prefix=%s/libfuzzer-", fuzz->workdir.path);
    snprintf(reload, sizeof reload, "-reload=%d", fuzz->options->jobs > 1);
    const char *fixed[] = {"cbfuzz",
                           seed,
                           prefix,
                           reload,
                           "-max_len=4096",
                           "-len_control=0",
                           "-detect_leaks=0",
                           "-handle_segv=0",
                           "-handle_bus=0",
                           "-handle_abrt=0",
                           "-handle_ill=0",
                           "-handle_fpe=0",
                           "-handle_int=0",
                           "-handle_term=0",
                           "-handle_xfsz=0",
                           "-handle_usr1=0",
                           "-handle_usr2=0",
                           "-timeout=0",
                           "-rss_limit_mb=0",
                           "-verbosity=0"};
    char *arguments[256];
    int used = 0;
    for (unsigned i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        arguments[used++] = (char *)fixed[i];
    if (programs && fuzz->lost_seeds < LOST_SEEDS) arguments[used++] = inputs;
    for (char **flag = fuzz->options->flags; flag && *flag && used < 250; flag++)
        arguments[used++] = *flag;
    arguments[used++] = out;
    arguments[used] = NULL;
    launch(fuzz, worker, (uint32_t)programs, used, arguments);
}

static void end(Fuzz *fuzz) {
    fuzz->over = true;
    fuzz->shared->stop = FUZZ_STOP;
}

/* Has a copy ended? Then the process waits for a word. */
static bool hear(Worker *worker, int *status) {
    KeeperNews news;
    bool gone;
    while (worker->process && keeper_news(&worker->pipes, &news, &gone)) {
        worker->has_copies = true;
        worker->copy = news.ended ? 0 : news.process;
        if (news.ended) *status = news.status;
        if (news.ended) return true;
    }
    return false;
}

static void kill_worker(Worker *worker) {
    keeper_end(worker->copy);
    keeper_end(worker->process);
    if (worker->process) waitpid(worker->process, NULL, 0);
    worker->process = worker->copy = 0;
}

static void stop_workers(Fuzz *fuzz) {
    end(fuzz);
    double until = now() + 1.0;
    struct timespec pause = {0, LOOK_MS * 1000000};
    for (unsigned i = 0; i < fuzz->options->jobs; i++) {
        Worker *worker = &fuzz->workers[i];
        int status;
        while (worker->process && waitpid(worker->process, &status, WNOHANG) == 0) {
            bool died = hear(worker, &status) && !(WIFEXITED(status) && !WEXITSTATUS(status));
            if (died || now() > until) kill_worker(worker);
            else nanosleep(&pause, NULL);
        }
        worker->process = 0;
        keeper_close(&worker->pipes);
    }
}

/* Minimizes what was found, writes it down and tells the listener. `doubtful`: only if it
 * shows again. */
static void take_finding(Fuzz *fuzz, const Finding *found, const uint8_t *bytes, size_t size,
                         bool doubtful) {
    FuzzResult *result = fuzz->result;
    FuzzFinding *more =
        realloc(result->findings, (result->finding_count + 1) * sizeof *result->findings);
    if (!more) {
        fail(fuzz, 3, "out of memory");
        return;
    }
    result->findings = more;
    FuzzFinding *finding = &more[result->finding_count++];
    memset(finding, 0, sizeof *finding);
    finding->finding = *found;
    verdict_signature(&found->judgement, finding->signature);
    bytes_decode(fuzz->program, bytes, size);
    Readings before = found->judgement.before;
    finding->repeats = minimize(&fuzz->runner, fuzz->program, before, finding->signature);
    if (doubtful && !finding->repeats && !fuzz->runner.broken) {
        result->finding_count--;
        return;
    }
    if (finding->repeats) {
        annotate(&fuzz->runner, fuzz->program, before, fuzz->usual, finding->signature);
        if (!interrupt_signal) finding->finding = fuzz->runner.session->finding;
    }
    if (fuzz->runner.broken) fail(fuzz, fuzz->runner.code, fuzz->runner.error);
    for (uint32_t i = 0; i < fuzz->program->line_count; i++)
        finding->statements += line_info[fuzz->program->lines[i].kind].class == CLASS_CALL;
    char subject[80];
    verdict_subject(&finding->finding.judgement, subject);
    if (!artifact_write(fuzz->options->artifacts, subject, fuzz->program, finding->file,
                        sizeof finding->file, fuzz->error, fuzz->error_size)) {
        finding->file[0] = 0;
        fuzz->code = 3;
    }
    fuzz->listener->finding(fuzz->listener->context, finding);
    if (!fuzz->options->keep_going) end(fuzz);
}

/* Was it told already? Two processes may find the same at the same time; and
 * without keep_going the first finding is the last. */
static bool is_known(const Fuzz *fuzz, const Judgement *judgement) {
    char signature[SIGNATURE_TEXT];
    verdict_signature(judgement, signature);
    for (uint32_t i = 0; i < fuzz->result->finding_count; i++)
        if (strcmp(fuzz->result->findings[i].signature, signature) == 0) return true;
    return fuzz->result->finding_count && !fuzz->options->keep_going;
}

static void take_mail(Fuzz *fuzz, Worker *worker) {
    Mailbox *mailbox = worker->mailbox;
    if (!mailbox->found) return;
    if (!fuzz->options->keep_going) end(fuzz); /* the others need not go on */
    Finding finding = mailbox->finding;
    uint32_t size = mailbox->size < SESSION_BYTES ? mailbox->size : SESSION_BYTES;
    bytes_decode(fuzz->program, mailbox->bytes, size);
    bool good = session_check_finding(&finding, fuzz->program);
    if (good && !is_known(fuzz, &finding.judgement))
        take_finding(fuzz, &finding, mailbox->bytes, size, false);
    mailbox->found = false;
}

/* Has a process died of the same at the same place before? */
static bool is_known_death(Fuzz *fuzz, uint64_t death) {
    if (!death || !fuzz->options->keep_going) return false;
    for (unsigned i = 0; i < fuzz->death_count; i++)
        if (fuzz->deaths[i] == death) return true;
    if (fuzz->death_count < FUZZ_SIGNATURES) fuzz->deaths[fuzz->death_count++] = death;
    return false;
}

/* The program that was being run: into fuzz->program, and its bytes into the session. */
static uint32_t read_program(Fuzz *fuzz, Worker *worker) {
    Session *session = worker->session;
    uint32_t size = session->size < SESSION_BYTES ? session->size : SESSION_BYTES;
    if (!worker->mailbox->written) {
        journal_read(&worker->mailbox->journal, fuzz->program);
        size_t all = bytes_encode(fuzz->program, session->bytes, SESSION_BYTES);
        size = all < SESSION_BYTES ? (uint32_t)all : SESSION_BYTES;
    }
    bytes_decode(fuzz->program, session->bytes, size);
    return size;
}

/* A program was being run by a process that has ended. */
static void examine_death(Fuzz *fuzz, Worker *worker, int status, bool hung) {
    Session *session = worker->session;
    fuzz->result->deaths++;
    bool known = is_known_death(fuzz, session_death(session, hung));
    if (known && worker->has_copies) return;
    uint32_t size = read_program(fuzz, worker);
    /* It would be read again, and again: which one it was may have been written over. */
    if (!worker->has_copies && !workdir_ban(&fuzz->workdir, session->bytes, size))
        fuzz->lost_seeds++;
    if (known) return;
    if (!session_post_mortem(session, fuzz->program, status, hung)) {
        char text[512];
        snprintf(text, sizeof text, "cbfuzz itself failed in program %llu (%s); please report it",
                 (unsigned long long)session->runs, session->judgement.kind);
        fail(fuzz, 3, text);
        return;
    }
    const Judgement *judgement = &session->judgement;
    fuzz->shared->statements += judgement->statements;
    fuzz->shared->effective += judgement->effective;
    if (!verdict_is_finding(judgement->verdict)) {
        session->readings = judgement->after; /* a reading that forbids the call */
        readings_settle(&session->readings);
    } else if (!is_known(fuzz, judgement)) {
        Finding finding = session->finding;
        take_finding(fuzz, &finding, session->bytes, size, hung && fuzz->hangs);
    }
    fuzz->hangs += hung;
}

/* A process, or its copy, has ended by itself or was stopped: what does that say? */
static void bury(Fuzz *fuzz, Worker *worker, int status, bool hung) {
    Session *session = worker->session;
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !hung;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    bool flags = fuzz->options->flags && fuzz->options->flags[0];
    if (!killed) worker->kills = 0;
    if (worker->mailbox->found) {
        take_mail(fuzz, worker);
    } else if (code == KEEPER_AGAIN) {
        return; /* it makes room for another one */
    } else if (code == WORKER_NOT_LOADED) {
        char error[sizeof worker->mailbox->error];
        snprintf(error, sizeof error, "%s", worker->mailbox->error);
        fail(fuzz, 2, error[0] ? error : "the implementation cannot be loaded any more");
    } else if (killed && session->guarded && session_intact(session) && ++worker->kills < KILLS) {
        return; /* not its own doing: somebody else's, perhaps for want of memory */
    } else if (session->busy || !session_intact(session)) {
        examine_death(fuzz, worker, status, hung);
    } else if (session->runs == worker->seen_runs && ++worker->barren > BARREN_STARTS) {
        fail(fuzz, flags ? 2 : 3,
             flags ? "libFuzzer ends before it runs a program; look at the flags after --"
                   : "a fuzzing process ends before it runs a program");
    } else if (code == 0 && flags && session->runs != worker->seen_runs) {
        end(fuzz); /* libFuzzer has ended by itself: one of them says so */
    }
}

static bool is_over(const Fuzz *fuzz) {
    return fuzz->over || fuzz->code ||
           (fuzz->options->runs && fuzz->shared->programs >= fuzz->options->runs);
}

/* Is it at one program for too long? */
static bool is_stuck(Fuzz *fuzz, Worker *worker, pid_t process) {
    Session *session = worker->session;
    double seconds = process_seconds(process);
    double limit = fuzz->hangs ? repeated_limit : program_limit;
    bool another = session->runs != worker->seen_runs || !session->busy;
    if (another || session_progress(session) != worker->seen_progress) {
        if (another) worker->begun_seconds = seconds;
        worker->seen_runs = session->runs;
        worker->seen_progress = session_progress(session);
        worker->seen_seconds = seconds;
        worker->seen_at = now();
        worker->barren = 0;
        return seconds - worker->begun_seconds > limit * SLOW_FACTOR;
    }
    return seconds - worker->seen_seconds > limit || now() - worker->seen_at > waiting_limit;
}

static void look_after(Fuzz *fuzz, Worker *worker) {
    int status;
    if (!worker->process) {
        if (!is_over(fuzz)) start_worker(fuzz, worker);
        return;
    }
    take_mail(fuzz, worker);
    if (hear(worker, &status)) { /* it waits, or ends */
        bury(fuzz, worker, status, worker->hung);
        reset_worker(fuzz, worker);
        keeper_go(&worker->pipes);
        return;
    }
    if (waitpid(worker->process, &status, WNOHANG) == worker->process) {
        kill(-worker->process, SIGKILL); /* what it may have started itself */
        worker->process = 0;
        bury(fuzz, worker, status, false);
        return;
    }
    pid_t process = worker->has_copies ? worker->copy : worker->process;
    if (!process || worker->hung || !is_stuck(fuzz, worker, process)) return;
    session_sample(worker->session, process);
    worker->hung = worker->has_copies; /* its end will be heard of */
    keeper_end(process);
    if (worker->has_copies) return;
    waitpid(process, &status, 0);
    worker->process = 0;
    bury(fuzz, worker, status, true);
}

static bool all_done(const Fuzz *fuzz) {
    for (unsigned i = 0; i < fuzz->options->jobs; i++)
        if (fuzz->workers[i].process || fuzz->workers[i].mailbox->found) return false;
    return is_over(fuzz);
}

/* Until there is news, or for a moment. */
static void pause_until_news(const Fuzz *fuzz) {
    struct pollfd wait[FUZZ_JOBS];
    for (unsigned i = 0; i < fuzz->options->jobs; i++)
        wait[i] = (struct pollfd){.fd = fuzz->workers[i].process ? fuzz->workers[i].pipes.news : -1,
                                  .events = POLLIN};
    poll(wait, fuzz->options->jobs, LOOK_MS);
}

static void watch(Fuzz *fuzz) {
    double told = 0, exported = fuzz->begun;
    while (!all_done(fuzz)) {
        for (unsigned i = 0; i < fuzz->options->jobs; i++)
            look_after(fuzz, &fuzz->workers[i]);
        double time = now();
        bool over = fuzz->options->seconds > 0 && time - fuzz->begun >= fuzz->options->seconds;
        if (over || interrupt_signal || fuzz->code) break;
        if (time - told >= STATUS_MS / 1000.0) {
            told = time;
            count(fuzz);
            fuzz->result->corpus = workdir_count(&fuzz->workdir);
            fuzz->listener->status(fuzz->listener->context, fuzz->result);
        }
        if (time - exported >= EXPORT_SECONDS && fuzz->options->corpus[0]) {
            exported = time;
            workdir_export(&fuzz->workdir, fuzz->options->corpus[0]);
        }
        pause_until_news(fuzz);
    }
    stop_workers(fuzz);
    for (unsigned i = 0; i < fuzz->options->jobs; i++)
        take_mail(fuzz, &fuzz->workers[i]);
}

static void *share(size_t size) {
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int prepare(Fuzz *fuzz) {
    const FuzzOptions *options = fuzz->options;
    fuzz->program = program_new();
    fuzz->shared = share(sizeof *fuzz->shared);
    if (!fuzz->program || !fuzz->shared) return fail(fuzz, 3, "out of memory");
    if (!artifact_folder(options->artifacts, fuzz->error, fuzz->error_size))
        return fuzz->code = file_exit_code(errno);
    if (!runner_open(&fuzz->runner, options->implementation, options->windows))
        return fail(fuzz, 3, fuzz->runner.error);
    runner_calibrate(&fuzz->runner);
    if (fuzz->runner.broken) return fail(fuzz, fuzz->runner.code, fuzz->runner.error);
    fuzz->usual = fuzz->runner.session->readings;
    for (unsigned i = 0; i < options->jobs; i++) {
        Worker *worker = &fuzz->workers[i];
        worker->mailbox = share(sizeof *worker->mailbox);
        worker->session = session_new(options->windows);
        if (!worker->mailbox || !worker->session) return fail(fuzz, 3, "out of memory");
        worker->session->readings = fuzz->usual;
    }
    if (!workdir_open(&fuzz->workdir)) return fail(fuzz, 3, fuzz->workdir.error);
    if (!workdir_seed(&fuzz->workdir, options->corpus, options->windows))
        return fail(fuzz, fuzz->workdir.request_wrong ? 2 : 3, fuzz->workdir.error);
    return 0;
}

static void clean_up(Fuzz *fuzz) {
    for (unsigned i = 0; i < fuzz->options->jobs; i++) {
        Worker *worker = &fuzz->workers[i];
        session_free(worker->session);
        if (worker->mailbox) munmap(worker->mailbox, sizeof *worker->mailbox);
    }
    workdir_close(&fuzz->workdir);
    if (fuzz->runner.session) runner_close(&fuzz->runner);
    program_free(fuzz->program);
    if (fuzz->shared) munmap(fuzz->shared, sizeof *fuzz->shared);
}

int fuzz_run(const FuzzOptions *options, const FuzzListener *listener, FuzzResult *result,
             char *error, size_t error_size) {
    Fuzz *fuzz = calloc(1, sizeof *fuzz);
    memset(result, 0, sizeof *result);
    error[0] = 0;
    if (!fuzz) {
        snprintf(error, error_size, "out of memory");
        return 3;
    }
    fuzz->options = options;
    fuzz->listener = listener;
    fuzz->result = result;
    fuzz->error = error;
    fuzz->error_size = error_size;
    fuzz->begun = now();
    if (prepare(fuzz) == 0) {
        fuzz->begun = now();
        watch(fuzz);
        count(fuzz);
        result->corpus = workdir_count(&fuzz->workdir);
        if (options->corpus[0] && !workdir_export(&fuzz->workdir, options->corpus[0]))
            fail(fuzz, 3, fuzz->workdir.error);
    }
    int code = fuzz->code;
    clean_up(fuzz);
    free(fuzz);
    return code;
}

void fuzz_result_free(FuzzResult *result) {
    free(result->findings);
    result->findings = NULL;
}
