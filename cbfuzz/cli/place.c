/* Where other programs are that a subcommand needs, and our own folder. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

bool cli_find_program(const char *name, char *path, size_t size) {
    const char *folders = getenv("PATH");
    if (strchr(name, '/')) {
        snprintf(path, size, "%s", name);
        return access(path, X_OK) == 0;
    }
    for (const char *at = folders ? folders : "/usr/bin:/bin"; at; at = strchr(at, ':')) {
        at += *at == ':';
        snprintf(path, size, "%.*s/%s", (int)strcspn(at, ":"), at, name);
        if (access(path, X_OK) == 0) return true;
    }
    return false;
}

bool cli_find_clang(const char *base, char *path, size_t size) {
    static const char *const versions[] = {"", "-14", "-15", "-16", "-17", "-18", "-19"};
    const char *users = getenv(strcmp(base, "clang") == 0 ? "CC" : "CXX");
    if (users && strstr(users, "clang") && cli_find_program(users, path, size)) return true;
    for (unsigned i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s", base, versions[i]);
        if (cli_find_program(name, path, size)) return true;
    }
    return false;
}

bool cli_root(char *path, size_t size) {
    char file[4200];
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    path[length > 0 ? length : 0] = 0;
    for (unsigned i = 0; i < 2; i++) { /* ROOT/build/cbfuzz */
        char *slash = strrchr(path, '/');
        if (slash) *slash = 0;
    }
    snprintf(file, sizeof file, "%.4000s/scripts/build-impl", path);
    return path[0] && access(file, X_OK) == 0;
}
