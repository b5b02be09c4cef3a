/* Chooses statements by what they would do in the state that the program has reached. */
#include "generate/choose.h"

#include <string.h>

#include "program/dictionary.h"

static const Line empty_line = {.result = NO_VARIABLE, .operand = NO_VARIABLE};

static bool has_room(const SpecObject *object) {
    return object->multiple || !object->registered;
}

static bool is_driver_defined(const SpecObject *object) {
    return !object->system;
}

static bool has_routines(const SpecObject *object) {
    return !object->system && object->registered;
}

/* The latest first: they are the likeliest to be of use. */
void choose_offer(const Generator *generator, Offer *offer) {
    const Executor *executor = generator->executor;
    const Machine *machine = &executor->machine;
    offer->objects = offer->registrations = offer->changes = 0;
    offer->driver_defined = offer->has_routines = false;
    for (unsigned i = machine->object_count; i-- > 0 && offer->objects < CHOICES;) {
        uint16_t variable = executor->object_variable[i];
        if (variable == NO_VARIABLE || executor->binding[variable] != i ||
            !machine_holds(machine, (uint16_t)i))
            continue;
        offer->object[offer->objects++] = variable;
        offer->driver_defined |= is_driver_defined(&machine->objects[i]);
        offer->has_routines |= has_routines(&machine->objects[i]);
    }
    for (unsigned i = machine->live_count; i-- > 0;) {
        uint16_t number = machine->live[i], variable = executor->registration_variable[number];
        if (executor->binding[variable] != number) continue;
        if (machine->registrations[number].object == NO_ID) {
            if (offer->changes < CHOICES) offer->change[offer->changes++] = variable;
        } else if (offer->registrations < CHOICES) {
            offer->registration[offer->registrations++] = variable;
        }
    }
}

static const SpecObject *object_of(const Generator *generator, uint16_t variable) {
    const Executor *executor = generator->executor;
    return &executor->machine.objects[executor->binding[variable]];
}

/* Contexts and arguments: few, so that they collide; rarely as wide as they can be. */
static uint64_t choose_number(Random *random) {
    static const uint64_t pool[] = {0x10, 0x20, 0x30, 0x1, 0x2, 0};
    uint32_t pick = random_below(random, 32);
    if (pick < 27) return pool[pick % 6];
    uint64_t wide = random_next(random);
    switch (pick) {
    case 29: return wide >> 32 << 32;
    case 30: return wide >> 32;
    case 31: return wide;
    default: return UINT64_C(0xFFFFFFFFFFFFFFFF);
    }
}

static uint8_t choose_routine(Random *random) {
    return (uint8_t)(1 + (random_chance(random, 95) ? random_below(random, 4)
                                                    : random_below(random, 8)));
}

static void use_name(Line *line, unsigned name) {
    line->name_at = dictionary_names[name].at;
    line->name_length = dictionary_names[name].length;
}

/* \Callback\NNN...A or ...B: two names that differ at their very end. */
static void use_long_name(Generator *generator, Line *line) {
    uint16_t units[300];
    const DictionaryName *prefix = &dictionary_names[NAME_DEMO];
    unsigned length = 10 + generator->long_length;
    memcpy(units, dictionary_units + prefix->at, 10 * sizeof units[0]); /* \Callback\ */
    for (unsigned i = 10; i < length; i++)
        units[i] = (uint16_t)('@' + i * 7 % 64); /* all letters, and what stands beside them */
    for (unsigned i = 10; i < length; i++)
        if (units[i] == '\\' || units[i] == 0x7F) units[i] = 'z';
    units[length++] = random_chance(&generator->random, 50) ? 'A' : 'B';
    line->name_at = program_add_name(generator->program, units, (uint16_t)length);
    line->name_length = (uint16_t)length;
}

/* A name like one that there is or was, but for one unit: changed, added or gone; or longer by so
 * much that a length in a byte is the same. */
