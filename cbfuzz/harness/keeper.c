/* A process that keeps the state it has, while copies of it do the work and die of it. */
#define _GNU_SOURCE
#include "harness/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static ino_t id_of(int end) {
    struct stat status;
    return fstat(end, &status) == 0 && S_ISFIFO(status.st_mode) ? status.st_ino : 0;
}

bool keeper_pipes(Keeper *watcher, Keeper *keeper) {
    int news[2], go[2];
    if (pipe2(news, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    if (pipe2(go, O_CLOEXEC) != 0) {
        close(news[0]), close(news[1]);
        return false;
    }
    *watcher = (Keeper){.news = news[0], .go = go[1]};
    *keeper =
        (Keeper){.news = news[1], .go = go[0], .news_id = id_of(news[1]), .go_id = id_of(go[0])};
    return true;
}

void keeper_close(Keeper *keeper) {
    if (keeper->news > 0) close(keeper->news);
    if (keeper->go > 0) close(keeper->go);
    *keeper = (Keeper){0};
}

void keeper_settle(void) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* the watcher decides when to stop */
    signal(SIGTERM, SIG_IGN);
}

/* What ran here may have closed the pipes, and opened something else in their place. */
static void check(const Keeper *keeper) {
    if (id_of(keeper->news) != keeper->news_id || id_of(keeper->go) != keeper->go_id) _exit(0);
}

static void tell(const Keeper *keeper, KeeperNews news) {
    check(keeper);
    if (write(keeper->news, &news, sizeof news) != sizeof news) _exit(0); /* nobody watches */
}

void keeper_stay(const Keeper *keeper, int (*after)(int status)) {
    for (;;) {
        pid_t process = fork();
        if (process == 0) {
            keeper_settle();
            close(keeper->news), close(keeper->go);
            return;
        }
        if (process < 0) _exit(3);
        int status = 0;
        tell(keeper, (KeeperNews){.process = process});
        while (waitpid(process, &status, WUNTRACED) < 0 && errno == EINTR) {
        }
        kill(-process, SIGKILL); /* with what it has started itself */
        if (WIFSTOPPED(status)) waitpid(process, NULL, 0);
        tell(keeper, (KeeperNews){.process = process, .ended = true, .status = status});
        int code = after(status);
        char go;
        if (code >= 0) _exit(code);
        if (read(keeper->go, &go, 1) != 1) _exit(0);
    }
}

bool keeper_news(const Keeper *keeper, KeeperNews *news, bool *gone) {
    ssize_t got = read(keeper->news, news, sizeof *news);
    *gone = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    return got == sizeof *news;
}

void keeper_end(pid_t process) {
    if (!process) return;
    kill(process, SIGKILL);
    kill(-process, SIGKILL);
}

void keeper_go(const Keeper *keeper) {
    char go = 'g';
    ssize_t ignored = write(keeper->go, &go, 1); /* if it is gone, its end says so */
    (void)ignored;
}
