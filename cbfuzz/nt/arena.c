/* The arena: memory for pool, objects and the environment itself, never handed
 * out twice within a program.
 *
 * A pointer moves up; rewinding moves it back. Each block has a header before and
 * a red zone behind its payload; everything but live payload is poisoned for the
 * sanitizer, with the marks of a heap so that its reports say what happened. One
 * bit per 16 bytes says where payloads start, so any pointer can be judged exactly
 * with or without a sanitizer.
 */
#include "internal.h"

#include <sys/mman.h>

#ifdef NT_ASAN
#include <sanitizer/asan_interface.h>
#endif

enum {
    GRAIN = 16,
    RED_ZONE = 16,
    POISON_AHEAD = 1 << 20, /* beyond the last block; all of it at once would slow each boot */
    FILL_NEW = 0xCD,
    FILL_FREED = 0xDD,
    FILL_RED = 0xFB,
    MARK_RED = 0xfa,  /* what the sanitizer calls a heap red zone */
    MARK_FREED = 0xfd /* and freed heap memory */
};
#define MAGIC 0x6b6c426eu /* "nBlk" */

typedef struct {
    uint32_t magic;
    uint32_t tag;
    uint32_t size;
    uint8_t kind;  /* NtBlockKind */
    uint8_t state; /* NtBlockState */
    uint16_t unused;
    const void *site;
    NtObject *object;
} Header;
_Static_assert(sizeof(Header) % GRAIN == 0, "payloads stay aligned");

static char *arena;
static char *checkpoint_end; /* what lies below is restored, what lies above forgotten */
static uint64_t *starts;
static char *poisoned_to; /* how far the arena was ever poisoned: it grows, never shrinks */
static char *image;       /* the checkpointed span, then its shadow */

#ifdef NT_ASAN
static size_t shadow_offset;
static uint8_t *shadow_of(const void *memory) {
    return (uint8_t *)(((uintptr_t)memory >> 3) + shadow_offset);
}
#endif

typedef uint64_t Word __attribute__((aligned(1), may_alias));

/* The plain loops below stand for memset and memcpy, which would be checked. */
NT_RAW static void fill(void *to, size_t size, uint8_t value) {
#ifdef __x86_64__
    if (size >= 256) {
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
        return;
    }
#endif
    uint64_t word = 0x0101010101010101u * value;
    char *p = to;
    for (; size >= 8; size -= 8, p += 8)
        *(Word *)p = word;
    for (; size != 0; size--)
        *p++ = (char)value;
}