static void use_near_name(Generator *generator, Line *line) {
    static const uint16_t instead[] = u" ./_09AZaz"; /* and the zero behind them */
    uint16_t units[600];
    Random *random = &generator->random;
    const Machine *machine = &generator->executor->machine;
    const SpecName *near = &machine->objects[random_below(random, machine->object_count)].name;
    unsigned length = near->length, place;
    if (length < 11 || length > 300) {
        use_long_name(generator, line);
        return;
    }
    memcpy(units, near->units, length * sizeof units[0]);
    uint16_t unit = instead[random_below(random, sizeof instead / sizeof *instead)];
    switch (random_below(random, 8)) {
    case 0: length--; break;
    case 1:
    case 2: units[length++] = unit; break;
    case 3:
        for (place = random_chance(random, 50) ? 128 : 256; place; place--, length++)
            units[length] = units[length - 1];
        break;
    default: units[10 + random_below(random, length - 10)] = unit;
    }
    line->name_at = program_add_name(generator->program, units, (uint16_t)length);
    line->name_length = (uint16_t)length;
}

static void choose_name(Generator *generator, Line *line) {
    Random *random = &generator->random;
    uint32_t pick = random_below(random, 100);
    if (generator->crowded && random_chance(random, 60)) use_near_name(generator, line);
    else if (pick < 64) use_name(line, random_below(random, 6));
    else if (pick < 86) use_name(line, NAME_SET_SYSTEM_TIME + random_below(random, 4));
    else if (pick < 90)
        use_name(line, NAME_FIRST_ODD + random_below(random, NAME_COUNT - NAME_FIRST_ODD));
    else if (pick < 92) line->flags |= FLAG_UNNAMED;
    else if (pick < 96) use_near_name(generator, line);
    else use_long_name(generator, line);
}

/* A name as it is, or with one place or all in the other case. What is no letter
 * changes as well: then it is another name. */
static void use_spelled_name(Generator *generator, Line *line, SpecName name) {
    uint16_t units[300];
    Random *random = &generator->random;
    if (name.length <= 300) {
        memcpy(units, name.units, name.length * sizeof units[0]);
        bool all = random_chance(random, 30), one = random_chance(random, 50);
        unsigned place = random_below(random, name.length ? name.length : 1u);
        for (unsigned i = 10; i < name.length; i++)
            if ((all || (one && i == place)) && units[i] >= 0x40 && units[i] < 0x7F &&
                (units[i] ^ 0x20) != '\\' && (units[i] ^ 0x20) != 0x7F && units[i] != '\\')
                units[i] ^= 0x20;
        name.units = units;
    }
    line->name_at = program_add_name(generator->program, name.units, name.length);
    line->name_length = name.length;
}

/* The name of an object that can be opened now, in one case or another. */
static bool choose_taken_name(Generator *generator, Line *line) {
    const Machine *machine = &generator->executor->machine;
    Random *random = &generator->random;
    unsigned from = random_below(random, machine->object_count);
    for (unsigned i = 0; i < machine->object_count; i++) {
        unsigned number = (from + i) % machine->object_count;
        if (!machine_has_name(machine, (uint16_t)number)) continue;
        const SpecObject *object = &machine->objects[number];
        unsigned name = 0;
        while (name < NAME_FIRST_ODD && (dictionary_names[name].length != object->name.length ||
                                         memcmp(dictionary_units + dictionary_names[name].at,
                                                object->name.units, object->name.length * 2u)))
            name++;
        if (name == NAME_FIRST_ODD) {
            use_spelled_name(generator, line, object->name);
            return true;
        }
        if (name <= NAME_DEMO_UPPER && random_chance(random, 50)) name = random_below(random, 3);
        if (name == NAME_POWER_STATE && random_chance(random, 25)) name = NAME_POWER_STATE_LOWER;
        use_name(line, name);
        return true;
    }
    return false;
}

