/* The names that generated programs use: the table. */
#include "program/dictionary.h"

/* In the order of the places in dictionary.h. Appended to, never reordered. */
#define NAMES(NAME)                                                                                \
    NAME(DEMO, u"\\Callback\\Demo")                                                                \
    NAME(DEMO_LOWER, u"\\Callback\\demo")                                                          \
    NAME(DEMO_UPPER, u"\\Callback\\DEMO")                                                          \
    NAME(OTHER, u"\\Callback\\Other")                                                              \
    NAME(THIRD, u"\\Callback\\Third")                                                              \
    NAME(DEMO_LONGER, u"\\Callback\\Demo2")                                                        \
    NAME(SET_SYSTEM_TIME, u"\\Callback\\SetSystemTime")                                            \
    NAME(POWER_STATE, u"\\Callback\\PowerState")                                                   \
    NAME(PROCESSOR_ADD, u"\\Callback\\ProcessorAdd")                                               \
    NAME(POWER_STATE_LOWER, u"\\callback\\powerstate")                                             \
    NAME(ODD_EMPTY, u"")                                                                           \
    NAME(ODD_ROOT, u"\\")                                                                          \
    NAME(ODD_RELATIVE, u"Demo")                                                                    \
    NAME(ODD_RELATIVE_PATH, u"Callback\\Demo")                                                     \
    NAME(ODD_DIRECTORY, u"\\Callback")                                                             \
    NAME(ODD_TRAILING, u"\\Callback\\")                                                            \
    NAME(ODD_DOUBLE, u"\\Callback\\\\Demo")                                                        \
    NAME(ODD_TOP, u"\\Demo")                                                                       \
    NAME(ODD_NO_DIRECTORY, u"\\NoSuchDirectory\\Demo")                                             \
    NAME(ODD_BELOW_OBJECT, u"\\Callback\\Demo\\Sub")                                               \
    NAME(ODD_DIRECTORY_UPPER, u"\\CALLBACK\\Demo")                                                 \
    NAME(ODD_NUL, u"\\Callback\\\0Demo")                                                           \
    NAME(ODD_SURROGATE, u"\\Callback\\D\xD800")                                                    \
    NAME(ODD_E_ACUTE_SMALL, u"\\Callback\\\u00E9")                                                 \
    NAME(ODD_E_ACUTE_CAPITAL, u"\\Callback\\\u00C9")

#define LENGTH(literal) ((int)(sizeof(literal) / sizeof(uint16_t)) - 1)

/* AT_DEMO is where \Callback\Demo starts; the next name starts behind its last unit. */
enum {
#define NAME(id, literal) AT_##id, LAST_##id = AT_##id + LENGTH(literal) - 1,
    NAMES(NAME)
#undef NAME
};

const DictionaryName dictionary_names[NAME_COUNT] = {
#define NAME(id, literal) {AT_##id, LENGTH(literal)},
    NAMES(NAME)
#undef NAME
};

#define NAME(id, literal) literal
const uint16_t dictionary_units[] = NAMES(NAME);
#undef NAME

const uint32_t dictionary_unit_count = sizeof dictionary_units / sizeof *dictionary_units - 1;

#define NAME(id, literal) +1
_Static_assert(NAMES(NAME) == NAME_COUNT, "dictionary.h and dictionary.c list the same names");
