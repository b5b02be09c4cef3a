/* Which functions of an implementation were running when it failed. */
#define _GNU_SOURCE
#include "harness/frames.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unwind.h>

enum {
    LARGEST_FRAME = 1 << 20,
    DEEPEST = 256, /* frames that are walked: environment and sanitizer have some, too */
    LOGICAL = 24   /* functions of one name, inlined ones included */
};

static uintptr_t code_base, code_from, code_to;
static char code_path[64];
static const char *file_path, *file_shown;

static int note_code(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size, (void)context;
    if (!code_path[0] || strcmp(info->dlpi_name, code_path) != 0) return 0;
    code_base = info->dlpi_addr;
    code_from = UINTPTR_MAX;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
        uintptr_t from = code_base + segment->p_vaddr, to = from + segment->p_memsz;
        if (from < code_from) code_from = from;
        if (to > code_to) code_to = to;
    }
    return 1;
}

void frames_of(const char *path) {
    snprintf(code_path, sizeof code_path, "%s", path);
    code_to = 0;
}

uint32_t frames_offset(const void *address) {
    uintptr_t at = (uintptr_t)address;
    if (!code_to) dl_iterate_phdr(note_code, NULL); /* its constructors run before it is loaded */
    return at >= code_from && at < code_to ? (uint32_t)(at - code_base) : 0;
}

typedef struct {
    const void *boundary;
    unsigned depth;
    uintptr_t pcs[FRAMES_KEPT]; /* the implementation's */
    unsigned count;
    bool who_calls, in_signal;
    bool ours;          /* our own code stands between the host's and the implementation's */
    const char *called; /* by the innermost of the implementation's frames */
} Walk;

/* A function that is not the implementation's. */
static void take_foreign(Walk *walk, uintptr_t pc) {
    extern char __executable_start[], etext[];
    static const char wrapper[] = "__interceptor_";
    Dl_info info;
    const char *name = dladdr((void *)pc, &info) ? info.dli_sname : NULL;
    bool wraps = name && strncmp(name, wrapper, sizeof wrapper - 1) == 0;
    if (wraps) name += sizeof wrapper - 1;
    /* The sanitizer has its own variants of some of the host's functions. */
    walk->ours |= pc >= (uintptr_t)__executable_start && pc < (uintptr_t)etext &&
                  !(name && dlsym(RTLD_NEXT, name));
    /* Whatever leads to abort is one. */
    if (!walk->called || strcmp(walk->called, "abort") != 0) walk->called = name;
}

static _Unwind_Reason_Code take_one(struct _Unwind_Context *context, void *argument) {
    Walk *walk = argument;
    int before = 0; /* a signal came here: what lies below is its handler, and of no interest */
    uintptr_t pc = (uintptr_t)_Unwind_GetIPInfo(context, &before);
    if (!pc || walk->depth++ == DEEPEST) return _URC_END_OF_STACK;
    if (walk->boundary && _Unwind_GetRegionStart(context) == (uintptr_t)walk->boundary)
        return _URC_END_OF_STACK;
    pc -= !before;
    if (before && !walk->in_signal) {
        walk->in_signal = true;
        walk->called = NULL;
        walk->ours = false;
    }
    if (frames_offset((void *)pc)) {
        if (walk->count == FRAMES_KEPT) return _URC_END_OF_STACK;
        walk->pcs[walk->count++] = pc;
    } else if (!walk->count && walk->who_calls) {
        take_foreign(walk, pc);
    }
    return _URC_NO_REASON;
}

static void walk_up(Walk *walk, Frames *frames) {
    memset(frames, 0, sizeof *frames);
    _Unwind_Backtrace(take_one, walk);
    for (unsigned i = 0; i < walk->count; i++)
        frames->offsets[i] = frames_offset((void *)walk->pcs[i]);
}

bool frames_take(Frames *frames, const void *boundary, char *called, size_t size) {
    Walk walk = {.boundary = boundary, .who_calls = true};
    walk_up(&walk, frames);
    snprintf(called, size, "%s", walk.count && walk.called ? walk.called : "");
    return !walk.ours;
}

static _Unwind_Reason_Code take_last(struct _Unwind_Context *context, void *argument) {
    Walk *walk = argument;
    uintptr_t start = _Unwind_GetRegionStart(context);
    if (walk->depth++ == DEEPEST || (walk->boundary && start == (uintptr_t)walk->boundary))
        return _URC_END_OF_STACK;
    if (frames_offset((void *)start)) walk->pcs[0] = start;
    return _URC_NO_REASON;
}

void frames_take_entry(Frames *frames, const void *boundary) {
    Walk walk = {.boundary = boundary};
    memset(frames, 0, sizeof *frames);
    _Unwind_Backtrace(take_last, &walk);
    frames->offsets[0] = frames_offset((void *)walk.pcs[0]);
}