static void choose_attributes(Random *random, Line *line) {
    line->flags |= (random_chance(random, 65) ? FLAG_MULTIPLE : 0) |
                   (random_chance(random, 40) ? FLAG_CASE_INSENSITIVE : 0) |
                   (random_chance(random, 40) ? FLAG_PERMANENT : 0) |
                   (random_chance(random, 8) ? FLAG_OPENIF : 0) |
                   (random_chance(random, 8) ? FLAG_KERNEL_HANDLE : 0) |
                   (random_chance(random, 1) ? FLAG_EXCLUSIVE : 0);
}

static void choose_create(Generator *generator, Line *line, bool create) {
    line->kind = create ? LINE_CREATE : LINE_OPEN;
    choose_attributes(&generator->random, line);
    bool taken = random_chance(&generator->random, create ? 25 : 75);
    if (!taken || !choose_taken_name(generator, line)) choose_name(generator, line);
}

/* One of the offered objects, if possible one with the property. */
static uint16_t prefer_object(Generator *generator, const Offer *offer,
                              bool (*has)(const SpecObject *)) {
    unsigned from = random_below(&generator->random, offer->objects);
    if (random_chance(&generator->random, 90))
        for (unsigned i = 0; i < offer->objects; i++) {
            uint16_t variable = offer->object[(from + i) % offer->objects];
            if (has(object_of(generator, variable))) return variable;
        }
    return offer->object[from];
}

static void choose_register(Generator *generator, const Offer *offer, Line *line) {
    Random *random = &generator->random;
    line->kind = LINE_REGISTER;
    line->operand = prefer_object(generator, offer, has_room);
    line->routine = choose_routine(random);
    line->number[0] = choose_number(random);
}

static void choose_level(Generator *generator, Line *line) {
    uint8_t now = generator->executor->machine.irql;
    line->kind = LINE_IRQL;
    if (now != LEVEL_PASSIVE) line->number[0] = LEVEL_PASSIVE;
    else line->number[0] = random_chance(&generator->random, 70) ? LEVEL_DISPATCH : LEVEL_APC;
}

/* How much each kind is worth in this state. */
static void weigh(const Generator *generator, const Offer *offer, uint8_t weight[LINE_KINDS]) {
    const Machine *machine = &generator->executor->machine;
    const SpecObject *system = machine->objects;
    bool passive = machine->irql == LEVEL_PASSIVE, registers = machine->irql <= LEVEL_APC;
    memset(weight, 0, LINE_KINDS);
    bool more = offer->objects < (generator->crowded ? CHOICES : 2);
    weight[LINE_CREATE] =
        passive ? (more ? (generator->crowded ? 160 : 40) : 7) : (registers ? 1 : 0);
    weight[LINE_OPEN] = passive ? 9 : 0;
    weight[LINE_FAIL_ALLOCATION] = 2;
    weight[LINE_IRQL] = passive ? 3 : 14;
    weight[LINE_SET_SYSTEM_TIME] = system[0].registered ? 12 : 1;
    weight[LINE_POWER_STATE] = system[1].registered ? 12 : 1;
    if (passive) {
        weight[LINE_ADD_PROCESSOR] = system[2].registered || offer->changes ? 10 : 1;
        weight[LINE_REGISTER_PROCESSOR_CHANGE] = 4;
        weight[LINE_DEREGISTER_PROCESSOR_CHANGE] = offer->changes ? 4 : 0;
    }
    if (offer->objects) {
        if (registers) weight[LINE_REGISTER] = offer->registrations < 6 ? 34 : 6;
        if (offer->driver_defined) {
            weight[LINE_NOTIFY] = offer->has_routines ? 30 : 2;
            weight[LINE_MAKE_TEMPORARY] = passive ? 2 : 0;
        }
        weight[LINE_REFERENCE] = 3;
        weight[LINE_DEREFERENCE] = 6;
    }
    if (offer->registrations && registers) weight[LINE_UNREGISTER] = 12;
}

