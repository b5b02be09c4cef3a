/* cbfuzz new-impl: a skeleton of an implementation. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "fuzz/artifact.h"
#include "harness/load.h"

static const char help[] =
    "usage: cbfuzz new-impl [--json] DIR\n\n"
    "Makes a folder with the skeleton of an implementation: the four routines, a Makefile\n"
    "and a README. DIR must not exist, or be empty.\n\n"
    "example:\n"
    "  cbfuzz new-impl mine && make -C mine fuzz\n";

/* The files of cli/skeleton/, as they are. */
#define SKELETON(name, file)                                                                       \
    __asm__(".section .rodata\n" #name ":\n.incbin \"cbfuzz/cli/skeleton/" file "\"\n.byte 0\n"    \
            ".previous\n");                                                                        \
    extern const char name[] __attribute__((visibility("hidden")))
SKELETON(skeleton_callback, "callback.c");
SKELETON(skeleton_makefile, "Makefile.in");
SKELETON(skeleton_readme, "README.md");

/* 0: it is there and empty now; else the exit code after a message. */
static int make_folder(const Options *options, const char *path) {
    if (mkdir(path, 0777) == 0) return 0;
    if (errno != EEXIST)
        return cli_reject(options, file_exit_code(errno), "new-impl", "%s: cannot be made: %s",
                          path, strerror(errno));
    DIR *folder = opendir(path);
    if (!folder)
        return cli_reject(options, EXIT_REQUEST, "new-impl", "%s: %s", path, strerror(errno));
    unsigned entries = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    if (!entries) return 0;
    return cli_reject(options, EXIT_REQUEST, "new-impl",
                      "%s: is not empty; an empty or a new folder is expected", path);
}

/* The Makefile with our folder in it. NULL: no memory. */
static char *makefile(const char *root) {
    static const char mark[] = "@ROOT@";
    const char *at = strstr(skeleton_makefile, mark);
    char *text = NULL;
    if (asprintf(&text, "%.*s%s%s", (int)(at - skeleton_makefile), skeleton_makefile, root,
                 at + sizeof mark - 1) < 0)
        return NULL;
    return text;
}

static int write_file(const Options *options, const char *folder, const char *name,
                      const char *text) {
    char path[4500], error[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_replace(path, text, strlen(text), error, sizeof error)) return 0;
    return cli_reject(options, file_exit_code(errno), "new-impl", "%s", error);
}

int cli_new_impl(int argc, char **argv) {
    Options options;
    char root[4200], shown[4200];
    int code = cli_options(&options, argc, argv, "", help);
    if (code >= 0) return code;
    if (options.file_count != 1 || !options.files[0][0])
        return cli_reject(&options, EXIT_REQUEST, "new-impl",
                          "one folder is expected; see cbfuzz new-impl --help");
    const char *folder = options.files[0];
    if (strlen(folder) > 4000)
        return cli_reject(&options, EXIT_REQUEST, "new-impl", "the folder's name is too long");
    if (!cli_root(root, sizeof root))
        return cli_reject(
            &options, EXIT_TOOL, "new-impl",
            "scripts/build-impl is not beside build/cbfuzz; run it where it was built");
    if ((code = make_folder(&options, folder))) return code;
    char *rules = makefile(root);
    if (!rules) return cli_reject(&options, EXIT_TOOL, "new-impl", "out of memory");
    code = write_file(&options, folder, "callback.c", skeleton_callback);
    if (!code) code = write_file(&options, folder, "Makefile", rules);
    if (!code) code = write_file(&options, folder, "README.md", skeleton_readme);
    free(rules);
    if (code) return code;
    FILE *out = cli_out(&options);
    fprintf(out, "cbfuzz new-impl: made %s; next: make -C ",
            load_printable(folder, shown, sizeof shown));
    report_word(out, folder);
    fputs(" fuzz\n", out);
    if (!options.json) return cli_end(0, "new-impl");
    json_t *document = report_json("new-impl");
    json_object_set_new(document, "folder", report_json_text(folder));
    return cli_json_end(document, 0);
}