NT_RAW static void copy(void *to, const void *from, size_t size) {
#ifdef __x86_64__
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
#else
    for (size_t i = 0; i < size; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
#endif
}

/* Marks [from, from + size) as usable; from is aligned to 8. */
NT_RAW static void unpoison(void *from, size_t size) {
#ifdef NT_ASAN
    uint8_t *shadow = shadow_of(from);
    fill(shadow, size >> 3, 0);
    if (size & 7) shadow[size >> 3] = (uint8_t)(size & 7);
#else
    (void)from, (void)size;
#endif
}

NT_RAW static void poison(void *from, size_t size, uint8_t mark) {
#ifdef NT_ASAN
    fill(shadow_of(from), (size + 7) >> 3, mark);
#else
    (void)from, (void)size, (void)mark;
#endif
}

static void poison_ahead(const char *next) {
    size_t wanted = (size_t)(next - arena) + 2 * (size_t)POISON_AHEAD;
    if (wanted > NT_ARENA_SIZE) wanted = NT_ARENA_SIZE;
    poison(poisoned_to, wanted - (size_t)(poisoned_to - arena), MARK_RED);
    poisoned_to = arena + wanted;
}

static size_t round_up(size_t size) {
    return (size + GRAIN - 1) & ~(size_t)(GRAIN - 1);
}

static bool in_arena(const void *memory) {
    return (uintptr_t)memory - (uintptr_t)arena < NT_ARENA_SIZE;
}

static void *reserve(size_t size, uintptr_t hint) {
    /* A fixed address where possible: the same pointers in every run. */
    void *memory = mmap((void *)hint, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

bool nt_arena_boot(void) {
    arena = reserve(NT_ARENA_SIZE, 0x300000000000);
    starts = reserve(NT_ARENA_SIZE / GRAIN / 8, 0);
    image = reserve(NT_ARENA_SIZE + NT_ARENA_SIZE / 8, 0);
    if (arena == NULL || starts == NULL || image == NULL) return false;
#ifdef NT_ASAN
    size_t scale;
    __asan_get_shadow_mapping(&scale, &shadow_offset);
    if (scale != 3) return false;
#endif
    poisoned_to = nt_state.arena_next = arena;
    poison_ahead(arena);
    return true;
}

void nt_save_raw(char *saved, const char *from, size_t size) {
    copy(saved, from, size);
#ifdef NT_ASAN
    copy(saved + size, shadow_of(from), size >> 3);
#endif
}

void nt_restore_raw(char *to, const char *saved, size_t size) {
    copy(to, saved, size);
#ifdef NT_ASAN
    copy(shadow_of(to), saved + size, size >> 3);
#endif
}

void nt_arena_checkpoint(void) {
    checkpoint_end = nt_state.arena_next;
    nt_save_raw(image, arena, (size_t)(checkpoint_end - arena));
}

void nt_arena_rewind(const char *used_to) {
    size_t kept = (size_t)(checkpoint_end - arena);
    size_t used = (size_t)(used_to - checkpoint_end);
    nt_restore_raw(arena, image, kept);
    poison(checkpoint_end, used, MARK_RED);
    /* Starts below the checkpoint share at most one word with those above. */
    size_t bit = kept / GRAIN, end = (size_t)(used_to - arena) / GRAIN;
    if (used != 0) {
        starts[bit / 64] &= ((uint64_t)1 << (bit % 64)) - 1;
        fill(&starts[bit / 64 + 1], (end / 64 - bit / 64) * sizeof(*starts), 0);
    }
}

static char *bump(size_t size) {
    char *memory = nt_state.arena_next;
    if (NT_UNLIKELY(size > (size_t)(arena + NT_ARENA_SIZE - memory))) return NULL;
    nt_state.arena_next = memory + size;
    if (NT_UNLIKELY(poisoned_to - nt_state.arena_next < POISON_AHEAD &&
                    poisoned_to != arena + NT_ARENA_SIZE))
        poison_ahead(nt_state.arena_next);
    return memory;
}

void *nt_arena_take(size_t size) {
    /* Ends in a red zone of its own, so that it cannot be reached from a neighbour. */
    void *memory = bump(round_up(size) + RED_ZONE);
    if (memory != NULL) unpoison(memory, size);
    return memory;
}

NT_RAW void *nt_pool_allocate(NtBlockKind kind, size_t size, uint32_t tag, const void *site) {
    if (kind != BLOCK_INTERNAL && NT_UNLIKELY(nt_state.fail_in != 0) && --nt_state.fail_in == 0) {
        nt_state.failed++;
        return NULL;
    }
    if (NT_UNLIKELY(size > NT_ARENA_SIZE)) return NULL;
    size_t padded = round_up(size) + RED_ZONE;
    size_t slack = size < PAGE_SIZE ? 0 : PAGE_SIZE - GRAIN; /* whole pages begin at a page */
    char *memory = bump(sizeof(Header) + slack + padded);
    if (NT_UNLIKELY(memory == NULL)) return NULL;
    memory += sizeof(Header);
    if (NT_UNLIKELY(slack != 0))
        memory = (char *)(((uintptr_t)memory + slack) & ~(uintptr_t)(PAGE_SIZE - 1));
    Header *header = (Header *)memory - 1;
    header->magic = MAGIC;
    header->tag = tag;
    header->size = (uint32_t)size;
    header->kind = (uint8_t)kind;
    header->state = BLOCK_LIVE;
    header->site = site;
    header->object = NULL;
    fill(memory, size, FILL_NEW);
    fill(memory + size, padded - size, FILL_RED);
    unpoison(memory, size);
    size_t bit = (size_t)(memory - arena) / GRAIN;
    starts[bit / 64] |= (uint64_t)1 << (bit % 64);
    nt_state.live += kind != BLOCK_INTERNAL;
    return memory;
}

static bool is_start(const void *memory) {
    size_t offset = (size_t)((const char *)memory - arena);
    return in_arena(memory) && offset % GRAIN == 0 &&
           (starts[offset / GRAIN / 64] >> (offset / GRAIN % 64) & 1) != 0;
}

NT_RAW NtBlockState nt_pool_state(const void *memory, NtBlockKind *kind) {
    if (!is_start(memory)) return BLOCK_UNKNOWN;
    const Header *header = (const Header *)memory - 1;
    *kind = header->kind;
    return header->state;
}

NT_RAW void nt_pool_attach(void *body, NtObject *object) {
    ((Header *)body - 1)->object = object;
}

NT_RAW NtObject *nt_pool_attached(const void *body) {
    return ((const Header *)body - 1)->object;
}

NT_RAW static bool red_zone_intact(const char *memory, size_t size) {
    for (const char *p = memory + size; p < memory + round_up(size) + RED_ZONE; p++)
        if ((uint8_t)*p != FILL_RED) return false;
    return true;
}

NT_RAW void nt_pool_release(void *memory, const char *routine, const void *site) {
    Header *header = (Header *)memory - 1;
    size_t size = header->size;
    if (NT_UNLIKELY(nt_current_thread->held_count != 0))
        nt_check_no_lock_in(memory, size, routine, site);
    if (NT_UNLIKELY(nt_state.queued != 0)) nt_check_nothing_in(memory, size, routine, site);
    if (NT_UNLIKELY(header->magic != MAGIC || !red_zone_intact(memory, size)))
        nt_stop(NtRulePoolCorruption, site != NULL ? site : header->site, (uintptr_t)memory, size,
                routine, "%zu bytes", size);
    header->state = BLOCK_FREED;
    fill(memory, size, FILL_FREED);
    poison(memory, size, MARK_FREED);
    nt_state.live -= header->kind != BLOCK_INTERNAL && (char *)memory >= checkpoint_end;
}

NT_RAW void nt_pool_free(void *memory, uint32_t tag, const char *routine, const void *site) {
    NtBlockKind kind = BLOCK_INTERNAL;
    NtBlockState state = nt_pool_state(memory, &kind);
    if (NT_UNLIKELY(state == BLOCK_UNKNOWN || kind > BLOCK_PAGED))
        nt_stop(NtRulePoolBadFree, site, (uintptr_t)memory, tag, routine, "found %s",
                memory == NULL         ? "NULL"
                : kind == BLOCK_OBJECT ? "an object"
                : !in_arena(memory)    ? "memory that is not pool"
                                       : "a pointer into the middle of pool");
    const Header *header = (const Header *)memory - 1;
    uint8_t limit = kind == BLOCK_PAGED ? APC_LEVEL : DISPATCH_LEVEL;
    if (NT_UNLIKELY(nt_current_thread->irql > limit))
        nt_stop_irql(NtRuleIrqlExFreePool, site, routine, limit);
    if (NT_UNLIKELY(state == BLOCK_FREED))
        nt_stop(NtRulePoolDoubleFree, site, (uintptr_t)memory, header->tag, routine,
                "%u bytes are free already", header->size);
    if (NT_UNLIKELY(tag != 0 && tag != header->tag))
        nt_stop(NtRulePoolBadTag, site, header->tag, tag, routine, "found 0x%X, allocated 0x%X",
                tag, header->tag);
    nt_pool_release(memory, routine, site);
}

/* Bits of one word of starts that lie in [from, to), both counted in grains. */
static uint64_t starts_in(size_t word, size_t from, size_t to) {
    uint64_t bits = starts[word];
    if (word == from / 64) bits &= ~(uint64_t)0 << (from % 64);
    if (word == to / 64) bits &= ((uint64_t)1 << (to % 64)) - 1;
    return bits;
}

NT_RAW size_t nt_leaks(NtLeak *leaks, size_t capacity) {
    size_t count = 0;
    size_t from = (size_t)(checkpoint_end - arena) / GRAIN;
    size_t to = (size_t)(nt_state.arena_next - arena) / GRAIN;
    for (size_t word = from / 64; word <= to / 64 && word < NT_ARENA_SIZE / GRAIN / 64; word++) {
        for (uint64_t bits = starts_in(word, from, to); bits != 0; bits &= bits - 1) {
            size_t bit = word * 64 + (size_t)__builtin_ctzll(bits);
            const Header *header = (const Header *)(arena + bit * GRAIN) - 1;
            if (header->state != BLOCK_LIVE || header->kind == BLOCK_INTERNAL) continue;
            if (count == capacity) return count;
            NtLeak *leak = &leaks[count++];
            for (int i = 0; i < 4; i++)
                leak->tag[i] = (char)(header->tag >> (8 * i));
            leak->tag[4] = 0;
            leak->is_object = header->kind == BLOCK_OBJECT;
            leak->size = header->size;
            leak->site = header->site;
        }
    }
    return count;
}

NT_RAW NtMemory nt_memory_at(const void *pointer) {
    if (!in_arena(pointer)) return NT_MEMORY_FOREIGN;
    if ((const char *)pointer >= nt_state.arena_next) return NT_MEMORY_FREED;
    size_t bit = (size_t)((const char *)pointer - arena) / GRAIN;
    size_t word = bit / 64;
    uint64_t bits = starts[word] & (~(uint64_t)0 >> (63 - bit % 64));
    while (bits == 0 && word != 0)
        bits = starts[--word];
    if (bits == 0) return NT_MEMORY_FREED;
    const char *start = arena + (word * 64 + 63 - (size_t)__builtin_clzll(bits)) * GRAIN;
    const Header *header = (const Header *)start - 1;
    return header->state == BLOCK_LIVE && pointer < (const void *)(start + header->size)
               ? NT_MEMORY_LIVE
               : NT_MEMORY_FREED;
}
