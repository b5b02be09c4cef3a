/* How names compare, and what kind of path a name is. */
#include "machine_internal.h"

static inline uint16_t fold(uint16_t unit) {
    return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 32) : unit;
}

/* \Callback\, as most names start. */
enum { PREFIX = 10 };
static const uint16_t prefix[PREFIX + 1] = u"\\Callback\\";

static bool starts_with_prefix(const SpecName *name) {
    return name->length > PREFIX && !__builtin_memcmp(name->units, prefix, PREFIX * sizeof *prefix);
}

/* What a code unit counts as in a hash: units outside of ASCII count as one, for the documents
 * name no table of their cases; K, S and I have other cases there (the Kelvin sign, ...). */
static uint8_t counts_as[0x81];
static uint32_t hash_of_prefix;

static uint32_t hash_on(uint32_t hash, const uint16_t *units, unsigned from, unsigned to) {
    for (unsigned i = from; i < to; i++)
        hash = (hash ^ counts_as[units[i] < 0x80 ? units[i] : 0x80]) * 16777619u;
    return hash;
}

static void prepare_hash(void) {
    for (uint16_t unit = 0; unit <= 0x80; unit++) {
        uint16_t upper = fold(unit);
        counts_as[unit] = upper == 'K' || upper == 'S' || upper == 'I' ? 0x80 : (uint8_t)upper;
    }
    hash_of_prefix = hash_on(2166136261u, prefix, 0, PREFIX);
}

/* Equal for all names that may be equal without case. Of a long name its two ends count. */
uint32_t name_hash(const SpecName *name) {
    enum { HEAD = PREFIX + 10, TAIL = 4 };
    if (!hash_of_prefix) prepare_hash();
    bool usual = starts_with_prefix(name);
    unsigned head = name->length < HEAD ? name->length : HEAD;
    unsigned tail = name->length < HEAD + TAIL ? head : name->length - TAIL;
    uint32_t hash =
        hash_on(usual ? hash_of_prefix : 2166136261u, name->units, usual ? PREFIX : 0, head);
    return hash_on(hash, name->units, tail, name->length) + name->length;
}

/* Four code units as one number, for their comparison. */
static inline uint64_t four(const uint16_t *units) {
    uint64_t word;
    __builtin_memcpy(&word, units, sizeof word);
    return word;
}

NameMatch name_match(const SpecName *a, const SpecName *b, bool case_insensitive) {
    if (a->length != b->length) return MATCH_NO;
    NameMatch match = MATCH_YES;
    for (unsigned i = 0; i < a->length; i++) {
        if (i + 4 <= a->length && four(a->units + i) == four(b->units + i)) {
            i += 3;
            continue;
        }
        uint16_t x = a->units[i], y = b->units[i];
        if (x == y) continue;
        if (!case_insensitive) return MATCH_NO;
        if (x < 0x80 && y < 0x80) {
            if (fold(x) != fold(y)) return MATCH_NO;
        } else {
            /* The Kelvin sign and its like: no table says whether they are letters' cases. */
            match = MATCH_PERHAPS;
        }
    }
    return match;
}

static bool equals(const uint16_t *units, unsigned length, const char *text,
                   bool case_insensitive) {
    for (unsigned i = 0; i < length; i++) {
        if (!text[i]) return false;
        uint16_t want = (uint16_t)text[i];
        if (units[i] != want && !(case_insensitive && fold(units[i]) == fold(want))) return false;
    }
    return !text[length];
}

static bool has_backslash(const SpecName *name, unsigned from) {
    bool has = false;
    for (unsigned i = from; i < name->length; i++)
        has |= name->units[i] == '\\';
    return has;
}

PathKind name_path(const SpecName *name, bool case_insensitive) {
    if (!name->present) return PATH_ABSENT;
    if (starts_with_prefix(name) && !has_backslash(name, PREFIX)) return PATH_LEAF;
    if (!name->length) return PATH_EMPTY;
    if (name->units[0] != '\\') return PATH_RELATIVE;
    if (name->length == 1) return PATH_ROOT;
    unsigned components = 0, first_end = 0;
    for (unsigned i = 1, start = 1; i <= name->length; i++) {
        if (i < name->length && name->units[i] != '\\') continue;
        if (i == start) return PATH_EMPTY_COMPONENT;
        if (!components++) first_end = i;
        start = i + 1;
    }
    bool callback = equals(name->units + 1, first_end - 1, "Callback", case_insensitive);
    if (components == 1) return callback ? PATH_DIRECTORY : PATH_IN_ROOT;
    if (!callback) return PATH_MISSING_DIRECTORY;
    return components == 2 ? PATH_LEAF : PATH_BELOW;
}

unsigned name_system(const SpecName *name, bool case_insensitive) {
    static const char *const system[] = {"\\Callback\\SetSystemTime", "\\Callback\\PowerState",
                                         "\\Callback\\ProcessorAdd"};
    static const uint16_t lengths[] = {23, 20, 22};
    for (unsigned i = 0; i < 3; i++)
        if (name->present && name->length == lengths[i] &&
            equals(name->units, name->length, system[i], case_insensitive))
            return i + 1;
    return 0;
}

bool name_is_odd(const SpecName *name) {
    if (name->length > MACHINE_ROOM_NAME) return true;
    bool odd = false;
    for (unsigned i = 0; i < name->length; i++) {
        uint16_t unit = name->units[i];
        odd |= (unit < 0x20) | ((unit & 0xF800) == 0xD800);
    }
    return odd;
}