bool choose_statement(Generator *generator) {
    Random *random = &generator->random;
    Offer offer;
    uint8_t weight[LINE_KINDS];
    choose_offer(generator, &offer);
    weigh(generator, &offer, weight);
    uint32_t total = 0, kinds = generator->kinds;
    for (uint32_t left = kinds; left; left &= left - 1)
        total += weight[__builtin_ctz(left)];
    if (!total) return false;
    uint32_t pick = random_below(random, total);
    while (pick >= weight[__builtin_ctz(kinds)]) {
        pick -= weight[__builtin_ctz(kinds)];
        kinds &= kinds - 1;
    }
    unsigned kind = (unsigned)__builtin_ctz(kinds);
    Line *line = program_place(generator->program, kind, 0, NULL);
    if (!line) return false;
    switch ((LineKind)kind) {
    case LINE_CREATE: choose_create(generator, line, true); break;
    case LINE_OPEN: choose_create(generator, line, false); break;
    case LINE_REGISTER: choose_register(generator, &offer, line); break;
    case LINE_NOTIFY:
        line->operand = prefer_object(generator, &offer, has_routines);
        line->number[0] = choose_number(random);
        line->number[1] = choose_number(random);
        break;
    case LINE_UNREGISTER:
        line->operand = offer.registration[random_below(random, offer.registrations)];
        break;
    case LINE_REFERENCE:
    case LINE_DEREFERENCE: line->operand = offer.object[random_below(random, offer.objects)]; break;
    case LINE_MAKE_TEMPORARY:
        line->operand = prefer_object(generator, &offer, is_driver_defined);
        break;
    case LINE_IRQL: choose_level(generator, line); break;
    case LINE_POWER_STATE:
        line->number[0] = random_below(random, 6);
        line->number[1] = random_below(random, 2);
        break;
    case LINE_ADD_PROCESSOR: line->flags = random_chance(random, 25) ? FLAG_FAILS : 0; break;
    case LINE_REGISTER_PROCESSOR_CHANGE:
        line->routine = choose_routine(random);
        line->number[0] = choose_number(random);
        line->flags = random_chance(random, 50) ? FLAG_ADD_EXISTING : 0;
        break;
    case LINE_DEREGISTER_PROCESSOR_CHANGE:
        line->operand = offer.change[random_below(random, offer.changes)];
        break;
    case LINE_FAIL_ALLOCATION: line->number[0] = 1 + random_below(random, 3); break;
    default: break;
    }
    return true;
}

static void put_line(Generator *generator, Line line) {
    program_append(generator->program, line, NULL);
}

static Line with_operand(LineKind kind, uint16_t operand) {
    Line line = empty_line;
    line.kind = (uint8_t)kind;
    line.operand = operand;
    return line;
}

static Line at_level(unsigned level) {
    Line line = empty_line;
    line.kind = LINE_IRQL;
    line.number[0] = level;
    return line;
}

/* A registration whose routine is this one, or any. */
static uint16_t registration_for(Generator *generator, const Offer *offer, uint8_t routine,
                                 bool its_own) {
    const Executor *executor = generator->executor;
    unsigned from = random_below(&generator->random, offer->registrations);
    for (unsigned i = 0; its_own && i < offer->registrations; i++) {
        uint16_t variable = offer->registration[(from + i) % offer->registrations];
        if (executor->machine.registrations[executor->binding[variable]].routine == routine)
            return variable;
    }
    return offer->registration[from];
}

