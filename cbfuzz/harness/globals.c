/* An implementation's globals: saved once, put back for each program. */
#define _GNU_SOURCE
#include "harness/globals.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dlfcn.h>

#include "harness/guard.h"

typedef struct {
    char *at;
    size_t size;
    char *saved;
} Range;

static Range ranges[16];
static unsigned range_count;
static unsigned char *counters;
static size_t counters_size;

/* The built-in implementation's globals have sections of their own. */
extern char __start_callback_data[] __attribute__((weak)),
    __stop_callback_data[] __attribute__((weak));
extern char __start_callback_bss[] __attribute__((weak)),
    __stop_callback_bss[] __attribute__((weak));

/* Coverage of what is built in: only the built-in implementation has any. */
extern char __start___sancov_cntrs[] __attribute__((weak));
extern char __stop___sancov_cntrs[] __attribute__((weak));

/* memcpy that no sanitizer looks at: between globals lie poisoned red zones. */
static void copy(void *to, const void *from, size_t size) {
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static bool add_range(char *from, char *to) {
    if (from >= to) return true;
    if (range_count == sizeof ranges / sizeof ranges[0]) return false;
    Range *range = &ranges[range_count];
    *range = (Range){from, (size_t)(to - from), guard_sealed_copy(from, (size_t)(to - from))};
    if (!range->saved) return false;
    range_count++;
    return true;
}

/* Where coverage counts: start and end offsets of that section in the file's image. */
static bool find_counters(const char *path, uintptr_t *from, uintptr_t *to) {
    *from = *to = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    struct stat status;
    bool found = false;
    if (fstat(file, &status) == 0 && (size_t)status.st_size > sizeof(ElfW(Ehdr))) {
        size_t size = (size_t)status.st_size;
        char *image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (image != MAP_FAILED) {
            const ElfW(Ehdr) *header = (const void *)image;
            const ElfW(Shdr) *sections = (const void *)(image + header->e_shoff);
            bool whole = header->e_shoff && header->e_shstrndx < header->e_shnum &&
                         header->e_shoff + header->e_shnum * sizeof *sections <= size;
            const char *names = whole ? image + sections[header->e_shstrndx].sh_offset : NULL;
            for (unsigned i = 0; whole && i < header->e_shnum; i++) {
                if (strcmp(names + sections[i].sh_name, "__sancov_cntrs") != 0) continue;
                *from = sections[i].sh_addr;
                *to = *from + sections[i].sh_size;
                found = true;
            }
            munmap(image, size);
        }
    }
    close(file);
    return found;
}

typedef struct {
    uintptr_t base, counters_from, counters_to;
    const char *name;
    bool good;
} Search;

/* Thread-local ones: their memory is there as soon as it has been asked for. */
static void save_thread_locals(Search *search, const struct dl_phdr_info *info,
                               const ElfW(Phdr) * segment) {
    struct {
        unsigned long module, offset;
    } first = {info->dlpi_tls_modid, 0};
    extern void *__tls_get_addr(void *);
    char *from = info->dlpi_tls_modid ? __tls_get_addr(&first) : NULL;
    if (from) search->good &= add_range(from, from + segment->p_memsz);
}

static int save_segments(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    Search *search = context;
    if (info->dlpi_addr != search->base || strcmp(info->dlpi_name, search->name) != 0) return 0;
    uintptr_t relro_from = 0, relro_to = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            relro_from = info->dlpi_phdr[i].p_vaddr;
            relro_to = (relro_from + info->dlpi_phdr[i].p_memsz + 4095) & ~(uintptr_t)4095;
        }
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_TLS) save_thread_locals(search, info, segment);
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W)) continue;
        uintptr_t from = segment->p_vaddr, to = from + segment->p_memsz;
        if (relro_from >= (from & ~(uintptr_t)4095) && relro_from < to) from = relro_to;
        char *base = (char *)search->base;
        if (search->counters_to > from && search->counters_from < to) {
            search->good &= add_range(base + from, base + search->counters_from);
            search->good &= add_range(base + search->counters_to, base + to);
        } else {
            search->good &= add_range(base + from, base + to);
        }
    }
    return 1;
}

bool globals_save(void *handle, const char *path, bool *instrumented) {
    /* Also for a shared object, which may use the built-in processor change. */
    bool good = add_range(__start_callback_data, __stop_callback_data) &&
                add_range(__start_callback_bss, __stop_callback_bss);
    *instrumented = true;
    counters = (unsigned char *)__start___sancov_cntrs;
    counters_size = (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
    if (!handle || !good) return good;
    struct link_map *map;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return false;
    Search search = {.base = map->l_addr, .name = map->l_name, .good = true};
    *instrumented = find_counters(path, &search.counters_from, &search.counters_to);
    counters = (unsigned char *)search.base + search.counters_from;
    counters_size = search.counters_to - search.counters_from;
    dl_iterate_phdr(save_segments, &search);
    return search.good;
}

unsigned char *globals_counters(size_t *size) {
    *size = counters_size;
    return counters;
}

void globals_restore(void) {
    for (unsigned i = 0; i < range_count; i++)
        copy(ranges[i].at, ranges[i].saved, ranges[i].size);
}