static bool read_word(const void *from, uintptr_t *word, size_t size) {
    struct iovec local = {word, size}, remote = {(void *)from, size};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* The register's value in a report of a signal; NULL if it is not in it. */
static const void *register_in(const char *report, const char *name) {
    const char *at = strstr(report, name);
    return at ? (const void *)(uintptr_t)strtoull(at + strlen(name), NULL, 16) : NULL;
}

/* A stack that has overflowed has hundreds of thousands of frames: too many to be unwound by
 * the book, but they are linked. It ends anywhere; the outermost ones are always the same. */
static void take_outermost(Frames *frames, const void *boundary, uintptr_t link) {
    uint32_t last[FRAMES_KEPT];
    unsigned count = 0;
    for (uintptr_t next = link; link && link % sizeof link == 0; link = next) {
        uintptr_t pc = ((const uintptr_t *)link)[1] - 1;
        uint32_t offset = frames_offset((void *)pc);
        if (offset) last[count++ % FRAMES_KEPT] = offset;
        else if (_Unwind_FindEnclosingFunction((void *)pc) == boundary) break;
        next = *(const uintptr_t *)link;
        if (next <= link || next - link > LARGEST_FRAME) break;
    }
    for (unsigned i = 0; i < FRAMES_KEPT && i < count; i++)
        frames->offsets[i] = last[(count < FRAMES_KEPT ? i : count + i) % FRAMES_KEPT];
}

void frames_take_report(Frames *frames, const void *boundary, const char *report) {
    const void *pc = register_in(report, "(pc ");
    uintptr_t word;
    memset(frames, 0, sizeof *frames);
    if (strstr(report, ": stack-overflow on")) {
        take_outermost(frames, boundary, (uintptr_t)register_in(report, " bp "));
    } else if (strstr(report, ": SEGV on") && !read_word(pc, &word, 1)) {
        /* From nowhere nobody can walk up; perhaps the address that it jumped from is there. */
        if (read_word(register_in(report, " sp "), &word, sizeof word))
            frames->offsets[0] = frames_offset((void *)(word - 1));
    } else {
        Walk walk = {.boundary = boundary};
        walk_up(&walk, frames);
    }
}

void frames_file(const char *path, const char *shown) {
    const char *slash = strrchr(shown, '/');
    file_path = path;
    file_shown = slash ? slash + 1 : shown;
}

typedef struct {
    char name[64], place[64];
    bool library; /* inlined from the headers that all implementations include */
} Function;

static void strip_newline(char *line) {
    line[strcspn(line, "\n")] = 0;
}

/* The functions at an offset, inlined ones first. addr2line comes with the linker. */
static unsigned functions_at(uint32_t offset, Function functions[LOGICAL]) {
    char command[128], *name = NULL, *place = NULL;
    size_t name_size = 0, place_size = 0;
    unsigned count = 0;
    snprintf(command, sizeof command, "addr2line -f -i -C -e %.60s 0x%x 2>/dev/null", file_path,
             offset);
    FILE *answer = popen(command, "re");
    while (answer && count < LOGICAL && getline(&name, &name_size, answer) > 0 &&
           getline(&place, &place_size, answer) > 0) {
        char *more = strstr(place, " (discriminator ");
        strip_newline(name);
        strip_newline(place);
        if (more) *more = 0;
        const char *slash = strrchr(place, '/');
        Function *function = &functions[count];
        if (name[0] == '?') continue;
        function->library = strstr(place, "/nt/include/") != NULL;
        snprintf(function->name, sizeof function->name, "%.60s", name);
        snprintf(function->place, sizeof function->place, "%.60s", slash ? slash + 1 : place);
        count++;
    }
    if (answer) pclose(answer);
    free(name);
    free(place);
    return count;
}

/* "Sweep (mine.c:52) < ExUnregisterCallback", as far as the offset's own functions go. */
static void name_one(uint32_t offset, bool innermost, char *text, size_t size) {
    Function functions[LOGICAL];
    unsigned count = functions_at(offset, functions), first = 0;
    size_t used = 0;
    text[0] = 0;
    while (first + 1 < count && functions[first].library)
        first++;
    for (unsigned i = first; i < count && i < first + FRAMES_KEPT && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > first ? " < " : "",
                                 functions[i].name);
        if (i > first || !innermost || used >= size) continue;
        if (functions[i].place[0] == '?')
            used += (size_t)snprintf(text + used, size - used, " (+0x%x)", offset);
        else used += (size_t)snprintf(text + used, size - used, " (%s)", functions[i].place);
    }
    if (!count) snprintf(text, size, "%.60s+0x%x", file_shown, offset);
}

/* Asked again and again: what thousands of crashes have in common. */
typedef struct Named {
    struct Named *next;
    Frames frames;
    char text[FRAMES_TEXT];
} Named;
static Named *known;

const char *frames_name(const Frames *frames, char buffer[FRAMES_TEXT]) {
    buffer[0] = 0;
    if (!file_path || !frames->offsets[0]) return buffer;
    for (const Named *named = known; named; named = named->next)
        if (memcmp(&named->frames, frames, sizeof *frames) == 0) return strcpy(buffer, named->text);
    size_t used = 0;
    for (unsigned i = 0; i < FRAMES_KEPT && frames->offsets[i] && used < FRAMES_TEXT; i++) {
        char one[FRAMES_TEXT];
        name_one(frames->offsets[i], i == 0, one, sizeof one);
        used += (size_t)snprintf(buffer + used, FRAMES_TEXT - used, "%s%s", i ? " < " : "", one);
    }
    Named *named = malloc(sizeof *named);
    if (named) {
        *named = (Named){.next = known, .frames = *frames};
        strcpy(named->text, buffer);
        known = named;
    }
    return buffer;
}
