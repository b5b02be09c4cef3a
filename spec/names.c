/* How names compare, and what kind of path a name is. */
#include "machine_internal.h"

static inline uint16_t fold(uint16_t unit) {
    return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 32) : unit;
}

/* \Callback\, as most names start. */
enum { PREFIX = 10 };
static const uint16_t prefix[PREFIX + 1] = u"\\Callback\\";

static bool starts_with_prefix(SpecName name) {
    return name.length > PREFIX && !__builtin_memcmp(name.units, prefix, PREFIX * sizeof *prefix);
}

static uint32_t hash_on(uint32_t hash, SpecName name, unsigned from) {
    for (unsigned i = from; i < name.length; i++) {
        uint16_t unit = fold(name.units[i]);
        /* K, S and I have other cases beyond ASCII (the Kelvin sign, the long s, ...). */
        if (unit >= 0x80 || unit == 'K' || unit == 'S' || unit == 'I') unit = 0x80;
        hash = (hash ^ unit) * 16777619u;
    }
    return hash;
}

/* Equal for all names that may be equal without case: units outside of ASCII
 * count as one, for the documents name no table of their cases. */
uint32_t name_hash(SpecName name) {
    static uint32_t hash_of_prefix;
    if (!starts_with_prefix(name)) return hash_on(2166136261u, name, 0);
    if (!hash_of_prefix) hash_of_prefix = hash_on(2166136261u, (SpecName){prefix, PREFIX, true}, 0);
    return hash_on(hash_of_prefix, name, PREFIX);
}

NameMatch name_match(SpecName a, SpecName b, bool case_insensitive) {
    if (a.length != b.length) return MATCH_NO;
    NameMatch match = MATCH_YES;
    for (unsigned i = 0; i < a.length; i++) {
        uint16_t x = a.units[i], y = b.units[i];
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

static bool has_backslash(SpecName name, unsigned from) {
    bool has = false;
    for (unsigned i = from; i < name.length; i++)
        has |= name.units[i] == '\\';
    return has;
}

PathKind name_path(SpecName name, bool case_insensitive) {
    if (!name.present) return PATH_ABSENT;
    if (starts_with_prefix(name) && !has_backslash(name, PREFIX)) return PATH_LEAF;
    if (!name.length) return PATH_EMPTY;
    if (name.units[0] != '\\') return PATH_RELATIVE;
    if (name.length == 1) return PATH_ROOT;
    unsigned components = 0, first_end = 0;
    for (unsigned i = 1, start = 1; i <= name.length; i++) {
        if (i < name.length && name.units[i] != '\\') continue;
        if (i == start) return PATH_EMPTY_COMPONENT;
        if (!components++) first_end = i;
        start = i + 1;
    }
    bool callback = equals(name.units + 1, first_end - 1, "Callback", case_insensitive);
    if (components == 1) return callback ? PATH_DIRECTORY : PATH_IN_ROOT;
    if (!callback) return PATH_MISSING_DIRECTORY;
    return components == 2 ? PATH_LEAF : PATH_BELOW;
}

unsigned name_system(SpecName name, bool case_insensitive) {
    static const char *const system[] = {"\\Callback\\SetSystemTime", "\\Callback\\PowerState",
                                         "\\Callback\\ProcessorAdd"};
    static const uint16_t lengths[] = {23, 20, 22};
    for (unsigned i = 0; i < 3; i++)
        if (name.present && name.length == lengths[i] &&
            equals(name.units, name.length, system[i], case_insensitive))
            return i + 1;
    return 0;
}

bool name_is_odd(SpecName name) {
    if (name.length > MACHINE_ROOM_NAME) return true;
    for (unsigned i = 0; i < name.length; i++) {
        uint16_t unit = name.units[i];
        if (unit < 0x20 || (unit >= 0xD800 && unit <= 0xDFFF)) return true;
    }
    return false;
}