/* What the kernel does, or what goes wrong, while a routine runs. */
static Line rare_in_body(Generator *generator, const Offer *offer) {
    Random *random = &generator->random;
    Line line = empty_line;
    switch (random_below(random, offer->objects ? 6 : 5)) {
    case 0: line.kind = LINE_SET_SYSTEM_TIME; break;
    case 1:
        line.kind = LINE_POWER_STATE;
        line.number[0] = random_below(random, 6);
        line.number[1] = random_below(random, 2);
        break;
    case 2: line.kind = LINE_ADD_PROCESSOR; break;
    case 3:
        line.kind = LINE_FAIL_ALLOCATION;
        line.number[0] = 1 + random_below(random, 3);
        break;
    case 4:
        line.kind = LINE_REGISTER_PROCESSOR_CHANGE;
        line.routine = choose_routine(random);
        line.number[0] = choose_number(random);
        line.flags = random_chance(random, 50) ? FLAG_ADD_EXISTING : 0;
        break;
    default:
        line =
            with_operand(LINE_MAKE_TEMPORARY, prefer_object(generator, offer, is_driver_defined));
    }
    return line;
}

/* The same registration once more: object, routine and context. */
static void put_again(Generator *generator, uint16_t variable) {
    const Executor *executor = generator->executor;
    uint16_t number = variable == NO_VARIABLE ? NO_ID : executor->binding[variable];
    if (number == NO_ID || executor->machine.registrations[number].object == NO_ID) return;
    const SpecRegistration *again = &executor->machine.registrations[number];
    Line line = with_operand(LINE_REGISTER, executor->object_variable[again->object]);
    if (line.operand == NO_VARIABLE) return;
    line.routine = again->routine;
    line.number[0] = again->context;
    put_line(generator, line);
}

/* The variable of the line that was put last. */
static uint16_t last_made(const Generator *generator) {
    return (uint16_t)(generator->program->variable_count - 1);
}

/* One or a few statements that a routine's body could have. */
static void put_body_statements(Generator *generator, const Offer *offer, uint8_t routine,
                                bool processor) {
    Random *random = &generator->random;
    Line line = empty_line;
    if (processor && random_chance(random, 50)) {
        line.kind = LINE_SET_STATUS;
        line.number[0] = 0xC000009A;
        if (random_chance(random, 50))
            line.number[1] = 1 + random_below(random, generator->executor->processors);
        put_line(generator, line);
        return;
    }
    if (random_chance(random, 6)) {
        line = rare_in_body(generator, offer);
        put_line(generator, line);
        if (line.kind == LINE_REGISTER_PROCESSOR_CHANGE && random_chance(random, 50))
            put_line(generator,
                     with_operand(LINE_DEREGISTER_PROCESSOR_CHANGE, last_made(generator)));
        return;
    }
    switch (random_below(random, 8)) {
    case 0:
    case 1: {
        if (!offer->registrations) return;
        const Machine *machine = &generator->executor->machine;
        bool waits = !(machine->readings.answers[QUESTION_UNREGISTER_SELF] & 1);
        bool own = !waits && random_chance(random, 60);
        uint16_t variable = registration_for(generator, offer, routine, own);
        put_line(generator, with_operand(LINE_UNREGISTER, variable));
        if (random_chance(random, 15)) put_again(generator, variable);
        return;
    }
    case 2:
    case 3: {
        if (!offer->objects) return;
        choose_register(generator, offer, &line);
        put_line(generator, line);
        if (random_chance(random, 40)) return;
        put_line(generator, with_operand(LINE_UNREGISTER, last_made(generator)));
        return;
    }
    case 4:
    case 5:
        if (!offer->objects) return;
        line = with_operand(LINE_NOTIFY, prefer_object(generator, offer, is_driver_defined));
        line.number[0] = choose_number(random);
        line.number[1] = choose_number(random);
        if (random_chance(random, 15)) {
            put_line(generator, at_level(LEVEL_DISPATCH));
            put_line(generator, line);
            put_line(generator, at_level(LEVEL_PASSIVE));
        } else {
            put_line(generator, line);
        }
        return;
    case 6: {
        choose_create(generator, &line, random_chance(random, 70));
        put_line(generator, line);
        if (line.kind == LINE_CREATE && random_chance(random, 70))
            put_line(generator, with_operand(LINE_DEREFERENCE, last_made(generator)));
        return;
    }
    default: {
        if (!offer->objects) return;
        uint16_t object = offer->object[random_below(random, offer->objects)];
        if (random_chance(random, 60)) put_line(generator, with_operand(LINE_REFERENCE, object));
        put_line(generator, with_operand(LINE_DEREFERENCE, object));
    }
    }
}

