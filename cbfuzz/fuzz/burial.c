/* What was found: by a process that goes on, and by one that has died of it. */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fuzz/artifact.h"
#include "fuzz/minimize.h"
#include "fuzz/supervisor.h"
#include "harness/interrupt.h"
#include "program/bytes.h"

enum {
    KILLS = 3,         /* by SIGKILL in a row: then it may be the implementation's doing */
    KILL_RUNS = 100,   /* programs after which it is another row: the built-in one does nothing */
    BARREN_STARTS = 20 /* processes that end without having run a program */
};
static const double least_minimizing = 3.0; /* seconds, even when the run's are over */

/* How long a finding may be minimized. By the clock only where the run goes by it. */
static double minimizing_seconds(const Fuzz *fuzz) {
    double all = fuzz->options->seconds;
    double left = all > 0 ? fuzz->begun + all - clock_now() : INFINITY;
    return left > least_minimizing ? left : least_minimizing;
}

/* Minimizes what was found, writes it down and tells the listener. `doubtful`: only if it
 * shows again. */
static void take_finding(Fuzz *fuzz, const Finding *found, const uint8_t *bytes, size_t size,
                         bool doubtful) {
    FuzzResult *result = fuzz->result;
    FuzzFinding *more =
        realloc(result->findings, (result->finding_count + 1) * sizeof *result->findings);
    if (!more) {
        supervisor_fail(fuzz, 3, "out of memory");
        return;
    }
    result->findings = more;
    FuzzFinding *finding = &more[result->finding_count++];
    memset(finding, 0, sizeof *finding);
    finding->finding = *found;
    verdict_signature(&found->judgement, finding->signature);
    bytes_decode(fuzz->program, bytes, size);
    Readings before = found->judgement.before;
    finding->repeats = minimize(&fuzz->runner, fuzz->program, before, finding->signature,
                                minimizing_seconds(fuzz));
    if (doubtful && !finding->repeats && !fuzz->runner.broken) {
        result->finding_count--;
        return;
    }
    if (finding->repeats) {
        annotate(&fuzz->runner, fuzz->program, before, fuzz->usual, finding->signature);
        if (!interrupt_signal) finding->finding = fuzz->runner.session->finding;
    }
    if (fuzz->runner.broken) supervisor_fail(fuzz, fuzz->runner.code, fuzz->runner.error);
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
    if (!fuzz->options->keep_going) supervisor_end(fuzz);
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

void burial_take_mail(Fuzz *fuzz, Worker *worker) {
    Mailbox *mailbox = worker->mailbox;
    if (!mailbox->found) return;
    if (!fuzz->options->keep_going) supervisor_end(fuzz); /* the others need not go on */
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
        supervisor_fail(fuzz, 3, text);
        return;
    }
    const Judgement *judgement = &session->judgement;
    fuzz->shared->statements += judgement->statements;
    fuzz->shared->effective += judgement->effective;
    fuzz->shared->kinds |= session->executor.kinds;
    if (!verdict_is_finding(judgement->verdict)) {
        session->readings = judgement->after; /* a reading that forbids the call */
        readings_settle(&session->readings);
    } else if (!is_known(fuzz, judgement)) {
        Finding finding = session->finding;
        take_finding(fuzz, &finding, session->bytes, size, hung && fuzz->hangs);
    }
    fuzz->hangs += hung;
}

void burial_bury(Fuzz *fuzz, Worker *worker, int status, bool hung) {
    Session *session = worker->session;
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !hung;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    bool flags = fuzz->options->flags && fuzz->options->flags[0];
    if (!killed || (session->builtin && session->runs - worker->killed_runs > KILL_RUNS))
        worker->kills = 0;
    if (killed) worker->killed_runs = session->runs;
    if (worker->mailbox->found) {
        burial_take_mail(fuzz, worker);
    } else if (code == KEEPER_AGAIN) {
        return; /* it makes room for another one */
    } else if (code == WORKER_NOT_LOADED) {
        char error[sizeof worker->mailbox->error];
        snprintf(error, sizeof error, "%s", worker->mailbox->error);
        supervisor_fail(fuzz, 2, error[0] ? error : "the implementation cannot be loaded any more");
    } else if (killed && session_intact(session) && session_harmless(session) &&
               ++worker->kills < KILLS) {
        return;
    } else if (killed && session->builtin) {
        supervisor_fail(fuzz, 3,
                        "what fuzzes is killed again and again, perhaps for want of memory");
    } else if (session->busy || !session_intact(session)) {
        examine_death(fuzz, worker, status, hung);
    } else if (session->runs == worker->seen_runs && ++worker->barren > BARREN_STARTS) {
        supervisor_fail(fuzz, flags ? 2 : 3,
                        flags
                            ? "libFuzzer ends before it runs a program; look at the flags after --"
                            : "a fuzzing process ends before it runs a program");
    } else if (code == 0 && flags && session->runs != worker->seen_runs) {
        supervisor_end(fuzz); /* libFuzzer has ended by itself: one of them says so */
    }
}
