/* The names that generated programs use: few, so that they collide.
 *
 * They stand at the beginning of every program's units[]. Appended to, never
 * reordered: bytes refer to them by their place.
 */
#ifndef CBFUZZ_PROGRAM_DICTIONARY_H
#define CBFUZZ_PROGRAM_DICTIONARY_H

#include <stdint.h>

typedef struct {
    uint32_t at;     /* in units[] of any program */
    uint16_t length; /* code units */
} DictionaryName;

/* Fixed places of those that other modules ask for. */
enum {
    NAME_DEMO,              /* \Callback\Demo */
    NAME_DEMO_LOWER,        /* \Callback\demo */
    NAME_DEMO_UPPER,        /* \Callback\DEMO */
    NAME_OTHER,             /* \Callback\Other */
    NAME_THIRD,             /* \Callback\Third */
    NAME_DEMO_LONGER,       /* \Callback\Demo2: Demo is its prefix */
    NAME_SET_SYSTEM_TIME,   /* \Callback\SetSystemTime */
    NAME_POWER_STATE,       /* \Callback\PowerState */
    NAME_PROCESSOR_ADD,     /* \Callback\ProcessorAdd */
    NAME_POWER_STATE_LOWER, /* \callback\powerstate */
    NAME_FIRST_ODD,         /* from here on: names that are wrong in some way */
    /* "", "\", "Demo", "Callback\Demo", "\Callback", "\Callback\", "\Callback\\Demo",
       "\Demo", "\NoSuchDirectory\Demo", "\Callback\Demo\Sub", "\CALLBACK\Demo",
       "\Callback\{U+0000}Demo", "\Callback\D{U+D800}", "\Callback\{U+00E9}", "\Callback\{U+00C9}"
     */
    NAME_COUNT = NAME_FIRST_ODD + 15
};

extern const DictionaryName dictionary_names[NAME_COUNT];
extern const uint16_t dictionary_units[];
extern const uint32_t dictionary_unit_count;

#endif