/* A body that does one thing and comes back to itself, so that a notification does it often:
 * registers, holds, unregisters, creates until a table is full or a number of a byte is 0 again. */
static void put_crowd(Generator *generator, const Offer *offer, uint16_t object) {
    Random *random = &generator->random;
    Line line = with_operand(LINE_NOTIFY, object);
    uint32_t pick = random_below(random, 8);
    Line often = with_operand(LINE_REFERENCE, object);
    if (pick == 0) {
        choose_create(generator, &often, true);
        often.operand = NO_VARIABLE;
    } else if (pick > 1) {
        choose_register(generator, offer, &often);
    }
    for (unsigned count = 1 + random_below(random, 4); count; count--) {
        put_line(generator, often);
        uint16_t made = last_made(generator);
        if (pick == 0) {
            put_line(generator, with_operand(LINE_DEREFERENCE, made));
            /* Each has its name for itself: so its bytes are counted. */
            often.name_at = program_add_name(
                generator->program, generator->program->units + often.name_at, often.name_length);
        }
        if (pick == 2) put_line(generator, with_operand(LINE_UNREGISTER, made));
    }
    for (unsigned count = 1 + random_below(random, 2); count; count--)
        put_line(generator, line);
}

bool choose_body(Generator *generator) {
    const Executor *executor = generator->executor;
    const Machine *machine = &executor->machine;
    Random *random = &generator->random;
    if (!machine->registration_count) return false;
    unsigned from = random_below(random, machine->registration_count);
    for (unsigned i = 0; i < machine->registration_count; i++) {
        const SpecRegistration *registration =
            &machine->registrations[(from + i) % machine->registration_count];
        uint8_t routine = registration->routine;
        if (!registration->alive || (executor->called >> routine & 1) ||
            generator->program->body_at[routine])
            continue;
        Offer offer;
        choose_offer(generator, &offer);
        bool processor = registration->object == NO_ID || registration->object == 2;
        Line line = empty_line;
        line.kind = LINE_ROUTINE;
        line.routine = routine;
        put_line(generator, line);
        bool driver = registration->object != NO_ID && registration->object > 2;
        uint16_t object = driver ? executor->object_variable[registration->object] : NO_VARIABLE;
        if (generator->crowded && offer.objects && object != NO_VARIABLE)
            put_crowd(generator, &offer, object);
        else
            for (unsigned count = 1 + random_below(random, 2); count; count--)
                put_body_statements(generator, &offer, routine, processor);
        line.kind = LINE_END;
        line.routine = 0;
        put_line(generator, line);
        return true;
    }
    return false;
}

void choose_tweak(Generator *generator, Line *line) {
    Random *random = &generator->random;
    switch ((LineKind)line->kind) {
    case LINE_CREATE:
    case LINE_OPEN:
        if (random_chance(random, 60)) line->flags ^= (uint8_t)(1u << random_below(random, 4));
        else if (!(line->flags & FLAG_UNNAMED))
            use_name(line, random_below(random, NAME_FIRST_ODD));
        break;
    case LINE_REGISTER:
    case LINE_REGISTER_PROCESSOR_CHANGE:
        if (random_chance(random, 50)) line->routine = choose_routine(random);
        else line->number[0] = choose_number(random);
        break;
    case LINE_NOTIFY: line->number[random_below(random, 2)] = choose_number(random); break;
    case LINE_ADD_PROCESSOR: line->flags ^= FLAG_FAILS; break;
    case LINE_FAIL_ALLOCATION: line->number[0] = 1 + random_below(random, 4); break;
    default: break;
    }
}
