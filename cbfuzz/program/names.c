/* The names on the left: which are allowed, and how each variable is spelled. */
#include "program/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory) {
    if (!memory) {
        fputs("cbfuzz: out of memory\n", stderr);
        _Exit(3);
    }
    return memory;
}

Names *names_new(void) {
    enum { USUAL = 256 };
    Names *names = checked(malloc(sizeof *names));
    names->text = checked(malloc(USUAL));
    names->text_capacity = USUAL;
    names_clear(names);
    return names;
}

void names_free(Names *names) {
    free(names->text);
    free(names);
}

void names_clear(Names *names) {
    memset(names->slot, 0, sizeof names->slot);
    memset(names->of_type, 0, sizeof names->of_type);
    names->count = 0;
    names->text_count = 0;
}

/* Where the spelling stands in slot[], or the empty slot where it would. */
static uint32_t slot_of(const Names *names, const char *text, size_t length) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    hash ^= hash >> 15;
    for (uint32_t slot = hash % NAMES_SLOTS;; slot = (slot + 1) % NAMES_SLOTS) {
        uint32_t variable = names->slot[slot];
        if (variable == 0 || (names->length[variable - 1] == length &&
                              memcmp(names->text + names->at[variable - 1], text, length) == 0))
            return slot;
    }
}

uint16_t names_find(const Names *names, const char *text, size_t length) {
    uint16_t variable = names->slot[slot_of(names, text, length)];
    return variable ? (uint16_t)(variable - 1) : NO_VARIABLE;
}

unsigned names_canonical(Type type, uint32_t number, char spelled[NAMES_SPELLED]) {
    switch (type) {
    case TYPE_OBJECT:
        if (number < 26) {
            spelled[0] = (char)('a' + number);
            return 1;
        }
        return (unsigned)snprintf(spelled, NAMES_SPELLED, "o%u", (unsigned)number + 1);
    case TYPE_REGISTRATION:
        return (unsigned)snprintf(spelled, NAMES_SPELLED, "r%u", (unsigned)number + 1);
    case TYPE_PROCESSOR:
        return (unsigned)snprintf(spelled, NAMES_SPELLED, "p%u", (unsigned)number + 1);
    case TYPE_NONE: break;
    }
    return 0;
}

unsigned names_default(const Names *names, Type type, char spelled[NAMES_SPELLED]) {
    unsigned length = names_canonical(type, names->of_type[type], spelled);
    while (names_find(names, spelled, length) != NO_VARIABLE)
        spelled[length++] = '_';
    return length;
}

void names_add(Names *names, Type type, const char *spelled, unsigned length) {
    uint32_t variable = names->count++;
    uint32_t slot = slot_of(names, spelled, length);
    if (names->text_count + length > names->text_capacity) {
        names->text_capacity = 2 * names->text_capacity + length;
        names->text = checked(realloc(names->text, names->text_capacity));
    }
    names->at[variable] = names->text_count;
    names->length[variable] = (uint8_t)length;
    memcpy(names->text + names->text_count, spelled, length);
    names->text_count += length;
    names->of_type[type]++;
    names->slot[slot] = (uint16_t)(variable + 1);
}

void names_build(Names *names, const Program *program) {
    names_clear(names);
    for (uint32_t i = 0; i < program->variable_count; i++) {
        const Variable *variable = &program->variables[i];
        const char *own = program->text + variable->name_at;
        if (variable->name_length && names_find(names, own, variable->name_length) == NO_VARIABLE) {
            names_add(names, variable->type, own, variable->name_length);
        } else {
            char spelled[NAMES_SPELLED];
            names_add(names, variable->type, spelled,
                      names_default(names, variable->type, spelled));
        }
    }
}

void program_settle_names(Program *program) {
    bool any = false;
    for (uint32_t i = 0; i < program->variable_count; i++)
        any |= program->variables[i].name_length != 0;
    if (!any) return;
    Names *names = names_new();
    for (uint32_t i = 0; i < program->variable_count; i++) {
        Variable *variable = &program->variables[i];
        const char *own = program->text + variable->name_at;
        char spelled[NAMES_SPELLED];
        unsigned length = names_default(names, variable->type, spelled);
        bool same = variable->name_length == length && memcmp(own, spelled, length) == 0;
        if (variable->name_length &&
            (same || names_find(names, own, variable->name_length) != NO_VARIABLE))
            variable->name_length = 0;
        if (variable->name_length) names_add(names, variable->type, own, variable->name_length);
        else names_add(names, variable->type, spelled, length);
    }
    names_free(names);
}

static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool names_well_formed(const char *text, size_t length) {
    if (length == 0 || length > PROGRAM_IDENTIFIER || !letter(text[0])) return false;
    for (size_t i = 1; i < length; i++)
        if (!letter(text[i]) && !(text[i] >= '0' && text[i] <= '9')) return false;
    return true;
}

static bool is(const char *text, size_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

bool names_reserved(const char *text, size_t length) {
    static const char *const words[] = {
        "multiple",      "case_insensitive", "permanent",     "openif",         "exclusive",
        "kernel_handle", "unnamed",          "PASSIVE_LEVEL", "APC_LEVEL",      "fails",
        "documented",    "windows",          "add_existing",  "DISPATCH_LEVEL", "NULL"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (is(text, length, words[i])) return true;
    for (unsigned i = 0; i < LINE_KINDS; i++)
        if (is(text, length, line_info[i].word)) return true;
    if (length >= 7 && memcmp(text, "STATUS_", 7) == 0) return true;
    bool digits = length >= 2 && (text[0] == 'F' || text[0] == 'T');
    for (size_t i = 1; i < length; i++)
        digits = digits && text[i] >= '0' && text[i] <= '9';
    return digits;
}
